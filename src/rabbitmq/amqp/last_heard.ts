/** Interval of the clock checks. */
const CHECK_MS = 1_000;
/**
 * A check that comes later than this shows that the process was suspended, or that the clock was
 * set forward.
 */
const LATE_CHECK_MS = 2 * CHECK_MS;

/**
 * Tracks when data arrived last. Data that is read after the process was suspended (a suspended
 * machine, a function that blocked the thread) may have arrived at any time during the suspension.
 * It counts as arrived when the process was last seen running.
 */
export class LastHeard implements Disposable {
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #at: number;
  #checkedAt: number;
  /**
   * When the process was last seen running before a suspension; `null` if the last check found
   * none.
   */
  #stalledSince: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
    this.#at = this.#checkedAt = now();
    this.#timer = setInterval(() => this.#checkClock(), CHECK_MS);
  }

  /** Milliseconds since the epoch; never later than the current time. */
  get at(): number {
    return Math.min(this.#at, this.#now());
  }

  /** Notes that bytes were read. */
  read(): void {
    const now = this.#now();
    // After a suspension, either a read or the clock check may run first.
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
