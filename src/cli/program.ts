import { Command, CommanderError, Option } from "commander";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escape.ts";
import { redact } from "../wire/redact.ts";
import { backupCommand } from "./backup.ts";
import { type CommandContext, EXIT_FAILURE, EXIT_USAGE, type GlobalOptions, type ProgramOptions } from "./context.ts";
import { eventsCommand } from "./events.ts";
import { run, type RunOptions } from "./run.ts";
import type { Terminal } from "./terminal.ts";

/** Runs the command that the arguments name. Returns the exit code; every error has been told. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<number> {
  let exitCode = 0;
  const program = new Command("oss-watcher");
  const context: CommandContext = {
    ...options,
    exit: (code) => exitCode = code,
    globals: () => program.opts<GlobalOptions>(),
  };
  build(program, context);
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    tell(error, { debug: context.globals().debug ?? false, terminal: options.terminal });
    return EXIT_FAILURE;
  }
}

function build(program: Command, context: CommandContext): void {
  const { terminal, version } = context;
  program
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
    .action(async (given: RunOptions) => context.exit(await run(given, context)));
  for (const command of [program, eventsCommand(context), backupCommand(context)]) {
    if (command !== program) program.addCommand(command);
    settle(command, terminal);
  }
}

/** Errors are thrown instead of ending the process, and all texts go through the terminal. */
function settle(command: Command, terminal: Terminal): void {
  command.exitOverride().showSuggestionAfterError().showHelpAfterError("(--help tells more)").configureOutput({
    writeOut: (text) => terminal.print(text.trimEnd()),
    writeErr: (text) => text.trimEnd().split("\n").forEach((line) => terminal.error(printable(line))),
  });
  for (const sub of command.commands) settle(sub, terminal);
}

const HELP = `
Without a command the service runs, until SIGTERM or Ctrl-C.

Examples:
  oss-watcher --dry-run samples/compute.instance.create.end.json
  oss-watcher --config /etc/oss-watcher/config.ts
  oss-watcher events --state dead

Exit codes: 0 done; 1 bad input or configuration; 2 wrong usage;
3 a dry run with nothing to send.`;

/** One clear line for a mistake; a stack trace only for those who asked for it. */
function tell(error: unknown, { debug, terminal }: { readonly debug: boolean; readonly terminal: Terminal }): void {
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof UserError ? message : `Unexpected: ${message} (--debug shows where)`;
  for (const line of text.split("\n")) terminal.error(printable(redact(line)));
  if (debug && error instanceof Error && error.stack) terminal.error(redact(error.stack));
}
