import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { shownPostgresUrl } from "../../model/postgres_address.ts";
import { PostgresClient } from "./client.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { sqlStateOf } from "./failure.ts";
import { schemaState, whyTooOld } from "./migrate.ts";
import { STEPS } from "./schema.ts";

/** The longest that a command waits for an answer: it may read a large ledger. */
const ANSWER_MS = 60_000;

/** Connections of a command. */
const CONNECTIONS = 2;

/** Names a ledger in errors, without the password. */
export function placeOf(connection: ConnectionOptions): string {
  return `"${shownPostgresUrl(connection)}" (schema ${connection.schema})`;
}

/**
 * Connects for an operator's command.
 *
 * @throws {UserError} when it cannot be reached, has no tables of this version, or the login is refused.
 */
export async function connectForCommand(
  connection: ConnectionOptions,
  { answerMs = ANSWER_MS }: { readonly answerMs?: number } = {},
): Promise<PostgresClient> {
  const client = new PostgresClient({ ...connection, answerMs, connections: CONNECTIONS });
  try {
    const state = await schemaState(client);
    const why = whyTooOld(state) ?? whyNotYet(state.version);
    if (why !== null) throw new UserError(`Cannot open the ledger ${placeOf(connection)}: ${why}`);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error instanceof LedgerUnavailable ? unopenable(connection, error) : error;
  }
}

/** Why a command of this version cannot use tables of an older one; `null`: they are not older. */
function whyNotYet(version: number): string | null {
  if (version === 0) return "it has no tables yet. Has the service run yet? Is the schema the right one?";
  if (version >= STEPS.length) return null;
  return `it was written by an older oss-watcher (schema ${version}, this one needs ${STEPS.length}). ` +
    "Start the service of this version once";
}

function unopenable(connection: ConnectionOptions, error: LedgerUnavailable): UserError {
  const state = sqlStateOf(error) ?? "";
  const advice = ADVICE.find(([pattern]) => pattern.test(state))?.[1] ??
    "Is PostgreSQL running there, and may this machine reach it?";
  return new UserError(`Cannot open the ledger ${placeOf(connection)}: ${error.message}. ${advice}`, { cause: error });
}

/** What to do, by SQLSTATE. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^28/, "Check the user and the password of ledger.postgres, and pg_hba.conf of the server"],
  [/^3D000$/, "Create the database, or correct its name in ledger.postgres"],
  [/^42501$/, "Give this user the rights on the schema, or name the user that the service has"],
  [/^53/, "Wait until the server has resources again, or raise its limits"],
  [/^57/, "Wait until the server is up"],
];
