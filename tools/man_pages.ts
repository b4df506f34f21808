// Writes the manual pages, from the definitions that --help shows: deno task man [--output DIRECTORY]
import type { EventEmitter } from "node:events";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { type Argument, Command, type Option } from "commander";
import { COMMANDS } from "../src/cli/commands.ts";
import type { CommandContext } from "../src/cli/context.ts";
import { EXIT_CODES } from "../src/cli/exit_codes.ts";
import { defineCommands } from "../src/cli/program.ts";
import project from "../deno.json" with { type: "json" };
import { bold, escapeRoff, italic, quoted, roffLine, roffLiteral, roffText } from "./roff.ts";

const DEFAULT_OUTPUT = fileURLToPath(new URL("../dist/man", import.meta.url));
const PROGRAM = "oss-watcher";
const PROGRAM_SUMMARY = "tell other systems which servers OpenStack created and deleted";

/** A name and what it means. */
type Entry = readonly [name: string, meaning: string];

/** What no command's help says; on the program's page. */
const FILES: readonly Entry[] = [
  ["./config.ts", "The configuration, where --config names no other."],
  ["/etc/oss-watcher/config.ts", "The configuration, where there is no ./config.ts."],
  ["/var/lib/oss-watcher/ledger.db", "The ledger of a service that root or systemd runs."],
  ["~/.local/state/oss-watcher/ledger.db", "The ledger of any other user."],
];
const ENVIRONMENT: readonly Entry[] = [
  ["STATE_DIRECTORY", "The directory of the ledger; systemd sets it for StateDirectory=."],
  ["XDG_STATE_HOME", "Its subdirectory oss-watcher has the ledger, where STATE_DIRECTORY is not set."],
  ["DENO_TLS_CA_STORE", "The authorities that certificates are verified against: system, mozilla, or both (default)."],
  ["NO_COLOR", "If set, results have no colours, unless --color says so."],
  ["NOTIFY_SOCKET, WATCHDOG_USEC", "The service tells its state as sd_notify(3) describes."],
];

/** The manual pages by the names of their files. `date` is ISO 8601. */
export async function manPages({ date }: { readonly date: string }): Promise<ReadonlyMap<string, string>> {
  const program = new Command(PROGRAM);
  await defineCommands(program, { args: COMMANDS.map(({ name }) => name), context: NO_PROCESS });
  const names = [PROGRAM, ...COMMANDS.map(({ name }) => `${PROGRAM}-${name}`)];
  return new Map([program, ...program.commands].map((command) => {
    const name = command === program ? PROGRAM : `${PROGRAM}-${command.name()}`;
    const seeAlso = command === program ? names.slice(1) : [PROGRAM];
    return [`${name}.1`, `${page(command, { name, date, seeAlso }).join("\n")}\n`];
  }));
}

/** Commands are defined here, and none is run. */
const NO_PROCESS = {
  version: project.version,
  imports: {},
  terminal: { print: () => {}, error: () => {}, readInput: () => Promise.resolve(new Uint8Array()) },
} as unknown as CommandContext;

interface PageOptions {
  readonly name: string;
  readonly date: string;
  readonly seeAlso: readonly string[];
}

function page(command: Command, { name, date, seeAlso }: PageOptions): readonly string[] {
  const isProgram = command.parent === null;
  const help = readHelp(command);
  return [
    `.\\" Written by tools/man_pages.ts from the definitions that --help shows.`,
    `.TH ${quoted(name.toUpperCase())} 1 ${date} ${quoted(`${PROGRAM} ${project.version}`)} "User Commands"`,
    // Names are not hyphenated, and lines are not stretched.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${roffLine(name)} \\- ${roffLine(isProgram ? PROGRAM_SUMMARY : command.summary())}`,
    ".SH SYNOPSIS",
    synopsis(command),
    ".SH DESCRIPTION",
    ...roffText(command.description()),
    ...blocks(help.text),
    ...section("ARGUMENTS", argumentEntries(command)),
    ...section("OPTIONS", optionEntries(command)),
    ...(isProgram ? section("COMMANDS", pageEntries(command)) : subcommands(command)),
    ...(isProgram
      ? section("EXIT STATUS", EXIT_CODES.map(([code, meaning]) => entry([String(code), `${meaning}.`])))
      : exitStatus(help)),
    ...section("ENVIRONMENT", isProgram ? ENVIRONMENT.map(entry) : []),
    ...section("FILES", isProgram ? FILES.map(entry) : []),
    ...(help.examples.length === 0 ? [] : [".SH EXAMPLES", ...roffLiteral(help.examples)]),
    ".SH SEE ALSO",
    ...seeAlso.map((one, index) => reference(one) + (index < seeAlso.length - 1 ? "," : "")),
  ];
}

