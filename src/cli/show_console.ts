import type { LoadedConfig } from "../config/load_config.ts";
import type { ShowLive } from "../model/live_service.ts";
import type { Logger } from "../model/plugin.ts";
import { systemClock } from "../runtime/clock.ts";
import type { GlobalOptions, NewIsolate } from "./context.ts";

export interface ShowConsoleOptions {
  readonly globals: GlobalOptions;
  readonly newIsolate: NewIsolate;
  readonly log: Logger;
}

/** What shows a running service: the console; `undefined`: config.ts wants none. */
export function showConsole(
  loaded: LoadedConfig,
  { globals, newIsolate, log }: ShowConsoleOptions,
): ShowLive | undefined {
  const { console = {} } = loaded.config;
  if (console === false) return undefined;
  const newWorker = () => newIsolate("console");
  return async (live, signal) => {
    const { serveConsole } = await import("../console/listen.ts");
    const options = { console, loaded, live, newWorker, globals: sameFiles(loaded, globals), clock: systemClock, log };
    await serveConsole(options, signal);
  };
}

/**
 * What a reload, and the console's worker, load: the file that was found at the start, even if one
 * that is looked for earlier has appeared.
 */
export function sameFiles({ path }: LoadedConfig, globals: GlobalOptions): GlobalOptions {
  return path === null || globals.configFile !== undefined ? globals : { ...globals, config: path };
}
