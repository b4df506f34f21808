import { Option } from "commander";
import type { LedgerPlace } from "../ledger/place.ts";
import type { LedgerOperations } from "../model/operations.ts";
import { type CommandContext, load } from "./context.ts";

/** Names the ledger, so that a command needs neither the configuration nor its secrets. */
export function ledgerOption(): Option {
  return new Option("--ledger <file|url>", "the ledger, if not the one that the configuration names");
}

/**
 * The place of the ledger for a command.
 *
 * @throws {UserError} when the given URL, or the configuration, cannot be read.
 */
export async function ledgerPlace(given: string | undefined, context: CommandContext): Promise<LedgerPlace> {
  const { placeNamed, placeOf } = await import("../ledger/place.ts");
  return given === undefined ? placeOf((await load(context)).config.ledger) : placeNamed(given);
}

/** Opens the ledger for a command. */
export async function openLedger(given: string | undefined, context: CommandContext): Promise<LedgerOperations> {
  const { openOperations } = await import("../ledger/open_ledger.ts");
  return await openOperations(await ledgerPlace(given, context));
}
