import type { Clock } from "../model/clock.ts";
import type { Config } from "../model/config.ts";
import type { ShowLive } from "../model/live_service.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import type { Telemetry } from "../observe/telemetry/telemetry.ts";

/** What a service is started with. */
export interface ServiceOptions {
  readonly config: Config;
  /** The program's version, for metrics. */
  readonly version: string;
  /** The configured plugins, by their unique names. */
  readonly plugins: ReadonlyMap<string, Plugin>;
  /** A log line for each plugin that was loaded. */
  readonly loadedLines: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  /** A logger per part of the program. */
  readonly log: (part: string) => Logger;
  /** Aborts to stop the service cleanly. */
  readonly stop: AbortSignal;
  /** Shows the service while it runs: the console. @default nobody does */
  readonly show?: ShowLive | undefined;
  /** Exports traces and metrics. @default nothing is exported */
  readonly telemetry?: Telemetry | undefined;
}
