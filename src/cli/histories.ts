import { basename, dirname, join, relative, resolve } from "node:path";
import { UserError } from "../model/errors.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";

/** A recorded history, and the file of what is expected to come of it. */
export interface History {
  /** Both relative to the working directory, as messages name them. */
  readonly path: string;
  readonly expectedPath: string;
}

/** What `test` has found. */
export interface FoundHistories {
  readonly histories: readonly History[];
  /** Files of expected events that have no history. */
  readonly orphans: readonly History[];
}

const FOLDER = "tests";
const HISTORY = ".jsonl";
const EXPECTED = ".expected.json";

/**
 * The histories in `tests` beside the configuration, by name.
 *
 * @throws {UserError} when there are none.
 */
export async function findHistories(configDir: string, cwd: string): Promise<FoundHistories> {
  const folder = join(configDir, FOLDER);
  const names = await namesIn(folder);
  const historyOf = (name: string) => ({
    path: shown(join(folder, `${name}${HISTORY}`), cwd),
    expectedPath: shown(join(folder, `${name}${EXPECTED}`), cwd),
  });
  const histories = withEnding(names ?? [], HISTORY);
  const orphans = withEnding(names ?? [], EXPECTED).filter((name) => !histories.includes(name));
  if (histories.length + orphans.length === 0) {
    const record = `oss-watcher record ${shellWord(historyOf("first").path)} --seconds 60`;
    const state = names === null
      ? `there is no such directory. Make it, and record a history in it`
      : `there is no history (*${HISTORY}). Record one`;
    throw new UserError(`Cannot test "${shown(folder, cwd)}": ${state}: ${record}`);
  }
  return { histories: histories.map(historyOf), orphans: orphans.map(historyOf) };
}

/** Histories that are named. @throws {UserError} when one has another ending. */
export function namedHistories(files: readonly string[], cwd: string): FoundHistories {
  const histories = [...new Set(files.map((file) => resolve(cwd, file)))].map((file) => {
    if (!file.endsWith(HISTORY)) {
      throw new UserError(`Cannot test "${shown(file, cwd)}": the name of a history ends with ${HISTORY}. Rename it`);
    }
    const expected = join(dirname(file), basename(file, HISTORY) + EXPECTED);
    return { path: shown(file, cwd), expectedPath: shown(expected, cwd) };
  });
  return { histories, orphans: [] };
}

/** `null`: there is no such folder. */
async function namesIn(folder: string): Promise<readonly string[] | null> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).filter(({ isDirectory }) => !isDirectory)
      .map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`Cannot read "${folder}": ${why}`, { cause: error });
  }
}

function withEnding(names: readonly string[], ending: string): readonly string[] {
  return names.filter((name) => name.endsWith(ending) && name !== ending).map((name) => name.slice(0, -ending.length));
}

function shown(path: string, cwd: string): string {
  return relative(cwd, path);
}
