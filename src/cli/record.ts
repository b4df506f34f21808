import { Command, Option } from "commander";
import type { Delivered } from "../inspect/shared/tap.ts";
import { printable } from "../wire/escaping/printable.ts";
import { type CommandContext, EXIT_NOTHING, load, stderrLog } from "./context.ts";
import { seconds, wholeNumber } from "./numbers.ts";
import { RecordFile } from "./record_file.ts";

interface RecordOptions {
  readonly all?: boolean;
  readonly append?: boolean;
  readonly seconds?: number;
  readonly count?: number;
}

/** `record FILE`: writes notifications to a file, for dry runs and tests. */
export function recordCommand(context: CommandContext): Command {
  return new Command("record")
    .description(
      "Write the notifications that come to a file, one line of JSON each, without tokens and secrets, for --dry-run and " +
        "tests. It listens on temporary queues: nothing is taken from the service. Ctrl-C ends it.",
    )
    .argument("<file>", "the file to write, readable for you alone; it must not exist")
    .option("--all", "notifications of every service and topic, not only those that the service gets")
    .option("--append", "append to a file that exists")
    .addOption(new Option("--seconds <n>", "end after this time").argParser(seconds))
    .addOption(new Option("--count <n>", "end after this many notifications").argParser(wholeNumber))
    .addHelpText("after", HELP)
    .action((file: string, options: RecordOptions) => run(file, { options, context }));
}

const HELP = `
Examples:
  oss-watcher record incident.jsonl --seconds 60
  oss-watcher --dry-run incident.jsonl

Exit codes: 0 recorded; 1 failed; 3 nothing came.`;

async function run(
  path: string,
  { options, context }: { readonly options: RecordOptions; readonly context: CommandContext },
): Promise<void> {
  const { terminal } = context;
  const { config } = await load(context);
  const [{ tap }, { Recorder }] = await Promise.all([import("../inspect/shared/tap.ts"), import("./recorder.ts")]);
  using file = RecordFile.open(path, { append: options.append ?? false });
  const recorder = new Recorder(file, { now: Date.now, ...options });
  using progress = everyTenSeconds(() => terminal.error(recorder.summary));
  const stop = AbortSignal.any([context.stopSignal(), recorder.ended]);
  await tap({
    config,
    purpose: "record",
    all: options.all ?? false,
    random: Math.random,
    log: stderrLog(context.globals(), "warn"),
    onMessage: (message: Delivered) => recorder.take(message),
    onListening(addresses) {
      recorder.start();
      progress.start();
      terminal.error(printable(`Recording from ${addresses.join(", ")} to "${path}". Ctrl-C ends`));
    },
  }, stop);
  recorder.finish();
  terminal.error(printable(`${recorder.summary}${recorder.count === 0 ? "" : ` to "${path}"`}`));
  if (recorder.count === 0) context.exit(EXIT_NOTHING);
}

/** Reports progress. */
function everyTenSeconds(tell: () => void): Disposable & { start(): void } {
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    start: () => timer = setInterval(tell, 10_000),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
