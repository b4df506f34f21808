/** Between two looks at the clock. */
const LOOK_MS = 1_000;
/** A look that comes later than this says that the process stood still, or the clock was set forward. */
const LATE_MS = 2 * LOOK_MS;

/**
 * When bytes last arrived. What is read after the process stood still (a suspended machine, a function that kept the
 * thread) may have arrived at any time since: it counts as of the moment when the process was last seen to run.
 */
export class LastHeard implements Disposable {
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #at: number;
  #lookedAt: number;
  /** When the process was seen to run before it stood still; `null` unless that was within the last look. */
  #stoodSince: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
    this.#at = this.#lookedAt = now();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Milliseconds since the epoch; never later than what the clock says. */
  get at(): number {
    return Math.min(this.#at, this.#now());
  }

  /** Bytes were read. */
  read(): void {
    const now = this.#now();
    // Which comes first after a standstill, a read or the look, nobody knows.
    const since = now - this.#lookedAt > LATE_MS ? this.#lookedAt : this.#stoodSince;
    this.#at = since === null ? now : Math.max(this.#at, since);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#now();
    this.#stoodSince = now - this.#lookedAt > LATE_MS ? this.#lookedAt : null;
    this.#lookedAt = now;
  }
}
