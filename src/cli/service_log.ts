import type { LogOptions } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import { LogFile } from "../observe/log_file.ts";
import { logTo } from "../observe/log.ts";
import type { GlobalOptions } from "./context.ts";
import { writeTalk } from "./terminal.ts";

/** Where the service writes what it says. */
export interface ServiceLog extends Disposable {
  readonly log: (part: string) => Logger;
  /** Whether it goes to a file: then nobody sees it on the terminal. */
  readonly toFile: boolean;
}

/**
 * The log as config.ts wants it; `--debug` stands over its level.
 *
 * @throws {UserError} when its file cannot be opened.
 */
export function serviceLog(
  { level = "info", format = "text", file }: LogOptions = {},
  { debug }: GlobalOptions = {},
): ServiceLog {
  const target = file === undefined ? undefined : new LogFile(file, writeTalk);
  const write = target === undefined ? writeTalk : (line: string) => target.write(line);
  return {
    log: logTo({ level: debug ? "debug" : level, format, now: Date.now, write }),
    toFile: target !== undefined,
    [Symbol.dispose]: () => target?.[Symbol.dispose](),
  };
}
