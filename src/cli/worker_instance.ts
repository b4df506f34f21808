import type { LogOptions } from "../model/config.ts";
import type { GlobalOptions } from "./context.ts";
import type { InstanceOptions, ServiceInstance } from "./service_instance.ts";
import type { FromInstance, ToInstance } from "./instance_messages.ts";
import type { Candidate } from "./reload_supervisor.ts";
import { messageOf } from "./worker_messages.ts";

/** Loads a service instance in an isolate of its own. */
export class WorkerCandidate implements Candidate {
  readonly loaded: Promise<ServiceInstance>;
  readonly #worker: Worker;

  /**
   * @param worker Runs `serveInWorker()`, and nothing has been sent to it.
   * @param onNewSecrets Called when it shall be replaced: see `InstanceOptions`.
   */
  constructor(worker: Worker, { globals, onNewSecrets }: Pick<InstanceOptions, "globals" | "onNewSecrets">) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<FromInstance>) => {
      if (data.kind === "new-secrets") onNewSecrets();
    });
    this.loaded = this.#load(globals);
    // A candidate that is given up is not awaited.
    this.loaded.catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  async #load(globals: GlobalOptions): Promise<ServiceInstance> {
    await messageOf<FromInstance, "here">(this.#worker, "here");
    const loaded = messageOf<FromInstance, "loaded">(this.#worker, "loaded");
    send(this.#worker, { kind: "load", globals });
    const { log } = await loaded;
    return new WorkerInstance(this.#worker, log);
  }
}

/** A service instance in an isolate of its own. */
class WorkerInstance implements ServiceInstance {
  readonly log: LogOptions | undefined;
  readonly #worker: Worker;

  constructor(worker: Worker, log: LogOptions | undefined) {
    this.#worker = worker;
    this.log = log;
  }

  async run(): Promise<void> {
    const ended = messageOf<FromInstance, "ended">(this.#worker, "ended");
    send(this.#worker, { kind: "run" });
    await ended;
  }

  stop(): void {
    send(this.#worker, { kind: "stop" });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

function send(worker: Worker, message: ToInstance): void {
  worker.postMessage(message);
}
