import { Command } from "commander";
import type { EventComparison } from "../inspect/compare/compare_events.ts";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, EXIT_DIFFERENCES, EXIT_FAILURE, type GlobalOptions } from "./context.ts";
import { historyName } from "./history_file.ts";
import { ProgressLine } from "./progress_line.ts";
import type { Recording } from "./replay_messages.ts";
import { UsageError } from "./usage.ts";

interface DiffOptions {
  readonly json?: boolean;
  readonly stat?: boolean;
}

/** `diff OLD NEW RECORDING`: what a change of the configuration changes in what plugins send. */
export function diffCommand(context: CommandContext): Command {
  return new Command("diff")
    .description(
      "Show what each plugin would send for the notifications of a recording with one configuration and with another, " +
        "as a diff by event. Sends nothing, writes nothing, and asks neither RabbitMQ nor OpenStack.",
    )
    .argument("<old>", "the configuration before: a config.ts, or oss_framework's (.conf, .ini)")
    .argument("<new>", "the configuration after")
    .argument("<recording>", "a file of oss-watcher record, - for stdin")
    .option("--stat", "the counts alone")
    .option("--json", "one line of JSON per event that differs, then one with the counts")
    .addHelpText("after", HELP)
    .action(async (old: string, now: string, recording: string, options: DiffOptions) => {
      context.exit(await run([old, now], { recording, options, context }));
    });
}

const HELP = `
Examples:
  oss-watcher record week.jsonl --seconds 604800
  oss-watcher diff config.ts new.ts week.jsonl
  oss-watcher diff oss.conf config.ts week.jsonl --stat

Plugins are matched by their names. docs/CHANGING_A_CONFIG.md has the way.

Exit codes: 0 nothing differs; 3 something differs; 1 bad input or
configuration, or what a plugin would send is not known.`;

const WORDS = { onlyBefore: "only before", onlyAfter: "only after" };

interface DiffRequest {
  readonly recording: string;
  readonly options: DiffOptions;
  readonly context: CommandContext;
}

async function run(
  files: readonly [string, string],
  { recording, options: { json = false, stat = false }, context }: DiffRequest,
): Promise<number> {
  await refuseMisuse(files, context.globals());
  const [{ compareReplays }, { describeComparison }, texts] = await Promise.all([
    import("./compare_replays.ts"),
    import("./comparison_text.ts"),
    import("./diff_text.ts"),
  ]);
  const { terminal, newIsolate } = context;
  const { debug = false } = context.globals();
  using line = new ProgressLine(terminal);
  let isHeaded = false;
  const print = (text: string) => {
    line.clear();
    if (!isHeaded && !json) terminal.print(texts.heading(files, terminal));
    isHeaded = true;
    terminal.print(text);
  };
  const summary = await compareReplays({
    newIsolate,
    globals: [globalsFor(files[0], debug), globalsFor(files[1], debug)],
    recording: await recordingOf(recording, context),
    onDifference: (comparison: EventComparison) => {
      if (!stat) {
        print(
          json
            ? safeJson(texts.jsonOfComparison(comparison))
            : describeComparison(comparison, { terminal, words: WORDS }),
        );
      }
    },
    onRefused(text) {
      line.clear();
      terminal.error(printable(`Cannot read a notification in ${historyName(recording)}, ${text}`));
    },
    onProgress: (notifications) => line.show(`${notifications} notifications compared`),
  });
  line.clear();
  print(json ? safeJson(texts.jsonOfSummary(summary)) : texts.describeSummary(summary));
  for (const text of summary.unknown) terminal.error(printable(text));
  if (summary.refused > 1) terminal.error(`Cannot read ${summary.refused} lines of the recording in all`);
  if (summary.refused + summary.unknown.length > 0) return EXIT_FAILURE;
  return summary.counts.differ || summary.pluginsDiffer ? EXIT_DIFFERENCES : 0;
}

async function refuseMisuse([old, now]: readonly [string, string], globals: GlobalOptions): Promise<void> {
  if (globals.config !== undefined || globals.configFile !== undefined) {
    throw new UsageError("Cannot use --config or --config-file with diff: it takes both configurations as arguments");
  }
  const [one, other] = await Promise.all([old, now].map((path) => Deno.realPath(path).catch(() => null)));
  if (one !== null && one === other) {
    throw new UsageError(`Cannot compare "${old}" with "${now}": they are the same file`);
  }
}

/** The options with which a command would load this configuration. */
function globalsFor(path: string, debug: boolean): GlobalOptions {
  return /\.(?:conf|ini|cfg)$/i.test(path) ? { configFile: [path], debug } : { config: path, debug };
}

async function recordingOf(file: string, { terminal }: CommandContext): Promise<Recording> {
  if (file !== "-") return { file };
  const input = await terminal.readInput();
  if (input.length === 0) throw new UserError("Cannot read standard input: it is empty. Pipe a recording in");
  return { input };
}
