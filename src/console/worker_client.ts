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
/** A worker that fails before its first answer, as with a broken config.ts, is not started again at once. */
const FAILED_MS = 5000;

/**
 * The worker as the service's thread sees it: it starts with the first call, and ends when nobody
 * has asked for some time. One that does not answer in time is ended, and the next call gets a new one.
 * Where it cannot even begin, pages that ask each second must neither start one each second nor fill the log.
 */
export class WorkerClient implements Disposable {
  readonly #options: WorkerClientOptions;
  #running: RunningWorker | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why the last one could not begin, and when another may be started. */
  #failure: { readonly reason: string; readonly untilMs: number } | undefined;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Starts the worker if it does not run: somebody is likely to ask. */
  warmUp(): void {
    if (this.#isWaiting) return;
    this.#worker();
    this.#restartIdleTimer();
  }

  /** @throws {WorkerUnavailable} when it fails, or takes longer than `limitMs`. */
  async ask(call: WorkerCall, { limitMs }: { readonly limitMs: number }): Promise<WorkerAnswer> {
    if (this.#isWaiting) throw new WorkerUnavailable(unavailable(this.#failure?.reason ?? ""));
    const worker = this.#worker();
    clearTimeout(this.#idleTimer);
    const onHang = () => {
      this.#options.log.error(`The console's worker has not answered "${call.route}" for ${limitMs / 1000} s: ended`);
      this.#end(worker, "it did not answer in time, and was ended. Try again");
    };
    try {
      const answer = await worker.ask(call, { limitMs, onHang });
      if (this.#running === worker) this.#failure = undefined;
      return answer;
    } finally {
      this.#restartIdleTimer();
    }
  }

  [Symbol.dispose](): void {
    this.#failure = { reason: "the service stops", untilMs: Infinity };
    clearTimeout(this.#idleTimer);
    if (this.#running !== undefined) this.#end(this.#running, "the service stops");
  }

  #worker(): RunningWorker {
    return this.#running ??= new RunningWorker(this.#options, (worker, failure) => this.#failed(worker, failure));
  }

  get #isWaiting(): boolean {
    return this.#running === undefined && this.#failure !== undefined && performance.now() < this.#failure.untilMs;
  }

  #failed(worker: RunningWorker, { error, reason }: Failure): void {
    const { log } = this.#options;
    const isKnown = !worker.hasAnswered && this.#failure?.reason === reason;
    log[isKnown ? "debug" : "error"](`The console's worker has failed: ${error}`);
    this.#failure = worker.hasAnswered ? undefined : { reason, untilMs: performance.now() + FAILED_MS };
    this.#end(worker, reason);
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
    worker.end(reason);
  }
}

/** What the log, and what clients are told. */
interface Failure {
  readonly error: string;
  readonly reason: string;
}

function unavailable(reason: string): string {
  return `Cannot ask the console's worker: ${reason}`;
}

type Waiting = PromiseWithResolvers<WorkerAnswer>;

class RunningWorker {
  readonly #worker: Worker;
  readonly #here = Promise.withResolvers<void>();
  readonly #calls = new Map<number, Waiting>();
  #lastId = 0;
  #hasPendingWork = false;
  #hasAnswered = false;

  constructor(
    { start, globals }: WorkerClientOptions,
    onFailure: (worker: RunningWorker, failure: Failure) => void,
  ) {
    this.#worker = start();
    this.#here.promise.catch(() => {});
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "here") {
        this.#send({ kind: "load", globals });
        this.#here.resolve();
      } else if (data.kind === "answer") {
        this.#hasAnswered = true;
        this.#calls.get(data.id)?.resolve(data.answer);
      } else if (data.kind === "busy") this.#hasPendingWork = data.isBusy;
      else onFailure(this, { error: data.error, reason: `it has failed: ${data.error}` });
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      onFailure(this, { error: event.message, reason: "it has failed. The log says more" });
    });
  }

  /** Whether it was of use. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  get isBusy(): boolean {
    return this.#hasPendingWork || this.#calls.size > 0;
  }

  /** A call that waits behind older ones is given up alone: those may take longer, and are not lost for its sake. */
  async ask(
    call: WorkerCall,
    { limitMs, onHang }: { readonly limitMs: number; readonly onHang: () => void },
  ): Promise<WorkerAnswer> {
    const id = ++this.#lastId;
    const waiting: Waiting = Promise.withResolvers();
    waiting.promise.catch(() => {});
    this.#calls.set(id, waiting);
    const timer = setTimeout(() => {
      const [oldest] = this.#calls.keys();
      if (oldest === id) onHang();
      else waiting.reject(new WorkerUnavailable(unavailable("it is busy. Try again")));
    }, limitMs);
    try {
      await this.#here.promise;
      this.#send({ kind: "call", id, call }, call.body === null ? [] : [call.body.buffer]);
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#calls.delete(id);
    }
  }

  end(reason: string): void {
    this.#worker.terminate();
    const error = new WorkerUnavailable(unavailable(reason));
    this.#here.reject(error);
    for (const { reject } of this.#calls.values()) reject(error);
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
