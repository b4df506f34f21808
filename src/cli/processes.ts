import { Command } from "commander";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, EXIT_FAILURE } from "./context.ts";
import { ledgerOption, openLedger } from "./ledger_option.ts";
import { describeProcesses } from "./processes_text.ts";

/** `processes`: who shares the ledger, and who does what. */
export function processesCommand(context: CommandContext): Command {
  return new Command("processes")
    .description(
      "List the processes that share a ledger on PostgreSQL: which of them run, since when, and which part of the work each " +
        "of them does.",
    )
    .option("--json", "print one line of JSON each")
    .addOption(ledgerOption())
    .addHelpText("after", HELP)
    .action(async ({ ledger, json }: { readonly ledger?: string; readonly json?: boolean }) => {
      await using opened = await openLedger(ledger, context);
      const { terminal } = context;
      const list = await opened.processes();
      if (list === null) {
        return terminal.print("The ledger is a file: one process does all the work. See: oss-watcher plugins");
      }
      if (json) { for (const process of list.processes) terminal.print(safeJson(process)); }
      else terminal.print(describeProcesses(list));
      if (!list.processes.some(({ state }) => state === "running")) context.exit(EXIT_FAILURE);
    });
}

const HELP = `
Example:
  oss-watcher processes

Exit codes: 0 at least one runs; 1 none does, or the ledger cannot be read.`;
