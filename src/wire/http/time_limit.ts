/** An operation that is ended by its caller's signal or by its time limit. */
export class LimitedCall {
  /** By `performance.now()`. */
  readonly dueMs: number;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort(this.#caller?.reason);

  constructor(dueMs: number, caller?: AbortSignal) {
    this.dueMs = dueMs;
    this.#caller = caller;
    if (caller?.aborted) this.#onAbort();
    else caller?.addEventListener("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: DOMException): void {
    this.#controller.abort(reason);
  }

  /** Removes the listener: the caller's signal may live for years. */
  detach(): void {
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Aborts operations that exceed a time limit. All have the same limit, so they fall due in the
 * order in which they began, and one timer is enough.
 */
export class TimeLimit {
  readonly #seconds: number;
  /** In the order in which they began. */
  readonly #open = new Set<LimitedCall>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  begin(caller?: AbortSignal): LimitedCall {
    const limitMs = this.#seconds * 1000;
    const limited = new LimitedCall(performance.now() + limitMs, caller);
    this.#open.add(limited);
    this.#timer ??= setTimeout(() => this.#abortOverdue(), limitMs);
    return limited;
  }

  end(limited: LimitedCall): void {
    limited.detach();
    this.#open.delete(limited);
    if (this.#open.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #abortOverdue(): void {
    this.#timer = undefined;
    for (const limited of this.#open) {
      const leftMs = limited.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#abortOverdue(), leftMs);
        return;
      }
      this.#open.delete(limited);
      limited.abort(new DOMException(`no answer within ${this.#seconds} s`, "TimeoutError"));
    }
  }
}
