import type { LoadedConfig } from "../config/load_config.ts";
import type { LogLevel } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import { logTo } from "../observe/log.ts";
import { type Terminal, writeTalk } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/**
 * Exit codes: 0 done, 1 a mistake of the user's or a failure, 2 wrong usage, 3 nothing to send, or nothing came, 141 nobody reads the
 * output any more (as a shell says it of SIGPIPE).
 */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_NOTHING = 3;
export const EXIT_UNREAD = 141;

/** What every command gets from the process. */
export interface ProgramOptions {
  readonly version: string;
  /** The import map of deno.json: what `oss-watcher` and each package resolve to. */
  readonly imports: Readonly<Record<string, string>>;
  readonly terminal: Terminal;
  /** The configuration compiled into the program. */
  readonly builtInConfig: () => Promise<Readonly<Record<string, unknown>>>;
  /** The plugins that a configuration of the first generation may name. */
  readonly builtInPlugins: () => Promise<Readonly<Record<string, unknown>>>;
  /** Aborts on SIGTERM and SIGINT, which end the process as long as this was not called. */
  readonly stopSignal: () => AbortSignal;
  /** Calls back at each SIGHUP from then on, which ends the process as long as this was not called. */
  readonly onReload: (listener: () => void) => void;
  /** Starts an isolate that has read nothing yet and runs `serveInWorker()`. */
  readonly newIsolate: () => Worker;
}

/** Options that stand before any command. */
export interface GlobalOptions {
  readonly config?: string;
  /** INI files of the first generation, instead of a config.ts. */
  readonly configFile?: readonly string[];
  readonly debug?: boolean;
}

/** What a command works with; how it ended is told with `exit`. */
export interface CommandContext extends ProgramOptions {
  readonly exit: (code: number) => void;
  readonly globals: () => GlobalOptions;
}

/** What a configuration is loaded from. */
export type LoadSources = Pick<CommandContext, "globals" | "builtInConfig" | "builtInPlugins">;

/** Loads the configuration that `--config` or `--config-file` names, or the first that is found. */
export async function load({ globals, builtInConfig, builtInPlugins }: LoadSources): Promise<LoadedConfig> {
  const { loadConfig } = await import("../config/load_config.ts");
  const { config, configFile: paths } = globals();
  if (config !== undefined && paths !== undefined) {
    throw new UsageError("Cannot use --config and --config-file together: keep one");
  }
  return await loadConfig({
    ...(config === undefined ? {} : { path: config }),
    ...(paths === undefined ? {} : { ini: { paths, builtIn: builtInPlugins } }),
    cwd: Deno.cwd(),
    fallback: builtInConfig,
  });
}

/** Log lines of a command go to stderr: stdout is for results, and for plugins that write there. */
export function stderrLog({ debug }: GlobalOptions, level: LogLevel = "info"): (part: string) => Logger {
  return logTo({ level: debug ? "debug" : level, format: "text", now: Date.now, write: writeTalk });
}
