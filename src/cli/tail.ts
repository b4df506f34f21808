import { Command } from "commander";
import type { DryRunResult } from "../runtime/dry_run.ts";
import type { SeenNotification } from "../inspect/tail/tail.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, load, stderrLog } from "./context.ts";
import { describeEvents, describeNotification, eventFacts, notificationFacts } from "./tail_text.ts";

interface TailCommandOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `tail`: shows events as they happen. */
export function tailCommand(context: CommandContext): Command {
  return new Command("tail")
    .description(
      "Show events as they happen, one line each. It listens on temporary queues: nothing is taken from the service or another " +
        "consumer. Its memory begins empty. Ctrl-C ends it.",
    )
    .option("--all", "show every notification of every service, instead of events")
    .option("--json", "print one line of JSON each")
    .addHelpText("after", HELP)
    .action((options: TailCommandOptions) => run(options, context));
}

const HELP = `
Examples:
  oss-watcher tail
  oss-watcher tail --all | grep floatingip
  oss-watcher tail --json | jq -r .detail.FQDN`;

async function run({ all = false, json = false }: TailCommandOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { config } = await load(context);
  const { tail } = await import("../inspect/tail/tail.ts");
  const show = {
    onEvents(result: DryRunResult) {
      if (json) { for (const facts of eventFacts(result)) terminal.print(safeJson(facts)); }
      else terminal.print(describeEvents(result, terminal).join("\n"));
    },
    onNotification(seen: SeenNotification) {
      terminal.print(json ? safeJson(notificationFacts(seen)) : describeNotification(seen));
    },
    onListening(addresses: readonly string[]) {
      terminal.error(`Listening at ${addresses.join(", ")}. Ctrl-C ends`);
    },
  };
  const log = stderrLog(context.globals(), "warn");
  await tail({ config, all, random: Math.random, log, ...show }, context.stopSignal());
}
