import type { LoadedConfig } from "../config/load_config.ts";
import { pluginsByName } from "../config/plugins_by_name.ts";
import type { LogOptions } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import type { Telemetry } from "../observe/telemetry/telemetry.ts";
import { runService } from "../runtime/app.ts";
import { systemClock } from "../runtime/clock.ts";
import { watchSecrets } from "../runtime/watch_secrets.ts";
import type { GlobalOptions, NewIsolate } from "./context.ts";
import { showConsole } from "./show_console.ts";
import { serviceLog } from "./service_log.ts";

/** The variable without which nothing is exported. */
const ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";

/**
 * A running configuration: the service from its start to its end or its replacement by a reload.
 */
export interface ServiceInstance extends Disposable {
  /** Where its log goes. */
  readonly log: LogOptions | undefined;
  /** Runs until it is stopped. Rejects when it cannot go on; everything is recorded then, too. */
  run(): Promise<void>;
  /** As SIGTERM does: attempts in flight may end. */
  stop(): void;
}

export interface InstanceOptions {
  readonly version: string;
  readonly globals: GlobalOptions;
  /** Starts an isolate: see `ProgramOptions`. */
  readonly newIsolate: NewIsolate;
  /** Called when secrets that config.ts has got are others now: it shall be loaded anew. */
  readonly onNewSecrets: () => void;
}

/** A service in this isolate. */
export class LocalInstance implements ServiceInstance {
  readonly #loaded: LoadedConfig;
  readonly #options: InstanceOptions;
  readonly #stop = new AbortController();

  constructor(loaded: LoadedConfig, options: InstanceOptions) {
    this.#loaded = loaded;
    this.#options = options;
  }

  get log(): LogOptions | undefined {
    return this.#loaded.config.log;
  }

  async run(): Promise<void> {
    const { version, globals, newIsolate, onNewSecrets } = this.#options;
    const { config, loadedLines, warnings } = this.#loaded;
    const plugins = pluginsByName(this.#loaded);
    await using telemetry = await openTelemetry(version);
    using target = serviceLog(this.log, globals, telemetry?.onLog);
    const { log } = target;
    telemetry?.start(log("telemetry"));
    using _ = logUnhandledRejections(log("service"));
    for (const warning of warnings) log("config").warn(warning);
    try {
      const stop = this.#stop.signal;
      const machine = { clock: systemClock, random: Math.random };
      const onChange = (what: string) => {
        log("service").info(`There is another value in ${what}`);
        onNewSecrets();
      };
      await using _watching = watchSecrets({ clock: systemClock, log: log("service"), onChange });
      const show = showConsole(this.#loaded, { globals, newIsolate, log: log("console") });
      await runService({ config, plugins, loadedLines, version, log, stop, ...machine, show, telemetry });
    } catch (error) {
      // A reader of the log file must find the reason of the end there, too.
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

/** What exports traces, logs and metrics, where the environment names a collector: loaded only then. */
async function openTelemetry(version: string): Promise<Telemetry | undefined> {
  if (!Deno.env.get(ENDPOINT)?.trim()) return undefined;
  const { makeTelemetry } = await import("../observe/telemetry/telemetry.ts");
  const env = (name: string) => Deno.env.get(name);
  return makeTelemetry({ env, version, clock: systemClock, instanceId: crypto.randomUUID() });
}

/**
 * Logs rejections that nobody handles, instead of ending the process. The stages handle all of
 * theirs; a plugin may forget a promise.
 */
function logUnhandledRejections(log: Logger): Disposable {
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    const { reason } = event;
    log.error(`A promise that nobody waited for was rejected: ${reason instanceof Error ? reason.message : reason}`);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("unhandledrejection", listener) };
}
