/** What is under way: ended by its caller's signal, or because its time is over. */
export class Limited {
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

  /** The caller's signal may live for years. */
  leave(): void {
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Ends what takes too long. All that is under way may take equally long: the first that began falls due first, and one timer is enough.
 */
export class TimeLimit {
  readonly #seconds: number;
  /** In the order in which they began. */
  readonly #open = new Set<Limited>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  begin(caller?: AbortSignal): Limited {
    const limitMs = this.#seconds * 1000;
    const limited = new Limited(performance.now() + limitMs, caller);
    this.#open.add(limited);
    this.#timer ??= setTimeout(() => this.#look(), limitMs);
    return limited;
  }

  end(limited: Limited): void {
    limited.leave();
    this.#open.delete(limited);
    if (this.#open.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    for (const limited of this.#open) {
      const leftMs = limited.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#look(), leftMs);
        return;
      }
      this.#open.delete(limited);
      limited.abort(new DOMException(`no answer within ${this.#seconds} s`, "TimeoutError"));
    }
  }
}
