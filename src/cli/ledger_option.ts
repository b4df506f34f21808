import { Option } from "commander";
import type { LedgerOperations } from "../model/operations.ts";
import { type CommandContext, load } from "./context.ts";

/** Names the ledger, so that a command needs neither the configuration nor its secrets. */
export function ledgerOption(): Option {
  return new Option("--ledger <file>", "the ledger, if not the one that the configuration names");
}

/** Opens the ledger for a command. */
export async function openLedger(given: string | undefined, context: CommandContext): Promise<LedgerOperations> {
  const [{ ledgerFileOf }, { openOperations }] = await Promise.all([
    import("../ledger/sqlite/open.ts"),
    import("../ledger/sqlite/operations.ts"),
  ]);
  return openOperations(given ?? ledgerFileOf((await load(context)).config.ledger));
}
