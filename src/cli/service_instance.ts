import type { LoadedConfig } from "../config/load_config.ts";
import type { LogOptions } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import { runService } from "../runtime/app.ts";
import { systemClock } from "../runtime/clock.ts";
import type { GlobalOptions } from "./context.ts";
import { serviceLog } from "./service_log.ts";

/** One configuration at work. */
export interface ServiceInstance extends Disposable {
  /** Where it says what it does. */
  readonly log: LogOptions | undefined;
  /** Works until it is stopped. Rejects when it cannot go on; everything is recorded then, too. */
  run(): Promise<void>;
  /** As SIGTERM does: attempts in flight may end. */
  stop(): void;
}

export interface ShiftOptions {
  readonly version: string;
  readonly globals: GlobalOptions;
}

/** The service in the isolate that it was loaded into. */
export class LocalShift implements ServiceInstance {
  readonly #loaded: LoadedConfig;
  readonly #options: ShiftOptions;
  readonly #stop = new AbortController();

  constructor(loaded: LoadedConfig, options: ShiftOptions) {
    this.#loaded = loaded;
    this.#options = options;
  }

  get log(): LogOptions | undefined {
    return this.#loaded.config.log;
  }

  async run(): Promise<void> {
    const { version, globals } = this.#options;
    const { config, pluginNames, loadedLines, warnings } = this.#loaded;
    const plugins = new Map(config.plugins.map((plugin, index) => [pluginNames[index] as string, plugin]));
    using target = serviceLog(this.log, globals);
    const { log } = target;
    using _ = outliveLooseRejections(log("service"));
    for (const warning of warnings) log("config").warn(warning);
    try {
      const stop = this.#stop.signal;
      const machine = { clock: systemClock, random: Math.random };
      await runService({ config, plugins, loadedLines, version, log, stop, ...machine });
    } catch (error) {
      // Whoever reads the file only must find the end of it there, too.
      if (target.toFile) log("service").error(`Ended: ${error instanceof Error ? error.message : error}`);
      throw error;
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** A promise that a plugin started and forgot must not end the others' work; the stages wait for all of theirs. */
function outliveLooseRejections(log: Logger): Disposable {
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    const { reason } = event;
    log.error(`A promise that nobody waited for was rejected: ${reason instanceof Error ? reason.message : reason}`);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("unhandledrejection", listener) };
}
