import type { PostgresOptions } from "../../model/config.ts";
import type { DeliveredLedger } from "../../model/delivered.ts";
import { UserError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import type { LedgerOperations } from "../../model/operations.ts";
import type { StoredLedger, StoredLedgerOptions } from "../../model/stored_ledger.ts";

/**
 * Opens the service's ledger in a database of PostgreSQL.
 *
 * @throws {UserError} when it cannot be opened.
 */
export function openStoredLedger(_postgres: PostgresOptions, _options: StoredLedgerOptions): Promise<StoredLedger> {
  return Promise.reject(notBuilt());
}

/**
 * Opens a ledger for an operator's command, beside running services.
 *
 * @throws {UserError} when it cannot be opened.
 */
export function openOperations(_postgres: PostgresOptions): Promise<LedgerOperations> {
  return Promise.reject(notBuilt());
}

/**
 * Opens a ledger for `audit`, beside running services.
 *
 * @throws {UserError} when it cannot be opened.
 */
export function openDelivered(_postgres: PostgresOptions): Promise<DeliveredLedger> {
  return Promise.reject(notBuilt());
}

/**
 * What `check --connect` finds: whether we may log in, and whether the server keeps what it commits.
 * Findings have the key `ledger.postgres`.
 *
 * @throws {UserError} when the server cannot be asked.
 */
export function checkServer(_postgres: PostgresOptions, _signal: AbortSignal): Promise<readonly Finding[]> {
  return Promise.reject(notBuilt());
}

function notBuilt(): UserError {
  return new UserError("The ledger on PostgreSQL is not built yet");
}
