import type { Logger } from "../model/plugin.ts";

/**
 * Counts consecutive failures, computes the back-off, and logs each problem once until the next
 * success.
 */
export class Retry {
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #reported = new Set<string>();
  #failures = 0;
  #failingSince: number | null = null;

  constructor(log: Logger, random: () => number) {
    this.#log = log;
    this.#random = random;
  }

  /**
   * Time of the first failure since the last success, in milliseconds since the epoch; `null`
   * without one.
   */
  get failingSince(): number | null {
    return this.#failingSince;
  }

  /**
   * Notes a failure that began at `since`. Returns when the failures began: an earlier time if one
   * is known.
   */
  fail(since: number): number {
    this.#failingSince ??= since;
    return this.#failingSince;
  }

  succeed(): void {
    this.#failures = 0;
    this.#failingSince = null;
    this.#reported.clear();
  }

  /**
   * The delay before the next attempt: exponential back-off with jitter from 1 s to 30 s, or 0.5 s
   * to 1 s if it is urgent.
   */
  nextDelayMs(urgent: boolean): number {
    this.#failures++;
    if (urgent) return URGENT_DELAY_MS * (0.5 + this.#random() / 2);
    const ceilingMs = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** this.#failures);
    return MIN_DELAY_MS + this.#random() * (ceilingMs - MIN_DELAY_MS);
  }

  report(problem: string, outlook: string): void {
    const line = `${problem}; ${outlook}`;
    if (this.#reported.has(problem)) this.#log.debug(line);
    else this.#log.warn(line);
    this.#reported.add(problem);
  }

  /** Marks a problem as solved, so that it is logged again if it returns. */
  clear(problem: string): void {
    this.#reported.delete(problem);
  }
}

/** Waits; an abort ends the wait early, without an error. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** A delay in seconds, for log lines. */
export function seconds(ms: number): string {
  return `${ms < 950 ? (ms / 1_000).toFixed(1) : Math.round(ms / 1_000)} s`;
}

const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
const URGENT_DELAY_MS = 1_000;
