/** Between two looks at the clock. */
const CHECK_MS = 1_000;
/** A look that comes later than this says that the process stood still, or the clock was set forward. */
const LATE_CHECK_MS = 2 * CHECK_MS;

/**
 * When bytes last arrived. What is read after the process stood still (a suspended machine, a function that kept the
 * thread) may have arrived at any time since: it counts as of the moment when the process was last seen to run.
 */
export class LastHeard implements Disposable {
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #at: number;
  #checkedAt: number;
  /** When the process was seen to run before it stood still; `null` unless that was within the last look. */
  #stalledSince: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
    this.#at = this.#checkedAt = now();
    this.#timer = setInterval(() => this.#checkClock(), CHECK_MS);
  }

  /** Milliseconds since the epoch; never later than what the clock says. */
  get at(): number {
    return Math.min(this.#at, this.#now());
  }

  /** Bytes were read. */
  read(): void {
    const now = this.#now();
    // Which comes first after a standstill, a read or the look, nobody knows.
    const since = now - this.#checkedAt > LATE_CHECK_MS ? this.#checkedAt : this.#stalledSince;
    this.#at = since === null ? now : Math.max(this.#at, since);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #checkClock(): void {
    const now = this.#now();
    this.#stalledSince = now - this.#checkedAt > LATE_CHECK_MS ? this.#checkedAt : null;
    this.#checkedAt = now;
  }
}
