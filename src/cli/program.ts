import { Command, CommanderError, Option } from "commander";
import type { LoadedConfig } from "../config/load_config.ts";
import { loadConfig } from "../config/load_config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { logTo } from "../observe/log.ts";
import { printable } from "../wire/escape.ts";
import { redact } from "../wire/redact.ts";
import { type Terminal, writeAll } from "./terminal.ts";

/** Exit codes: 0 done, 1 a mistake of the user's or a failure, 2 wrong usage, 3 a dry run with nothing to send. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

export interface ProgramOptions {
  readonly version: string;
  readonly terminal: Terminal;
  /** The configuration compiled into the program. */
  readonly builtInConfig: () => Promise<Readonly<Record<string, unknown>>>;
  /** Aborts on SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
}

interface GlobalOptions {
  readonly config?: string;
  readonly debug?: boolean;
}

interface RunOptions extends GlobalOptions {
  readonly dryRun?: readonly string[];
  readonly json?: boolean;
}

/** Runs the command that the arguments name. Returns the exit code; every error has been told. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<number> {
  let exitCode = 0;
  const program = build(options, (code) => exitCode = code);
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    tell(error, { debug: program.opts<GlobalOptions>().debug ?? false, terminal: options.terminal });
    return EXIT_FAILURE;
  }
}

function build(options: ProgramOptions, exit: (code: number) => void): Command {
  const { terminal, version } = options;
  const program = new Command("oss-watcher")
    .description("Consumes OpenStack's notifications and tells every configured plugin what was created and deleted.")
    .version(version, "-V, --version")
    .addOption(
      new Option("-c, --config <path>", "the configuration; else ./config.ts, else /etc/oss-watcher/config.ts"),
    )
    .addOption(
      new Option("--dry-run <file>", "show what the notifications in a file (- for stdin) would lead to; repeatable")
        .argParser((file: string, files: readonly string[] = []) => [...files, file]),
    )
    .addOption(new Option("--json", "with --dry-run: one line of JSON per notification"))
    .addOption(new Option("--debug", "more log lines, and stack traces of errors"))
    .addHelpText("after", HELP)
    .showHelpAfterError("(oss-watcher --help tells more)")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.error(text.trimEnd()),
    })
    .action(async (given: RunOptions) => exit(await run(given, options)));
  return program;
}

const HELP = `
Examples:
  oss-watcher --dry-run samples/compute.instance.create.end.json
  oss-watcher --config /etc/oss-watcher/config.ts

Exit codes: 0 done, 1 bad input or configuration, 2 wrong usage, 3 a dry run with nothing to send.`;

async function run(given: RunOptions, options: ProgramOptions): Promise<number> {
  const { terminal, stop } = options;
  if (given.json && given.dryRun === undefined) throw new UserError("Cannot use --json: it goes with --dry-run FILE");
  const { config, pluginNames } = await load(given, options);
  const plugins = new Map(config.plugins.map((plugin, index) => [pluginNames[index] as string, plugin]));
  const log = stderrLog(given);
  if (given.dryRun !== undefined) {
    const { dryRun } = await import("./dry_run.ts");
    return await dryRun(given.dryRun, { config, plugins, log, terminal, json: given.json ?? false });
  }
  const [{ runService }, { systemClock }] = await Promise.all([
    import("../runtime/app.ts"),
    import("../runtime/clock.ts"),
  ]);
  await runService({ config, plugins, clock: systemClock, random: Math.random, log, stop });
  return 0;
}

function load({ config }: GlobalOptions, { builtInConfig }: ProgramOptions): Promise<LoadedConfig> {
  return loadConfig({ ...(config === undefined ? {} : { path: config }), cwd: Deno.cwd(), fallback: builtInConfig });
}

/** Log lines go to stderr: stdout is for results, and for plugins that write there. */
function stderrLog({ debug }: GlobalOptions): (part: string) => Logger {
  return logTo({
    level: debug ? "debug" : "info",
    now: Date.now,
    write: (line) => writeAll(Deno.stderr, line),
    clean: (text) => printable(redact(text)),
  });
}

/** One clear line for a mistake; a stack trace only for those who asked for it. */
function tell(error: unknown, { debug, terminal }: { readonly debug: boolean; readonly terminal: Terminal }): void {
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof UserError ? message : `Unexpected: ${message} (--debug shows where)`;
  for (const line of text.split("\n")) terminal.error(printable(redact(line)));
  if (debug && error instanceof Error && error.stack) terminal.error(redact(error.stack));
}
