import { Command, Option } from "commander";
import { followingOf } from "../model/following.ts";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, EXIT_FAILURE, EXIT_NOTHING, load, stderrLog } from "./context.ts";
import { describeExamination, examinationFacts } from "./doctor_text.ts";
import { openLedger } from "./ledger_option.ts";
import { seconds } from "./numbers.ts";
import { pausedWords } from "./plugins_text.ts";
import { describeComparisons } from "./reconcile_text.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";

interface DoctorOptions {
  readonly seconds: number;
  readonly management?: string;
  readonly json?: boolean;
}

/** `doctor`: finds out why no notification arrives. */
export function doctorCommand(context: CommandContext): Command {
  return new Command("doctor")
    .description(
      "Find out why nothing arrives: what the services send, where it goes, and which lines in which file mend it. It " +
        "listens on a temporary queue: it takes no message from another consumer and changes nothing. Ctrl-C ends the " +
        "listening early.",
    )
    .addOption(new Option("--seconds <n>", "how long to listen").argParser(seconds).default(5))
    .option("--management <url>", "RabbitMQ's management API, if it is not on port 15672 (TLS: 15671) of the broker")
    .option("--json", "print one line of JSON per broker")
    .addHelpText("after", HELP)
    .action((options: DoctorOptions) => run(options, context));
}

const HELP = `
Example:
  oss-watcher doctor --seconds 60    and meanwhile: openstack server create …

Exit codes: 0 notifications come and reach oss-watcher; 1 a fault was found;
3 no fault was found, but nothing came while it listened.`;

async function run({ seconds, management, json = false }: DoctorOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { config } = await load(context);
  const [{ examine }, { diagnose }, { sourcesOf }] = await Promise.all([
    import("../inspect/doctor/examine.ts"),
    import("../inspect/doctor/diagnose.ts"),
    import("../inspect/shared/tap.ts"),
  ]);
  const signal = context.stopSignal();
  const log = stderrLog(context.globals(), "error");
  const onListening = (address: string) => terminal.error(printable(`Listening at ${address} for ${seconds} s …`));
  const at = management === undefined ? {} : { management };
  let [isBad, hasCome] = [false, false];
  for (const source of sourcesOf(config)) {
    try {
      const seen = await examine({
        source,
        follows: followingOf(config.events) !== null,
        seconds,
        ...at,
        random: Math.random,
        now: Date.now,
        log,
        onListening,
        signal,
      });
      const problems = diagnose(seen);
      terminal.print(
        json ? safeJson(examinationFacts(seen, problems)) : describeExamination(seen, { problems, terminal }),
      );
      isBad ||= problems.some(({ level }) => level === "error");
      hasCome ||= seen.flows.length > 0;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      terminal.error(printable(error.message));
      isBad = true;
    }
  }
  await showLedger(context, { json, hasCloud: config.openstack !== undefined });
  if (isBad) context.exit(EXIT_FAILURE);
  else if (!hasCome) context.exit(EXIT_NOTHING);
}

/** What the ledger knows of comparisons with OpenStack, and of plugins that are paused. */
async function showLedger(
  context: CommandContext,
  { json, hasCloud }: { readonly json: boolean; readonly hasCloud: boolean },
): Promise<void> {
  const { terminal } = context;
  try {
    await using opened = await openLedger(undefined, context);
    if (hasCloud) {
      const past = await opened.comparisons.past();
      terminal.print(json ? safeJson({ comparisons: past }) : `\n${describeComparisons(past, Date.now())}`);
    }
    const pauses = [...await opened.pauses()];
    if (pauses.length === 0) return;
    if (json) terminal.print(safeJson({ pauses: Object.fromEntries(pauses) }));
    for (const [plugin, pause] of json ? [] : pauses) {
      const remedy = `To go on: oss-watcher plugins resume ${shellWord(plugin)}`;
      terminal.print(printable(`\n${plugin} is ${pausedWords(pause)}: its deliveries wait. ${remedy}`));
    }
  } catch (error) {
    // Without a ledger, the service has not run yet.
    if (!(error instanceof UserError)) throw error;
  }
}
