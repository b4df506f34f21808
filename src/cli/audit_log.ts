import { Command, Option } from "commander";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { describeTrail } from "./audit_log_text.ts";
import type { CommandContext } from "./context.ts";
import { ledgerOption, openLedger } from "./ledger_option.ts";
import { wholeNumber } from "./numbers.ts";

interface AuditLogOptions {
  readonly limit: number;
  readonly json?: boolean;
  readonly ledger?: string;
}

/** Entries that one query reads. */
const PAGE = 1000;

/** `audit-log`: what operators have done. */
export function auditLogCommand(context: CommandContext): Command {
  return new Command("audit-log")
    .description(
      "List what operators have done, by commands and in the console, newest first: who, when and what. It is kept for " +
        "ledger.keepDays, at least a year.",
    )
    .addOption(new Option("--limit <n>", "at most this many").argParser(wholeNumber).default(50))
    .option("--json", "print one line of JSON each")
    .addOption(ledgerOption())
    .addHelpText("after", "\nExample:\n  oss-watcher audit-log --limit 10")
    .action(async ({ limit, json = false, ledger }: AuditLogOptions) => {
      await using opened = await openLedger(ledger, context);
      let before = Number.MAX_SAFE_INTEGER;
      for (let left = limit; left > 0;) {
        const records = await opened.trail.read({ before, limit: Math.min(left, PAGE) });
        if (records.length === 0 && left === limit && !json) context.terminal.print("Nobody has done anything yet.");
        if (records.length > 0) {
          context.terminal.print(json ? records.map((record) => safeJson(record)).join("\n") : describeTrail(records));
        }
        if (records.length < Math.min(left, PAGE)) return;
        left -= records.length;
        before = records.at(-1)!.seq;
      }
    });
}