/** Commander's usage, `[options] <file> [key...]`: the names of values in italics. */
function synopsis(command: Command): string {
  const parts = command.usage().split(" ").map((part) => {
    const [, before = "", name = "", after = ""] = /^([<[]*)(\w+)(.*)$/.exec(part) ?? [];
    return `${before}${italic(name)}${after}`.replace(/[<>]/g, "");
  });
  return [bold(pathOf(command)), ...parts].join(" ");
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function section(title: string, entries: readonly (readonly string[])[]): readonly string[] {
  return entries.length === 0 ? [] : [`.SH ${title}`, ...entries.flat()];
}

function entry([name, meaning]: Entry): readonly string[] {
  return [".TP", bold(name), ...roffText(meaning)];
}

function reference(page: string): string {
  return `.BR ${escapeRoff(page)} (1)`;
}

function argumentEntries(command: Command): readonly (readonly string[])[] {
  const help = command.createHelp();
  return help.visibleArguments(command).map((one: Argument) => [
    ".TP",
    italic(one.name()),
    ...roffText(help.argumentDescription(one)),
  ]);
}

function optionEntries(command: Command): readonly (readonly string[])[] {
  const help = command.createHelp();
  return help.visibleOptions(command).map((option) => [
    ".TP",
    flagsOf(option),
    ...roffText(help.optionDescription(option)),
  ]);
}

/** `-c, --config <path>`: names in bold, the value in italics. */
function flagsOf({ flags }: Option): string {
  return flags.split(/(, | )/).map((part) => {
    if (part.startsWith("-")) return bold(part);
    return /^[<[]/.test(part) ? italic(part.replace(/[<>[\]]/g, "")) : part;
  }).join("");
}

/** The commands of the program, each with its page. */
function pageEntries(program: Command): readonly (readonly string[])[] {
  return program.commands.map((command) => [
    ".TP",
    reference(`${PROGRAM}-${command.name()}`),
    ...roffText(command.summary()),
  ]);
}

/** The commands below a command, on its page; without the options that every command has. */
function subcommands(command: Command): readonly string[] {
  if (command.commands.length === 0) return [];
  const common = new Set(optionEntries(command.parent as Command).map(String));
  const own = (sub: Command) => optionEntries(sub).filter((one) => !common.has(String(one)));
  return [
    ".SH COMMANDS",
    ...command.commands.flatMap((sub) => {
      const help = readHelp(sub);
      return [
        `.SS ${quoted(pathOf(sub))}`,
        synopsis(sub),
        ".PP",
        ...roffText(sub.description()),
        ...blocks(help.text),
        ...[...argumentEntries(sub), ...own(sub)].flat(),
        ...(help.exitCodes.length === 0 ? [] : [".PP", "Exit status:", ...help.exitCodes.flatMap(entry)]),
        ...(help.examples.length === 0 ? [] : [".PP", "Example:", ...roffLiteral(help.examples)]),
      ];
    }),
  ];
}

function exitStatus({ exitCodes }: AfterHelp): readonly string[] {
  return section("EXIT STATUS", exitCodes.map(entry));
}

/** What a command's help says behind its options. */
interface AfterHelp {
  /** Paragraphs, and under them lines that are indented. */
  readonly text: readonly (readonly string[])[];
  readonly examples: readonly string[];
  readonly exitCodes: readonly Entry[];
}

function readHelp(command: Command): AfterHelp {
  let after = "";
  // Of commander's types, EventEmitter is left out.
  (command as unknown as EventEmitter).emit("afterHelp", {
    error: false,
    command,
    write: (text: string) => after += text,
  });
  const all = after.trim().split(/\n\s*\n/).filter((block) => block !== "").map((block) => block.split("\n"));
  const isExamples = ([first = ""]: readonly string[]) => /^Examples?:$/.test(first);
  const isExitCodes = ([first = ""]: readonly string[]) => first.startsWith("Exit codes: ");
  return {
    text: all.filter((lines) => !isExamples(lines) && !isExitCodes(lines)),
    examples: all.filter(isExamples).flatMap((lines) => lines.slice(1).map((line) => line.trim())),
    exitCodes: all.filter(isExitCodes).flatMap((lines) => readExitCodes(lines.join(" "))),
  };
}

/** `Exit codes: 0 done; 1 bad input.` */
function readExitCodes(text: string): readonly Entry[] {
  const [, codes = "", more = ""] = /^Exit codes: (.*?)\.(?: (.*))?$/s.exec(text) ?? [];
  const entries = codes.split(/; (?=\d+ )/).map((one): Entry => {
    const [, code = "", meaning = ""] = /^(\d+) (.*)$/s.exec(one) ?? [];
    return [code, `${meaning}.`];
  });
  return more === "" ? entries : entries.with(-1, [entries.at(-1)![0], `${entries.at(-1)![1]} ${more}`]);
}

function blocks(all: readonly (readonly string[])[]): readonly string[] {
  return all.flatMap((lines) => {
    const literal = lines.filter((line) => line.startsWith("  ")).map((line) => line.trim());
    const text = roffText(lines.filter((line) => !line.startsWith("  ")).join(" "));
    return [".PP", ...text, ...(literal.length === 0 ? [] : roffLiteral(literal))];
  });
}

/** The date of a build that shall be the same again, else today. */
function dateOfBuild(): string {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  return new Date(epoch === undefined ? Date.now() : Number(epoch) * 1000).toISOString().slice(0, 10);
}

if (import.meta.main) {
  const { output } = parseArgs({ args: Deno.args, options: { output: { type: "string" } } }).values;
  const directory = output ?? DEFAULT_OUTPUT;
  await Deno.mkdir(directory, { recursive: true });
  for (const [name, text] of await manPages({ date: dateOfBuild() })) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
}
