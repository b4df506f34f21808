import type { PostgresOptions } from "../../model/config.ts";
import type { DeliveredLedger } from "../../model/delivered.ts";
import type { Finding } from "../../model/finding.ts";
import type { LedgerOperations } from "../../model/operations.ts";
import type { StoredLedger, StoredLedgerOptions } from "../../model/stored_ledger.ts";

/**
 * Opens the service's ledger in a database of PostgreSQL.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openStoredLedger(
  postgres: PostgresOptions,
  options: StoredLedgerOptions,
): Promise<StoredLedger> {
  return await (await import("./stored_ledger.ts")).openStoredLedger(postgres, options);
}

/**
 * Opens a ledger for an operator's command, beside running services.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openOperations(postgres: PostgresOptions): Promise<LedgerOperations> {
  return await (await import("./operations.ts")).openOperations(postgres);
}

/**
 * Opens a ledger for `audit`, beside running services.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openDelivered(postgres: PostgresOptions): Promise<DeliveredLedger> {
  return await (await import("./delivered.ts")).openDelivered(postgres);
}

/**
 * What `check --connect` finds: whether we may log in, and whether the server keeps what it commits.
 * Findings have the key `ledger.postgres`.
 *
 * @throws {UserError} when the server cannot be asked.
 */
export async function checkServer(postgres: PostgresOptions, _signal: AbortSignal): Promise<readonly Finding[]> {
  return await (await import("./check_server.ts")).checkServer(postgres);
}
