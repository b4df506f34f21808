import type { LoadedConfig } from "../config/load_config.ts";
import type { Logger } from "../model/plugin.ts";
import { Systemd, systemdEnvironment } from "../observe/systemd.ts";
import { systemClock } from "../runtime/clock.ts";
import type { GlobalOptions, RunContext } from "./context.ts";
import { type ServiceLog, serviceLog } from "./service_log.ts";
import { LocalInstance, type ServiceInstance } from "./service_instance.ts";
import { sameFiles } from "./show_console.ts";
import { ReloadSupervisor } from "./reload_supervisor.ts";
import { WorkerCandidate } from "./worker_instance.ts";

/**
 * Runs the service until a signal stops it. Each reload gets an isolate of its own; the first
 * instance, often the only one, needs none.
 */
export async function serve(loaded: LoadedConfig, context: RunContext): Promise<void> {
  const { version, newIsolate, onReload } = context;
  const stop = context.stopSignal();
  const globals = context.globals();
  // A signal or a new secret: both take a new instance.
  const reload = new EventTarget();
  const requestReload = () => void reload.dispatchEvent(new Event("reload"));
  onReload(requestReload);
  const first = new LocalInstance(loaded, { version, globals, newIsolate, onNewSecrets: requestReload });
  using log = new InstanceLog(globals);
  using systemd = new Systemd(systemdEnvironment(), { pid: Deno.pid, log: log.of(first) });
  stop.addEventListener("abort", () => void systemd.tell({ STOPPING: "1", STATUS: "Stopping" }));
  const supervisor = new ReloadSupervisor({
    first,
    next: () =>
      new WorkerCandidate(newIsolate("instance"), {
        globals: sameFiles(loaded, globals),
        onNewSecrets: requestReload,
      }),
    stop,
    onReload: (listener) => reload.addEventListener("reload", listener),
    logOf: (instance) => log.of(instance),
    onChange: () => void systemd.tell({ RELOADING: "1", STATUS: "Reloading" }),
    clock: systemClock,
  });
  await supervisor.run();
}

/** The log of the running instance, for lines about instances. */
class InstanceLog implements Disposable {
  readonly #globals: GlobalOptions;
  #instance: ServiceInstance | undefined;
  #target: ServiceLog | undefined;

  constructor(globals: GlobalOptions) {
    this.#globals = globals;
  }

  of(instance: ServiceInstance): Logger {
    if (instance !== this.#instance) this[Symbol.dispose]();
    this.#instance = instance;
    this.#target ??= serviceLog(instance.log, this.#globals);
    return this.#target.log("service");
  }

  [Symbol.dispose](): void {
    this.#target?.[Symbol.dispose]();
    this.#target = undefined;
  }
}
