import type { Logger } from "../model/plugin.ts";
import type { FromWorker, ToWorker, WorkerAnswer, WorkerCall } from "./worker_messages.ts";

export interface WorkerClientOptions {
  /** Starts an isolate that runs `serveConsoleWorker()`. */
  readonly start: () => Worker;
  /** What it loads its configuration with. */
  readonly globals: unknown;
  readonly log: Logger;
  /** The worker ends this long after the last call. @default 5 minutes */
  readonly idleMs?: number;
}

/** The worker cannot answer. */
export class WorkerUnavailable extends Error {
  override readonly name = "WorkerUnavailable";
}

const IDLE_MS = 5 * 60_000;
/** A configuration that cannot be loaded, as while it is edited, is not tried again and again. */
const REFUSED_MS = 10_000;

/**
 * The worker as the service's thread sees it: it starts with the first call, and ends when nobody
 * has asked for some time. One that does not answer in time is ended, and the next call gets a new one.
 */
export class WorkerClient implements Disposable {
  readonly #options: WorkerClientOptions;
  #running: RunningWorker | undefined;
  /** The last worker could not begin: why, and until when none is started. */
  #refused: { readonly reason: string; readonly untilMs: number } | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Starts the worker if it does not run: somebody is likely to ask. */
  warmUp(): void {
    if (this.#isRefused) return;
    this.#worker();
    this.#restartIdleTimer();
  }

  /** @throws {WorkerUnavailable} when it fails, or takes longer than `limitMs`. */
  async ask(call: WorkerCall, { limitMs }: { readonly limitMs: number }): Promise<WorkerAnswer> {
    if (this.#isRefused) throw new WorkerUnavailable(`Cannot ask the console's worker: ${this.#refused?.reason}`);
    const worker = this.#worker();
    clearTimeout(this.#idleTimer);
    const timer = setTimeout(() => {
      this.#options.log.error(`The console's worker has not answered "${call.route}" for ${limitMs / 1000} s: ended`);
      this.#end(worker, "it did not answer in time, and was ended. Try again");
    }, limitMs);
    try {
      return await worker.ask(call);
    } finally {
      clearTimeout(timer);
      this.#restartIdleTimer();
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idleTimer);
    if (this.#running !== undefined) this.#end(this.#running, "the service stops");
  }

  get #isRefused(): boolean {
    return this.#refused !== undefined && performance.now() < this.#refused.untilMs;
  }

  #worker(): RunningWorker {
    return this.#running ??= new RunningWorker(this.#options, (worker, reason) => this.#end(worker, reason));
  }

  #restartIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    if (this.#running === undefined) return;
    this.#idleTimer = setTimeout(() => {
      const worker = this.#running;
      if (worker === undefined) return;
      if (worker.isBusy) this.#restartIdleTimer();
      else this.#end(worker, "nobody asked");
    }, this.#options.idleMs ?? IDLE_MS);
    // The process need not wait for it.
    Deno.unrefTimer(this.#idleTimer as unknown as number);
  }

  #end(worker: RunningWorker, reason: string): void {
    if (this.#running === worker) this.#running = undefined;
    if (worker.hasFailedToBegin) this.#refused = { reason, untilMs: performance.now() + REFUSED_MS };
    worker.end(reason);
  }
}

type Waiting = PromiseWithResolvers<WorkerAnswer>;

class RunningWorker {
  readonly #worker: Worker;
  readonly #here = Promise.withResolvers<void>();
  readonly #calls = new Map<number, Waiting>();
  #lastId = 0;
  #hasPendingWork = false;
  #hasAnswered = false;
  #hasFailed = false;

  constructor(
    { start, globals, log }: WorkerClientOptions,
    onEnd: (worker: RunningWorker, reason: string) => void,
  ) {
    this.#worker = start();
    this.#here.promise.catch(() => {});
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      switch (data.kind) {
        case "here":
          this.#send({ kind: "load", globals });
          return this.#here.resolve();
        case "answer":
          this.#hasAnswered = true;
          return this.#calls.get(data.id)?.resolve(data.answer);
        case "busy":
          return void (this.#hasPendingWork = data.isBusy);
        case "failed":
          this.#hasFailed = true;
          log.error(`The console's worker has failed: ${data.error}`);
          return onEnd(this, `it has failed: ${data.error}`);
      }
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      log.error(`The console's worker has failed: ${event.message}`);
      onEnd(this, "it has failed. The log says more");
    });
  }

  /** Whether it has failed without an answer: its configuration cannot be loaded. */
  get hasFailedToBegin(): boolean {
    return this.#hasFailed && !this.#hasAnswered;
  }

  get isBusy(): boolean {
    return this.#hasPendingWork || this.#calls.size > 0;
  }

  async ask(call: WorkerCall): Promise<WorkerAnswer> {
    const id = ++this.#lastId;
    const waiting: Waiting = Promise.withResolvers();
    this.#calls.set(id, waiting);
    try {
      await this.#here.promise;
      this.#send({ kind: "call", id, call }, call.body === null ? [] : [call.body.buffer]);
      return await waiting.promise;
    } finally {
      this.#calls.delete(id);
    }
  }

  end(reason: string): void {
    this.#worker.terminate();
    const error = new WorkerUnavailable(`Cannot ask the console's worker: ${reason}`);
    this.#here.reject(error);
    for (const { reject, promise } of this.#calls.values()) {
      promise.catch(() => {});
      reject(error);
    }
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
