import type { Clock } from "../../src/model/clock.ts";

interface Sleeper {
  /** On the scale of time that passes. */
  readonly at: number;
  readonly wake: () => void;
}

/** How many turns of the event loop what is set going may take: a ledger commits in a turn of its own, and what waited for that may commit again. */
const TURNS = 4;

/**
 * Time that passes only when a test says so. Between two sleepers that wake, everything they set going runs until it waits again.
 */
export class VirtualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  readonly #busy: () => boolean;
  #passedMs = 0;
  #wallMs: number;

  /** @param options `busy` says whether something is under way that waits for real timers. */
  constructor({ now = Date.UTC(2026, 10, 21), busy = () => false }: { now?: number; busy?: () => boolean } = {}) {
    this.#wallMs = now;
    this.#busy = busy;
  }

  /** How many sleep right now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  readonly now = (): number => this.#wallMs + this.#passedMs;

  readonly passedMs = (): number => this.#passedMs;

  readonly sleep = (delayMs: number, signal: AbortSignal): Promise<void> => {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { at: this.#passedMs + Math.max(0, delayMs), wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", wake, { once: true });
    });
  };

  /** Lets time pass: wakes whoever is due, one moment after the other. */
  async advance(ms: number): Promise<void> {
    const end = this.#passedMs + ms;
    await this.settle();
    for (let next = this.#next(); next <= end; next = this.#next()) {
      this.#passedMs = next;
      // In the order in which they fell asleep; a Set keeps it.
      for (const sleeper of this.#sleepers) if (sleeper.at <= next) sleeper.wake();
      await this.settle();
    }
    this.#passedMs = end;
  }

  /** Sets the clock, as an operator or NTP does: no time passes by it, and nobody wakes. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** Runs all that need not wait for time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#busy()) await new Promise((resolve) => setTimeout(resolve, 0));
  }

  #next(): number {
    let next = Infinity;
    for (const { at } of this.#sleepers) next = Math.min(next, at);
    return next;
  }
}
