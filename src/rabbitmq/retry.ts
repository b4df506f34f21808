import type { Logger } from "../model/plugin.ts";

/** Counts failures in a row, spaces the attempts, and tells each problem once until all is well again. */
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

  /** When it began to fail, in milliseconds; `null` while all is well. */
  get failingSince(): number | null {
    return this.#failingSince;
  }

  /** Says that it fails, since then unless it was known before. */
  fail(since: number): number {
    this.#failingSince ??= since;
    return this.#failingSince;
  }

  succeed(): void {
    this.#failures = 0;
    this.#failingSince = null;
    this.#reported.clear();
  }

  /** How long to wait before the next attempt: random, and more each time unless it is urgent. */
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

  /** Lets a problem that is over be told again. */
  clear(problem: string): void {
    this.#reported.delete(problem);
  }
}

/** Ends early, without an error, when aborted. */
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

/** A delay, for people. */
export function seconds(ms: number): string {
  return `${ms < 950 ? (ms / 1_000).toFixed(1) : Math.round(ms / 1_000)} s`;
}

const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
const URGENT_DELAY_MS = 1_000;
