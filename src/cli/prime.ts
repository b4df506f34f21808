import { Command } from "commander";
import type { Listing } from "../model/ledger.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, load, stderrLog } from "./context.ts";
import { ledgerOption, openLedger } from "./ledger_option.ts";
import { describePrimed, describeRead } from "./prime_text.ts";
import { ProgressLine } from "./progress_line.ts";
import { writeTrail } from "./trail.ts";

/** `prime`: makes the ledger remember the resources of OpenStack that it lacks. */
export function primeCommand(context: CommandContext): Command {
  return new Command("prime")
    .description(
      "Read the servers, ports and floating IPs of OpenStack, remember those that the ledger lacks, and list them. Sends nothing. " +
        "The service may run; it does this once by itself, for a new ledger.",
    )
    .option("--json", "print JSON")
    .addOption(ledgerOption())
    .addHelpText("after", HELP)
    .action(async ({ ledger, json }: { readonly ledger?: string; readonly json?: boolean }) => {
      const [{ config }, { primeAgain }, { systemClock }] = await Promise.all([
        load(context),
        import("../runtime/prime_again.ts"),
        import("../runtime/clock.ts"),
      ]);
      await using opened = await openLedger(ledger, context);
      await writeTrail(opened, { action: "prime", what: "memory, from OpenStack" });
      const log = stderrLog(context.globals());
      const { terminal } = context;
      using line = new ProgressLine(terminal);
      const onProgress = (listing: Listing, found: number) => line.show(describeRead(listing, found));
      const compared = await primeAgain({
        config,
        ledger: opened,
        clock: systemClock,
        random: Math.random,
        log,
        // Where nothing can be written over, the log tells it.
        ...(terminal.status === undefined ? {} : { onProgress }),
      });
      line.clear();
      terminal.print(json ? safeJson(compared) : describePrimed(compared));
    });
}

const HELP = `
Example:
  oss-watcher prime --config /etc/oss-watcher/config.ts

Exit codes: 0 done, whatever was missing; 1 no cloud in the configuration, no
ledger, or OpenStack refuses us or has not answered for a minute. Resources that
were read until then are remembered.`;
