import type { PostgresOptions } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { PostgresClient } from "./client.ts";
import { schemaState, whyTooOld } from "./migrate.ts";
import { openClient, placeOf, unopenable } from "./open_client.ts";
import { STEPS } from "./schema.ts";

/** The longest that a command waits for an answer: it may read a large ledger. */
const ANSWER_MS = 60_000;

const CONNECTIONS = 2;

/**
 * Connects for an operator's command, which migrates nothing.
 *
 * @throws {UserError} when that does not work, or the tables are not of this version.
 */
export async function openCommandClient(postgres: PostgresOptions): Promise<PostgresClient> {
  const client = await openClient(postgres, { connections: CONNECTIONS, answerMs: ANSWER_MS });
  try {
    const state = await schemaState(client);
    const why = whyTooOld(state) ?? whyNotYet(state.version);
    if (why !== null) throw new UserError(`Cannot open the ledger ${placeOf(postgres)}: ${why}`);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw unopenable(placeOf(postgres), error);
  }
}

/** Why a command cannot use older tables; `null`: they are not older. */
function whyNotYet(version: number): string | null {
  if (version === 0) return "it has no tables. Start the service once, or correct the schema";
  if (version >= STEPS.length) return null;
  return `it was written by an older oss-watcher (schema ${version}, this one needs ${STEPS.length}). ` +
    "Start the service of this version once";
}
