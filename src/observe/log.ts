import { LOG_LEVELS, type LogLevel } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import { printable } from "../wire/escaping/printable.ts";
import { redact } from "../wire/secrets/redact.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";

export interface LogSettings {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  /** `text` for people, `json` for programs. */
  readonly format: "text" | "json";
  readonly now: () => number;
  /** Writes a line, which includes its line feed; must not throw. */
  readonly write: (line: string) => void;
  /** Gets each line that is written, in parts; must not throw. */
  readonly also?: ((record: LogRecord) => void) | undefined;
}

/**
 * Makes loggers for the parts of the program. Secrets and terminal control characters are removed
 * from every line.
 */
export function logTo({ level: lowest, format, now, write, also }: LogSettings): (part: string) => Logger {
  const lineOf = format === "json" ? jsonLine : textLine;
  return (part) => {
    const at = (level: LogLevel) => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(lowest)) return () => {};
      return (message: string) => {
        const record = { time: new Date(now()), level, part, message: redact(message) };
        write(lineOf(record));
        also?.(record);
      };
    };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  };
}

/** A line of the log. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  /** Of the program, or a plugin's name. */
  readonly part: string;
  /** Without secrets. */
  readonly message: string;
}

const NAMES: Readonly<Record<LogLevel, string>> = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" };

/**
 * The format of the first generation, in UTC: `2015-03-19 18:44:01 INFO (service) Listen queue …`.
 */
function textLine({ time, level, part, message }: LogRecord): string {
  const seconds = time.toISOString().slice(0, 19).replace("T", " ");
  return `${seconds} ${NAMES[level]} (${part}) ${printable(message)}\n`;
}

/** The message is not altered: control characters are escaped as JSON does it. */
function jsonLine({ time, level, part, message }: LogRecord): string {
  return `${safeJson({ time: time.toISOString(), level, part, message: message.toWellFormed() })}\n`;
}
