import type { LoadedConfig } from "../config/load_config.ts";
import { configLoader } from "../config/loader.ts";
import type { LogLevel } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import { logTo } from "../observe/log.ts";
import { type ColourChoice, type Terminal, writeStderr } from "./terminal.ts";
import { UsageError } from "./usage.ts";

export { EXIT_DIFFERENCES, EXIT_FAILURE, EXIT_NOTHING, EXIT_UNREAD, EXIT_USAGE } from "./exit_codes.ts";

/** The process, as commands see it. */
export interface ProgramOptions {
  readonly version: string;
  /** The import map of deno.json, for `oss-watcher` and each package. */
  readonly imports: Readonly<Record<string, string>>;
  readonly terminal: Terminal;
  /** The configuration compiled into the program. */
  readonly builtInConfig: () => Promise<Readonly<Record<string, unknown>>>;
  /** The plugins that a configuration of the first generation may name. */
  readonly builtInPlugins: () => Promise<Readonly<Record<string, unknown>>>;
  /** Aborts on SIGTERM and SIGINT. Before the first call these signals end the process. */
  readonly stopSignal: () => AbortSignal;
  /** Calls back at each SIGHUP. Before the first call SIGHUP ends the process. */
  readonly onReload: (listener: () => void) => void;
  readonly newIsolate: NewIsolate;
}

/**
 * Starts an isolate that has loaded no module of a configuration. It runs `serveInWorker()` for a
 * service instance, `serveConsoleWorker()` for the console, `serveReplay()` for one side of `diff`.
 */
export type NewIsolate = (purpose: IsolatePurpose) => Worker;
export type IsolatePurpose = "instance" | "console" | "replay";

/** Options that stand before any command. */
export interface GlobalOptions {
  readonly config?: string;
  /** INI files of the first generation, instead of a config.ts. */
  readonly configFile?: readonly string[];
  readonly debug?: boolean;
  readonly color?: ColourChoice;
}

/** The process and the options that stand before any command. */
export interface RunContext extends ProgramOptions {
  readonly globals: () => GlobalOptions;
}

/** The process and the options of one command; `exit` sets its exit code. */
export interface CommandContext extends RunContext {
  readonly exit: (code: number) => void;
}

/** The places that a configuration is loaded from. */
export type LoadSources = Pick<RunContext, "globals" | "builtInConfig" | "builtInPlugins">;

/** Loads the configuration that `--config` or `--config-file` names, or the first that is found. */
export async function load({ globals, builtInConfig, builtInPlugins }: LoadSources): Promise<LoadedConfig> {
  const { loadConfig } = await configLoader();
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
  return logTo({ level: debug ? "debug" : level, format: "text", now: Date.now, write: writeStderr });
}
