import { Command, CommanderError, Option } from "commander";
import { didYouMean } from "../config/closest.ts";
import { COMMANDS, COMPLETE } from "./commands.ts";
import { type CommandContext, EXIT_USAGE } from "./context.ts";
import type { GlobalOptions, ProgramOptions } from "./context.ts";
import { reportError } from "./report_error.ts";
import { run, type RunOptions } from "./run.ts";
import { COMMON_OPTIONS, type OptionRow, RUN_OPTIONS } from "./run_options.ts";
import { COLOUR_CHOICES, type Terminal, withColours } from "./terminal.ts";
import { pathOf, UsageError, usageError } from "./usage.ts";

/**
 * Runs the command that the arguments name. Returns the exit code; every error has been printed.
 */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<number> {
  let exitCode = 0;
  let globals: GlobalOptions = {};
  const program = new Command("oss-watcher");
  program.hook("preAction", (_, command) => void (globals = command.optsWithGlobals<GlobalOptions>()));
  try {
    const terminal = withColours(options.terminal, () => globals.color ?? "auto");
    await defineCommands(program, {
      args,
      context: { ...options, terminal, exit: (code) => exitCode = code, globals: () => globals },
    });
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof SchemaAsked) return await printJsonSchema(error.command, options.terminal);
    // commander throws after help and version, too. Help that was not asked for means wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportError(error, { debug: globals.debug ?? false, terminal: options.terminal });
  }
}

/**
 * Gives the program its options and commands. A command is loaded if `args` name it; the others have
 * a name and a summary.
 */
export async function defineCommands(
  program: Command,
  { args, context }: { readonly args: readonly string[]; readonly context: CommandContext },
): Promise<void> {
  const { terminal, version } = context;
  program
    .description(
      "Consumes OpenStack's notifications and calls every configured plugin for each server and floating IP that comes or goes.",
    )
    .version(version, "-V, --version", "show the version")
    .addHelpText("after", HELP)
    .hook("preSubcommand", () => refuseDryRun(program.opts<RunOptions>()))
    .action(async (given: RunOptions) => context.exit(await run(given, context)));
  addOptions(program, RUN_OPTIONS);
  refuseUnknownHelp(args);
  const named = namedIn(args);
  for (const { name, summary, load } of COMMANDS) {
    const command = named.includes(name) ? (await load())(context) : new Command(name);
    program.addCommand(command.summary(summary));
  }
  if (args[0] === COMPLETE.name) program.addCommand((await COMPLETE.load())(context), { hidden: true });
  settle(program, terminal);
}

/** Words that may name a command: of a line to complete, all that are in it. */
function namedIn(args: readonly string[]): readonly string[] {
  return args[0] === COMPLETE.name ? args.flatMap((arg) => arg.split(/[^\w-]+/)) : args;
}

/**
 * Gives every command the common options, errors that are thrown rather than printed, and the
 * terminal for all texts.
 */
function settle(command: Command, terminal: Terminal): void {
  addOptions(command, COMMON_OPTIONS);
  command
    .addOption(
      new Option("--color <when>", "colours in results: auto is on a terminal, without NO_COLOR").choices(
        COLOUR_CHOICES,
      )
        .hideHelp(command.parent !== null),
    )
    // Commands that are not loaded have a name only.
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .helpOption("-h, --help", "show this help")
    // Several commands have options of the same name: an option belongs to the command that it
    // follows.
    .enablePositionalOptions()
    .exitOverride((error) => {
      throw error.exitCode === 0 || error.code === "commander.help" ? error : usageError(error, command);
    })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.error(text.trimEnd()),
      outputError: () => {},
    });
  if (command.options.some(({ long }) => long === "--json")) offerJsonSchema(command);
  if (command.commands.length > 0) command.helpCommand("help [command]", "show the help of a command");
  for (const sub of command.commands) settle(sub, terminal);
}

/** Thrown as commander throws after `--help`: before arguments are asked for. */
class SchemaAsked extends Error {
  readonly command: string;

  /** @param command Its words, without the program's; empty: the program itself. */
  constructor(command: string) {
    super("--json-schema");
    this.command = command;
  }
}

function offerJsonSchema(command: Command): void {
  command
    .addOption(new Option("--json-schema", "print the JSON Schema of what --json prints"))
    .on("option:json-schema", () => {
      throw new SchemaAsked(pathOf(command).split(" ").slice(1).join(" "));
    });
}

async function printJsonSchema(command: string, terminal: Terminal): Promise<number> {
  const { jsonSchemaOf } = await import("./json_schemas.ts");
  terminal.print(JSON.stringify(jsonSchemaOf(command === "" ? "--dry-run" : command), null, 2));
  return 0;
}

function addOptions(command: Command, rows: readonly OptionRow[]): void {
  for (const { flags, description, repeatable = false } of rows) {
    const option = new Option(flags, description);
    if (repeatable) option.argParser((value: string, values: readonly string[] = []) => [...values, value]);
    command.addOption(option);
  }
}

/** commander would print the whole help for an unknown command. */
function refuseUnknownHelp([first, word]: readonly string[]): void {
  const names = COMMANDS.map(({ name }) => name);
  if (first !== "help" || word === undefined || word.startsWith("-") || names.includes(word)) return;
  throw new UsageError(
    `Cannot show the help of "${word}": unknown command${didYouMean(word, names)} (see oss-watcher --help)`,
  );
}

function refuseDryRun({ dryRun, json, openstack }: RunOptions): void {
  if (dryRun !== undefined) throw new UsageError("Cannot use --dry-run with a command: leave one of them out");
  if (json) throw new UsageError("Cannot use --json before a command: write it after the command");
  if (openstack) throw new UsageError("Cannot use --openstack with a command: it goes with --dry-run FILE");
}

const HELP = `
Without a command the service runs, until SIGTERM or Ctrl-C.

Examples:
  oss-watcher --dry-run samples/compute.instance.create.end.json
  oss-watcher --config /etc/oss-watcher/config.ts
  oss-watcher --config-file oss.conf
  oss-watcher events --state dead

Exit codes: 0 done; 1 bad input or configuration; 2 wrong usage;
3 nothing to send, nothing came, or differences were found.`;
