import type { LogOptions } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import { LogFile } from "../observe/log_file.ts";
import { type LogRecord, logTo } from "../observe/log.ts";
import type { GlobalOptions } from "./context.ts";
import { writeStderr } from "./terminal.ts";
import { LOG_DEFAULTS } from "../model/config_defaults.ts";

/** The log of a service instance. */
export interface ServiceLog extends Disposable {
  readonly log: (part: string) => Logger;
  /** Whether it goes to a file, and so not to the terminal. */
  readonly toFile: boolean;
}

/**
 * The log that config.ts sets; `--debug` overrides its level.
 *
 * @param also Gets each line that is written.
 * @throws {UserError} when its file cannot be opened.
 */
export function serviceLog(
  { level = LOG_DEFAULTS.level, format = LOG_DEFAULTS.format, file }: LogOptions = {},
  { debug }: GlobalOptions = {},
  also?: (record: LogRecord) => void,
): ServiceLog {
  const target = file === undefined ? undefined : new LogFile(file, writeStderr);
  const write = target === undefined ? writeStderr : (line: string) => target.write(line);
  return {
    log: logTo({ level: debug ? "debug" : level, format, now: Date.now, write, also }),
    toFile: target !== undefined,
    [Symbol.dispose]: () => target?.[Symbol.dispose](),
  };
}
