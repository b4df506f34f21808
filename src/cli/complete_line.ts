import type { Argument, Command, Option } from "commander";

/** What can stand where a value is expected: texts of a closed list, files, or names of the ledger. */
export type Expected =
  | { readonly kind: "texts"; readonly texts: readonly Candidate[] }
  | { readonly kind: "files" | "directories" | "plugins" | "keys" | "nothing" };

/** A word that can stand at the cursor. */
export interface Candidate {
  readonly text: string;
  readonly description: string;
}

/** What can stand at the cursor, and what was said before it. */
export interface Completion {
  /** Commands, options and texts of closed lists that begin with the word at the cursor. */
  readonly candidates: readonly Candidate[];
  /** What else can stand there. */
  readonly expected: Exclude<Expected, { readonly kind: "texts" }>["kind"];
  /** What of the word at the cursor precedes the value, as `--plugin=`. */
  readonly before: string;
  /** The value at the cursor. */
  readonly value: string;
  /** Names of the command at the cursor and of those above it, without the program's. */
  readonly path: readonly string[];
  /** Options that were given, with their last value, by the names of their attributes. */
  readonly given: ReadonlyMap<string, string>;
}

/** Completes a line, from the definitions that `--help` shows. */
export function completeLine(program: Command, words: readonly string[], current: string): Completion {
  const line = readWords(program, words);
  const { command, path, given } = line;
  const [, option = null, inline = ""] = /^(--[^=]+)=(.*)$/s.exec(line.isLiteral ? "" : current) ?? [];
  const named = option === null ? null : valueOption(command, option);
  const [before, value] = named === null ? ["", current] : [`${option}=`, inline];
  const all = expectations(line, named, current);
  const candidates = all.flatMap((one) => one.kind === "texts" ? one.texts : [])
    .map(({ text, description }) => ({ text: before + text, description }))
    .filter(({ text }) => text.startsWith(current));
  const rest = all.flatMap((one) => one.kind === "texts" ? [] : [one.kind]);
  return { candidates, expected: rest[0] ?? "nothing", before, value, path, given };
}

interface ReadLine {
  readonly command: Command;
  readonly path: readonly string[];
  readonly given: ReadonlyMap<string, string>;
  /** The option whose value stands at the cursor. */
  readonly pending: Option | null;
  readonly positionals: readonly string[];
  /** Whether `--` was given: then nothing is an option. */
  readonly isLiteral: boolean;
  /** Whether the word at the cursor names a command whose help is asked for. */
  readonly isHelp: boolean;
}

/** Follows the words as commander does: each option belongs to the command that it follows. */
function readWords(program: Command, words: readonly string[]): ReadLine {
  const path: string[] = [];
  const given = new Map<string, string>();
  let command = program;
  let pending: Option | null = null;
  let positionals: string[] = [];
  let isLiteral = false;
  for (const word of words) {
    if (pending !== null) {
      given.set(pending.attributeName(), word);
      pending = null;
    } else if (isLiteral || !/^-./.test(word)) {
      const sub = isLiteral || positionals.length > 0 ? undefined : subcommand(command, word);
      if (sub === undefined) positionals = [...positionals, word];
      else [command, path[path.length]] = [sub, word];
    } else if (word === "--") {
      isLiteral = true;
    } else {
      const { option, value } = readOption(command, word);
      if (option !== null && value !== null) given.set(option.attributeName(), value);
      if (option !== null && value === null) pending = option;
    }
  }
  const isHelp = positionals.length === 1 && positionals[0] === "help" && command.commands.length > 0;
  return { command, path, given, pending, positionals, isLiteral, isHelp };
}

/** An option with its value; without one, `null`: its value is the next word. */
function readOption(command: Command, word: string): { readonly option: Option | null; readonly value: string | null } {
  const [, flag = word, inline] = /^(--[^=]+)=(.*)$/s.exec(word) ?? /^(-[^-])(.+)$/s.exec(word) ?? [];
  const option = command.options.find(({ long, short }) => flag === long || flag === short) ?? null;
  if (option === null || !takesValue(option)) return { option, value: "" };
  return { option, value: inline ?? null };
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((one) => one.name() === word);
}

function valueOption(command: Command, flag: string): Option | null {
  return command.options.find((option) => option.long === flag && takesValue(option)) ?? null;
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function expectations(
  { command, given, pending, positionals, isLiteral, isHelp }: ReadLine,
  named: Option | null,
  current: string,
): readonly Expected[] {
  const option = pending ?? named;
  if (option !== null) return [expectedOf(option.argChoices, placeholderOf(option), option.attributeName())];
  if (isHelp) return [{ kind: "texts", texts: commandsOf(command).filter(({ text }) => text !== "help") }];
  if (!isLiteral && current.startsWith("-")) return [{ kind: "texts", texts: optionsOf(command, given) }];
  const commands: Expected = { kind: "texts", texts: positionals.length > 0 ? [] : commandsOf(command) };
  const argument = argumentAt(command, positionals.length);
  return argument === undefined ? [commands] : [commands, expectedOf(argument.argChoices, argument.name(), "")];
}

function argumentAt({ registeredArguments: all }: Command, index: number): Argument | undefined {
  const last = all.at(-1);
  return all[index] ?? (last?.variadic ? last : undefined);
}

/** What the placeholders of the help stand for: `<file>`, `[key...]`. */
const KINDS: Readonly<Record<string, Exclude<Expected, { readonly kind: "texts" }>["kind"]>> = {
  file: "files",
  "file|url": "files",
  path: "files",
  old: "files",
  new: "files",
  recording: "files",
  history: "files",
  dir: "directories",
  key: "keys",
  plugin: "plugins",
};

function expectedOf(choices: readonly string[] | undefined, placeholder: string, attribute: string): Expected {
  if (choices !== undefined) return { kind: "texts", texts: choices.map((text) => ({ text, description: "" })) };
  return { kind: KINDS[placeholder] ?? KINDS[attribute] ?? "nothing" };
}

function placeholderOf({ flags }: Option): string {
  return /[<[]([^.>\]]+)/.exec(flags)?.[1] ?? "";
}

function commandsOf(command: Command): readonly Candidate[] {
  const help = command.createHelp();
  return help.visibleCommands(command).map((one) => ({
    text: one.name(),
    description: help.subcommandDescription(one),
  }));
}

/** Long names; without options that need to be given but once and were. */
function optionsOf(command: Command, given: ReadonlyMap<string, string>): readonly Candidate[] {
  const help = command.createHelp();
  return help.visibleOptions(command)
    .filter((option) => takesValue(option) || !given.has(option.attributeName()))
    .map((option) => ({ text: option.long ?? option.short ?? "", description: option.description }));
}
