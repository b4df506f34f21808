import type { DeliveredLedger } from "../model/delivered.ts";
import type { Finding } from "../model/finding.ts";
import type { LedgerOperations } from "../model/operations.ts";
import type { StoredLedger, StoredLedgerOptions } from "../model/stored_ledger.ts";
import type { CopySource, CopyTarget, OpenCopyOptions } from "./copy/copy_store.ts";
import type { LedgerPlace } from "./place.ts";
import type { EventKey, KeyFilter } from "./sqlite/completion_names.ts";

// The only module outside of the ledgers' folders that knows them. Each is loaded when it is used.

/**
 * Opens the service's ledger.
 *
 * @throws {UserError} when it cannot be opened, or another service has it for itself.
 */
export async function openStoredLedger(place: LedgerPlace, options: StoredLedgerOptions): Promise<StoredLedger> {
  if ("file" in place) return (await import("./sqlite/stored_ledger.ts")).openStoredLedger(place.file, options);
  return await (await import("./postgres/stored_ledger.ts")).openStoredLedger(place.postgres, options);
}

/**
 * Opens a ledger for an operator's command, whether a service runs or not.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openOperations(place: LedgerPlace): Promise<LedgerOperations> {
  if ("file" in place) return (await import("./sqlite/operations.ts")).openOperations(place.file);
  return await (await import("./postgres/operations.ts")).openOperations(place.postgres);
}

/**
 * Opens a ledger for `audit`, whether a service runs or not.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openDelivered(place: LedgerPlace): Promise<DeliveredLedger> {
  if ("file" in place) return (await import("./sqlite/delivered.ts")).openDelivered(place.file);
  return await (await import("./postgres/delivered.ts")).openDelivered(place.postgres);
}

/**
 * Opens a ledger to copy from. Until it is closed, no service works with it.
 *
 * @throws {UserError} when a service runs with it, or it cannot be opened.
 */
export async function openCopySource(place: LedgerPlace, options: OpenCopyOptions = {}): Promise<CopySource> {
  if ("file" in place) return (await import("./sqlite/copy_store.ts")).openCopySource(place.file);
  return await (await import("./postgres/copy_store.ts")).openCopySource(place.postgres, options);
}

/**
 * Opens a ledger to copy to, as {@linkcode openCopySource} does. Makes it where it is missing.
 *
 * @throws {UserError} when a service runs with it, or it cannot be opened.
 */
export async function openCopyTarget(place: LedgerPlace, options: OpenCopyOptions = {}): Promise<CopyTarget> {
  if ("file" in place) return (await import("./sqlite/copy_store.ts")).openCopyTarget(place.file);
  return await (await import("./postgres/copy_store.ts")).openCopyTarget(place.postgres, options);
}

/**
 * What the server of a ledger says of itself; nothing where there is no server.
 *
 * @throws {UserError} when the server cannot be asked.
 */
export async function checkServer(place: LedgerPlace): Promise<readonly Finding[]> {
  if ("file" in place) return [];
  return await (await import("./postgres/check_server.ts")).checkServer(place.postgres);
}

/**
 * The names of all plugins in a ledger, for completion. Empty where no file can be read: a key press
 * must not wait for a server.
 */
export async function readPluginNames(place: LedgerPlace): Promise<readonly string[]> {
  if (!("file" in place)) return [];
  return (await import("./sqlite/completion_names.ts")).readPluginNames(place.file);
}

/** The newest keys with a prefix, for completion. Empty as {@linkcode readPluginNames} is. */
export async function readEventKeys(place: LedgerPlace, filter: KeyFilter): Promise<readonly EventKey[]> {
  if (!("file" in place)) return [];
  return (await import("./sqlite/completion_names.ts")).readEventKeys(place.file, filter);
}
