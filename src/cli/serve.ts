import type { LoadedConfig } from "../config/load_config.ts";
import type { Logger } from "../model/plugin.ts";
import { Systemd, systemdEnvironment } from "../observe/systemd.ts";
import { systemClock } from "../runtime/clock.ts";
import type { CommandContext, GlobalOptions } from "./context.ts";
import { type ServiceLog, serviceLog } from "./service_log.ts";
import { LocalShift, type ServiceInstance } from "./service_instance.ts";
import { ReloadSupervisor } from "./reload_supervisor.ts";
import { WorkerCandidate } from "./worker_instance.ts";

/** The service, until it is told to stop. Each reload gets an isolate of its own; the first shift, often the only one, needs none. */
export async function serve(loaded: LoadedConfig, context: CommandContext): Promise<void> {
  const { version, newIsolate, onReload } = context;
  const stop = context.stopSignal();
  const globals = context.globals();
  const first = new LocalShift(loaded, { version, globals });
  using log = new ShiftLog(globals);
  using systemd = new Systemd(systemdEnvironment(), { pid: Deno.pid, log: log.of(first) });
  stop.addEventListener("abort", () => void systemd.tell({ STOPPING: "1", STATUS: "Stopping" }));
  const shifts = new ReloadSupervisor({
    first,
    next: () => new WorkerCandidate(newIsolate(), sameFiles(loaded, globals)),
    stop,
    onReload,
    logOf: (shift) => log.of(shift),
    onChange: () => void systemd.tell({ RELOADING: "1", STATUS: "Reloading" }),
    clock: systemClock,
  });
  await shifts.run();
}

/** A file that was found once is the one to read again: without it no other takes its place. */
function sameFiles({ path }: LoadedConfig, globals: GlobalOptions): GlobalOptions {
  return path === null || globals.configFile !== undefined ? globals : { ...globals, config: path };
}

/** What is said of shifts, said where the one at work says its things. */
class ShiftLog implements Disposable {
  readonly #globals: GlobalOptions;
  #shift: ServiceInstance | undefined;
  #target: ServiceLog | undefined;

  constructor(globals: GlobalOptions) {
    this.#globals = globals;
  }

  of(shift: ServiceInstance): Logger {
    if (shift !== this.#shift) this[Symbol.dispose]();
    this.#shift = shift;
    this.#target ??= serviceLog(shift.log, this.#globals);
    return this.#target.log("service");
  }

  [Symbol.dispose](): void {
    this.#target?.[Symbol.dispose]();
    this.#target = undefined;
  }
}
