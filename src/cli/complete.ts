import { Argument, Command } from "commander";
import type { LedgerPlace } from "../ledger/place.ts";
import { printable } from "../wire/escaping/printable.ts";
import { bashReplacement, readBashLine } from "./bash_line.ts";
import { type Shell, SHELLS } from "./completion.ts";
import { type Candidate, completeLine, type Completion } from "./complete_line.ts";
import { type CommandContext, load } from "./context.ts";

/** So many keys of events are proposed. */
const MAX_KEYS = 200;

/** config.ts is given this time to be loaded: somebody waits for a key press. */
const LOAD_TIMEOUT_MS = 1500;

/**
 * `complete`: what the scripts of `completion` ask at each key press. Prints one candidate a line;
 * a line that begins with a tab says that the shell is to complete names of files or directories.
 * Never fails, and never says why it has no candidates.
 */
export function completeCommand(context: CommandContext): Command {
  return new Command("complete")
    .description("Print what can stand at the cursor; for the scripts of oss-watcher completion.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .argument("[words...]", "zsh, fish: the words up to the cursor; bash: the line and COMP_WORDBREAKS")
    .action(async (shell: Shell, words: readonly string[], _, command: Command) => {
      const lines = await propose({ shell, words, program: command.parent as Command, context }).catch(() => []);
      if (lines.length > 0) context.terminal.print(lines.join("\n"));
    });
}

interface CompletionRequest {
  readonly shell: Shell;
  readonly words: readonly string[];
  readonly program: Command;
  readonly context: CommandContext;
}

async function propose({ shell, words, program, context }: CompletionRequest): Promise<readonly string[]> {
  if (shell === "bash") {
    const line = readBashLine(words[0] ?? "", words[1] ?? "");
    // Behind a redirection stands a file, whatever the program takes.
    if (/^\d*[<>]+$/.test(line.words.at(-1) ?? "")) return ["\tfiles"];
    const { candidates, more } = await candidatesOf(completeLine(program, line.words, line.current), context);
    return [...candidates.flatMap(({ text }) => bashReplacement(text, line) ?? []), ...more];
  }
  const current = words.at(-1) ?? "";
  const completion = completeLine(program, words.slice(0, -1), shell === "fish" ? withoutFishQuotes(current) : current);
  const { candidates, more } = await candidatesOf(completion, context);
  return [...candidates.map(shell === "zsh" ? zshLine : fishLine), ...more];
}

async function candidatesOf(
  completion: Completion,
  context: CommandContext,
): Promise<{ readonly candidates: readonly Candidate[]; readonly more: readonly string[] }> {
  const { expected } = completion;
  const names = expected === "plugins" || expected === "keys" ? await fromLedger(expected, completion, context) : [];
  // A key that looks like an option would be one.
  const found = names.filter(({ text }) => !text.startsWith("-")).map(({ text, description }) => ({
    text: completion.before + text,
    description,
  }));
  return {
    // A line feed would be another candidate, and what cannot be seen should not be chosen.
    candidates: [...completion.candidates, ...found].filter(({ text }) => text !== "" && printable(text) === text),
    more: expected === "files" || expected === "directories" ? [`\t${expected}`] : [],
  };
}

async function fromLedger(
  expected: "plugins" | "keys",
  { value, path, given }: Completion,
  context: CommandContext,
): Promise<readonly Candidate[]> {
  const place = await ledgerPlace(given, context);
  if (place === null) return [];
  const { readEventKeys, readPluginNames } = await import("../ledger/open_ledger.ts");
  if (expected === "plugins") {
    const names = await readPluginNames(place);
    return names.filter((name) => name.startsWith(value)).map((text) => ({ text, description: "" }));
  }
  const keys = await readEventKeys(place, { prefix: value, limit: MAX_KEYS, deadFirst: path.at(-1) === "replay" });
  return keys.map(({ key, decidedAt, isDead }) => ({
    text: key,
    description: `${new Date(decidedAt).toISOString().slice(0, 16).replace("T", " ")}${isDead ? ", dead" : ""}`,
  }));
}

/** The ledger that the command would open; `null`: there is none, or config.ts does not say it. */
async function ledgerPlace(
  given: ReadonlyMap<string, string>,
  context: CommandContext,
): Promise<LedgerPlace | null> {
  const { placeNamed, placeOf } = await import("../ledger/place.ts");
  const ledger = given.get("ledger");
  if (ledger !== undefined) return placeNamed(fromHome(ledger));
  const [config, ini] = [given.get("config"), given.get("configFile")];
  if (config === undefined && ini === undefined && !await isTrusted("config.ts")) return null;
  const globals = () => ({
    ...(config === undefined ? {} : { config: fromHome(config) }),
    ...(ini === undefined ? {} : { configFile: [fromHome(ini)] }),
  });
  silenceConsole();
  const loading = load({ ...context, globals }).then((loaded) => placeOf(loaded.config.ledger));
  return await Promise.race([loading, timeout()]);
}

/**
 * Whether a file that nobody has named may be run at a key press: it is not there, or belongs to
 * this user or to root. Somebody else's directory must not run code for who presses Tab in it. The
 * user is known by the home: to ask the system would take another permission of Deno.
 */
async function isTrusted(file: string): Promise<boolean> {
  const { uid } = await Deno.stat(file).catch(() => ({ uid: 0 }));
  if (uid === 0 || uid === null) return true;
  const home = await Deno.stat(Deno.env.get("HOME") ?? "").catch(() => null);
  return home?.uid === uid;
}

/** What config.ts says while it is loaded is no candidate. */
function silenceConsole(): void {
  const silent = () => {};
  Object.assign(globalThis.console, { log: silent, info: silent, debug: silent, warn: silent, error: silent });
}

function timeout(): Promise<null> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(() => resolve(null), LOAD_TIMEOUT_MS)));
}

/** The shell has not expanded the word yet. */
function fromHome(path: string): string {
  const home = Deno.env.get("HOME");
  return home !== undefined && path.startsWith("~/") ? home + path.slice(1) : path;
}

/** fish gives the word at the cursor as it is written. */
function withoutFishQuotes(word: string): string {
  return word.replace(/^['"]/, "").replace(/\\(.)/gs, "$1");
}

/** As `_describe` takes it: a colon ends the text. */
function zshLine({ text, description }: Candidate): string {
  const escaped = text.replace(/[\\:]/g, "\\$&");
  return description === "" ? escaped : `${escaped}:${printable(description)}`;
}

function fishLine({ text, description }: Candidate): string {
  return description === "" ? text : `${text}\t${printable(description)}`;
}
