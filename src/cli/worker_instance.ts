import type { LogOptions } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { GlobalOptions } from "./context.ts";
import type { ServiceInstance } from "./service_instance.ts";
import type { FromShift, ToShift } from "./instance_messages.ts";
import type { Candidate } from "./reload_supervisor.ts";

/** Loads a shift in an isolate of its own. */
export class WorkerCandidate implements Candidate {
  readonly loaded: Promise<ServiceInstance>;
  readonly #worker: Worker;

  /** @param worker Runs `serveInWorker()`, and nothing has been sent to it. */
  constructor(worker: Worker, globals: GlobalOptions) {
    this.#worker = worker;
    this.loaded = this.#load(globals);
    // Whoever gives it up does not wait for it.
    this.loaded.catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  async #load(globals: GlobalOptions): Promise<ServiceInstance> {
    await messageOf(this.#worker, "here");
    const loaded = messageOf(this.#worker, "loaded");
    send(this.#worker, { kind: "load", globals });
    const { log } = await loaded;
    return new WorkerShift(this.#worker, log);
  }
}

/** A shift at work in an isolate of its own. */
class WorkerShift implements ServiceInstance {
  readonly log: LogOptions | undefined;
  readonly #worker: Worker;

  constructor(worker: Worker, log: LogOptions | undefined) {
    this.#worker = worker;
    this.log = log;
  }

  async run(): Promise<void> {
    const ended = messageOf(this.#worker, "ended");
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

function send(worker: Worker, message: ToShift): void {
  worker.postMessage(message);
}

/** The next message of this kind; rejects when there will be none. */
async function messageOf<Kind extends FromShift["kind"]>(
  worker: Worker,
  kind: Kind,
): Promise<Extract<FromShift, { kind: Kind }>> {
  const over = new AbortController();
  const { signal } = over;
  const { promise, resolve, reject } = Promise.withResolvers<Extract<FromShift, { kind: Kind }>>();
  worker.addEventListener("message", ({ data }: MessageEvent<FromShift>) => {
    if (data.kind === "failed") reject(data.isUsers ? new UserError(data.error) : new Error(data.error));
    else if (data.kind === kind) resolve(data as Extract<FromShift, { kind: Kind }>);
  }, { signal });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  }, { signal });
  try {
    return await promise;
  } finally {
    over.abort();
  }
}
