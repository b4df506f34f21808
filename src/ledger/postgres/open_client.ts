import type { PostgresOptions } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { postgresAddress, shownPostgresUrl } from "../../model/postgres_address.ts";
import { PostgresClient } from "./client.ts";
import { refuseCopies } from "./copy_lease.ts";
import type { Tls } from "./connection_options.ts";
import { sqlStateOf } from "./failure.ts";
import { type SchemaState, schemaState, whyTooOld } from "./migrate.ts";
import { STEPS } from "./schema.ts";

export interface OpenClientOptions {
  /** Connections at most. */
  readonly connections: number;
  /** The longest time without an answer, milliseconds. */
  readonly answerMs: number;
}

/** Where a ledger is, for people, without the password. */
export function placeOf(postgres: PostgresOptions): string {
  const address = postgresAddress(postgres);
  return `"${shownPostgresUrl(address)}", schema "${address.schema}"`;
}

/**
 * Connects to the database of a ledger.
 *
 * @throws {UserError} when that does not work, saying what to do.
 */
export async function openClient(
  postgres: PostgresOptions,
  { connections, answerMs }: OpenClientOptions,
): Promise<PostgresClient> {
  const place = placeOf(postgres);
  const { usesTls, ...address } = postgresAddress(postgres);
  const tls = usesTls ? await readTls(postgres, place) : null;
  const client = new PostgresClient({ ...address, tls, connections, answerMs, application: "oss-watcher" });
  try {
    await client.rows("SELECT 1");
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw unopenable(place, error);
  }
}

/** The longest that a command waits for an answer: it may read a large ledger. */
export const COMMAND_ANSWER_MS = 60_000;

/**
 * Connects for an operator's command, which makes no tables.
 *
 * @throws {UserError} as {@linkcode openClient} does, and when there are no tables of this version.
 */
export async function openForCommand(postgres: PostgresOptions): Promise<PostgresClient> {
  const client = await openClient(postgres, { connections: 2, answerMs: COMMAND_ANSWER_MS });
  const place = placeOf(postgres);
  try {
    const state = await schemaState(client);
    const why = whyTooOld(state) ?? whyNotYet(state);
    if (why !== null) throw new UserError(`Cannot open the ledger ${place}: ${why}`);
    await refuseCopies(client, place);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw unopenable(place, error);
  }
}

/** Why a ledger that was written by another version cannot be copied; `null`: it is of this one. */
export async function whyOtherVersion(client: PostgresClient): Promise<string | null> {
  const state = await schemaState(client);
  if (state.version <= STEPS.length) return whyTooOld(state) ?? whyNotYet(state);
  return `it was written by a newer oss-watcher (schema ${state.version}, this one knows ${STEPS.length}). Use that one`;
}

/** Why a command of this version cannot use tables of an older one; `null`: they are not older. */
function whyNotYet({ version }: SchemaState): string | null {
  if (version === 0) return "it has no tables yet. Has the service run yet? Is the schema the right one?";
  if (version >= STEPS.length) return null;
  return `it was written by an older oss-watcher (schema ${version}, this one needs ${STEPS.length}). ` +
    "Start the service of this version once";
}

/** The error of a ledger that cannot be opened; an error that is none of PostgreSQL's stays as it is. */
export function unopenable(place: string, error: unknown): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const state = sqlStateOf(error);
  if (state === null && !(error instanceof LedgerUnavailable)) return error;
  const advice = ADVICE.find(([pattern]) => pattern.test(state ?? ""))?.[1] ?? "Is it running, and may we reach it?";
  return new UserError(`Cannot open the ledger ${place}: ${error.message}. ${advice}`, { cause: error });
}

/** What to do, by SQLSTATE. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^28/, "Correct user and password in ledger.postgres.url, or pg_hba.conf on the server"],
  [/^3D000$/, "Create the database, or correct its name in ledger.postgres.url"],
  [/^3F000$|^42P01$/, "Start the service once: it makes the schema and its tables"],
  [/^42501$/, "Give the user the rights: docs/CLUSTER.md lists them"],
  [/^53300$/, "Raise max_connections, or have fewer clients"],
  [/^53/, "Make room on the server"],
  [/^25006$/, "It is a standby: name the primary, or all servers, in ledger.postgres.url"],
];

async function readTls({ caFile, certFile, keyFile }: PostgresOptions, place: string): Promise<Tls> {
  const read = async (option: string, file: string | undefined) => {
    if (file === undefined) return undefined;
    try {
      return await Deno.readTextFile(file);
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      throw new UserError(`Cannot open the ledger ${place}: cannot read ledger.postgres.${option} "${file}": ${why}`);
    }
  };
  const [ca, cert, key] = [
    await read("caFile", caFile),
    await read("certFile", certFile),
    await read("keyFile", keyFile),
  ];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
