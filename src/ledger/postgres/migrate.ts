import { UserError } from "../../model/errors.ts";
import type { PostgresClient, Queries } from "./client.ts";
import { OLDEST_BESIDE, STEPS } from "./schema.ts";

/** The state of a schema's tables. */
export interface SchemaState {
  /** Steps that were run; 0: there are no tables. */
  readonly version: number;
  /** Processes that know fewer steps must stop. */
  readonly oldestBeside: number;
}

/** Reads which steps were run. */
export async function schemaState(queries: Queries): Promise<SchemaState> {
  const [there] = await queries.rows("SELECT to_regclass('schema_version') IS NOT NULL AS there");
  if (there?.["there"] !== true) return { version: 0, oldestBeside: 0 };
  const [row] = await queries.rows("SELECT max(step) AS version, max(oldest_beside) AS oldest FROM schema_version");
  return { version: Number(row?.["version"] ?? 0), oldestBeside: Number(row?.["oldest"] ?? 0) };
}

/** Why a process of this version must not use the tables; `null`: it may. */
export function whyTooOld({ version, oldestBeside }: SchemaState, known = STEPS.length): string | null {
  if (oldestBeside <= known) return null;
  return `it was written by a newer oss-watcher (schema ${version}, this one knows ${known}). Run the newer one`;
}

/**
 * Makes the schema and its tables, or brings them up to date, in one transaction; processes that do
 * so at the same time wait for each other. A newer schema is left as it is.
 *
 * @throws {UserError} when a process of this version must not use it.
 */
export async function migrate(
  client: PostgresClient,
  { schema, place, onOlder }: {
    readonly schema: string;
    /** Names the ledger in errors. */
    readonly place: string;
    readonly onOlder?: (versions: { readonly from: number; readonly to: number }) => void;
  },
): Promise<void> {
  const before = await schemaState(client);
  const why = whyTooOld(before);
  if (why !== null) throw new UserError(`Cannot open the ledger ${place}: ${why}`);
  if (before.version >= STEPS.length) return;
  if (before.version > 0) onOlder?.({ from: before.version, to: STEPS.length });
  await client.script(migration(schema));
}

/** SQL: runs the steps that are missing. Several statements in one message are one transaction. */
function migration(schema: string): string {
  const steps = STEPS.map((step, index) =>
    `IF NOT EXISTS (SELECT 1 FROM schema_version WHERE step = ${index + 1}) THEN
      EXECUTE $step$${step}$step$;
      INSERT INTO schema_version (step, oldest_beside) VALUES (${index + 1}, ${OLDEST_BESIDE});
    END IF;`
  );
  return `SELECT pg_advisory_xact_lock(hashtextextended('oss-watcher schema ${schema}', 0));
  DO $migration$ BEGIN
    IF to_regnamespace('"${schema}"') IS NULL THEN EXECUTE 'CREATE SCHEMA "${schema}"'; END IF;
    CREATE TABLE IF NOT EXISTS schema_version (
      step integer PRIMARY KEY, oldest_beside integer NOT NULL, run_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    ${steps.join("\n")}
  END $migration$;`;
}
