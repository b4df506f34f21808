import { Option } from "commander";
import type { LedgerOperations } from "../model/operations.ts";
import { type CommandContext, load } from "./context.ts";

/** Names the ledger directly: no configuration, and none of its secrets, is needed then. */
export function ledgerOption(): Option {
  return new Option("--ledger <file>", "the ledger; else the one that the configuration names");
}

/** Opens the ledger for a command. */
export async function openLedger(given: string | undefined, context: CommandContext): Promise<LedgerOperations> {
  const [{ ledgerFileOf }, { openOperations }] = await Promise.all([
    import("../ledger/sqlite/open.ts"),
    import("../ledger/sqlite/operations.ts"),
  ]);
  return openOperations(given ?? ledgerFileOf((await load(context)).config.ledger));
}
