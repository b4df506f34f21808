import { Command } from "commander";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, EXIT_DIFFERENCES, load } from "./context.ts";
import { ledgerOption, ledgerPlace } from "./ledger_option.ts";

/** `status`: what the console's overview says, on one screen. */
export function statusCommand(context: CommandContext): Command {
  return new Command("status")
    .description(
      "Show on one screen what the service does, what is wrong, and what mends it. The service may run or not: it is asked " +
        "where config.ts lets it answer (metrics), the rest is read from the ledger.",
    )
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .addHelpText("after", HELP)
    .action(async ({ ledger, json = false }: { readonly ledger?: string; readonly json?: boolean }) => {
      // With --ledger, neither the configuration nor its secrets are needed.
      const loaded = ledger === undefined ? await load(context) : null;
      const [{ statusOf }, { describeStatus }, { openOperations }, { placeOf }] = await Promise.all([
        import("./status_facts.ts"),
        import("./status_text.ts"),
        import("../ledger/open_ledger.ts"),
        import("../ledger/place.ts"),
      ]);
      const place = loaded === null ? await ledgerPlace(ledger, context) : placeOf(loaded.config.ledger);
      await using opened = await openOperations(place);
      const status = await statusOf(opened, { config: loaded?.config ?? null, place });
      const { terminal } = context;
      terminal.print(json ? safeJson(status) : describeStatus(status, terminal));
      if (status.problems.some(({ level }) => level === "error")) context.exit(EXIT_DIFFERENCES);
    });
}

const HELP = `
Examples:
  oss-watcher status
  oss-watcher status --json | jq -r '.problems[].text'

Exit codes: 0 all is well, or there are warnings alone; 3 something is wrong;
1 no configuration, or the ledger cannot be read.`;
