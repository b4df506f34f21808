import type { Clock } from "../model/clock.ts";

/** One call of a plugin that is under way. */
export class Attempt {
  readonly dueMs: number;
  readonly #controller = new AbortController();
  #onCut: (reason: DOMException) => void = () => {};

  constructor(dueMs: number) {
    this.dueMs = dueMs;
  }

  /** For the plugin. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What the call comes to, unless it is cut off first: then it rejects with the reason, whatever the plugin makes of its signal. */
  run(call: () => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onCut = reject;
      // Not by resolve(), which nothing could cut off any more.
      Promise.resolve(call()).then(resolve, reject);
    });
  }

  cutOff(reason: DOMException): void {
    this.#controller.abort(reason);
    this.#onCut(reason);
  }
}

/** The attempts of a lane that are under way. All may take equally long: the first that began falls due first, and one sleeper is enough. */
export class Attempts {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** In the order in which they began. */
  readonly #open = new Set<Attempt>();
  #watching = false;
  readonly #over = new AbortController();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  begin(): Attempt {
    const attempt = new Attempt(this.#clock.passedMs() + this.#timeoutMs);
    this.#open.add(attempt);
    if (!this.#watching) void this.#watch();
    return attempt;
  }

  end(attempt: Attempt): void {
    this.#open.delete(attempt);
  }

  /** Ends all of them. */
  cutOff(reason: DOMException): void {
    for (const attempt of this.#open) attempt.cutOff(reason);
  }

  /** No more will begin. */
  close(): void {
    this.#over.abort();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    for (let [oldest] = this.#open; oldest !== undefined; [oldest] = this.#open) {
      const leftMs = oldest.dueMs - this.#clock.passedMs();
      if (leftMs > 0) await this.#clock.sleep(leftMs, this.#over.signal);
      else this.#tooLate(oldest);
      if (this.#over.signal.aborted) break;
    }
    this.#watching = false;
  }

  #tooLate(attempt: Attempt): void {
    this.#open.delete(attempt);
    attempt.cutOff(new DOMException(`No answer within ${this.#timeoutMs / 1000} s`, "TimeoutError"));
  }
}
