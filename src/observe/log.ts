import type { Logger } from "../model/plugin.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const NAMES: Readonly<Record<LogLevel, string>> = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" };

export interface LogOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  readonly now: () => number;
  readonly write: (line: string) => void;
  /** Makes a text safe for a terminal and a log file. */
  readonly clean: (text: string) => string;
}

/** Loggers for the parts of the program, as the first generation named them: `2015-03-19 18:44:01 INFO (service) Listen queue …`, UTC. */
export function logTo(options: LogOptions): (part: string) => Logger {
  const lowest = LEVELS.indexOf(options.level);
  return (part) => {
    const at = (level: LogLevel) => (message: string) => {
      if (LEVELS.indexOf(level) < lowest) return;
      const time = new Date(options.now()).toISOString().slice(0, 19).replace("T", " ");
      options.write(`${time} ${NAMES[level]} (${part}) ${options.clean(message)}\n`);
    };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  };
}
