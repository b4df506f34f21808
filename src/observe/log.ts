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
  /** Takes a line with its line feed; must not throw. */
  readonly write: (line: string) => void;
}

/** Loggers for the parts of the program. No line has a secret, or what a terminal would obey. */
export function logTo({ level: lowest, format, now, write }: LogSettings): (part: string) => Logger {
  const lineOf = format === "json" ? jsonLine : textLine;
  return (part) => {
    const at = (level: LogLevel) => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(lowest)) return () => {};
      return (message: string) => write(lineOf({ time: new Date(now()), level, part, message: redact(message) }));
    };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  };
}

interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  readonly part: string;
  readonly message: string;
}

const NAMES: Readonly<Record<LogLevel, string>> = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" };

/** As the first generation wrote it, in UTC: `2015-03-19 18:44:01 INFO (service) Listen queue …`. */
function textLine({ time, level, part, message }: LogRecord): string {
  const seconds = time.toISOString().slice(0, 19).replace("T", " ");
  return `${seconds} ${NAMES[level]} (${part}) ${printable(message)}\n`;
}

/** What was said stays what it was: escapes are JSON's own. */
function jsonLine({ time, level, part, message }: LogRecord): string {
  return `${safeJson({ time: time.toISOString(), level, part, message: message.toWellFormed() })}\n`;
}
