import type { LoadedConfig } from "../config/load_config.ts";
import type { Clock } from "../model/clock.ts";
import type { ConsoleOptions } from "../model/console_config.ts";
import type { LiveService } from "../model/live_service.ts";
import type { Logger } from "../model/plugin.ts";

/** What a console is made of. */
export interface ConsoleServerOptions {
  readonly console: ConsoleOptions;
  readonly loaded: LoadedConfig;
  readonly live: LiveService;
  /** Starts an isolate that runs `serveConsoleWorker()`. */
  readonly newWorker: () => Worker;
  /** What the worker loads its configuration with. */
  readonly globals: unknown;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who sends a request, and what its `Headers` do not tell. */
export interface Client {
  readonly address: string;
  /** Names of headers that it has more than once, in lower case: `Headers` joins their values. */
  readonly repeated: ReadonlySet<string>;
}

/** Answers requests. */
export type Answer = (request: Request, client: Client) => Promise<Response>;
