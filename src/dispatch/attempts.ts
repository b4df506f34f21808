import type { Clock } from "../model/clock.ts";

/** One call of a plugin, in flight. */
export class Attempt {
  readonly dueMs: number;
  readonly #controller = new AbortController();
  #onAbort: (reason: DOMException) => void = () => {};

  constructor(dueMs: number) {
    this.dueMs = dueMs;
  }

  /** The signal that the plugin gets. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * The result of the call. An abort rejects at once, whether or not the plugin obeys its signal.
   */
  run(call: () => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onAbort = reject;
      // resolve(promise) would lock this promise to the plugin's: an abort could not reject it.
      Promise.resolve(call()).then(resolve, reject);
    });
  }

  abort(reason: DOMException): void {
    this.#controller.abort(reason);
    this.#onAbort(reason);
  }
}

/**
 * The attempts of a lane that are in flight, and their timeout. All have the same timeout, so the
 * oldest expires first, and one timer is enough.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** In the order in which they began. */
  readonly #open = new Set<Attempt>();
  #isWatching = false;
  readonly #closed = new AbortController();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  begin(): Attempt {
    const attempt = new Attempt(this.#clock.passedMs() + this.#timeoutMs);
    this.#open.add(attempt);
    if (!this.#isWatching) void this.#watch();
    return attempt;
  }

  end(attempt: Attempt): void {
    this.#open.delete(attempt);
  }

  abortAll(reason: DOMException): void {
    for (const attempt of this.#open) attempt.abort(reason);
  }

  /** Ends the timer. No attempt may begin after this. */
  close(): void {
    this.#closed.abort();
  }

  /** Aborts each attempt at its timeout, until none is in flight. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    for (let [oldest] = this.#open; oldest !== undefined; [oldest] = this.#open) {
      const leftMs = oldest.dueMs - this.#clock.passedMs();
      if (leftMs > 0) await this.#clock.sleep(leftMs, this.#closed.signal);
      else this.#timeOut(oldest);
      if (this.#closed.signal.aborted) break;
    }
    this.#isWatching = false;
  }

  #timeOut(attempt: Attempt): void {
    this.#open.delete(attempt);
    attempt.abort(new DOMException(`No answer within ${this.#timeoutMs / 1000} s`, "TimeoutError"));
  }
}
