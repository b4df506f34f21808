import type { Clock } from "../model/clock.ts";
import { WakeSignal } from "../model/wake_signal.ts";

/** Wakes one waiting loop: by {@linkcode notify}, or after a time. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #signal = new WakeSignal();
  /** Cancels the timer. */
  #timer = new AbortController();
  /** When the timer fires, in monotonic milliseconds. */
  #timerAtMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    this.#signal.notify();
  }

  /** Resolves when notified, at the latest after `idleMs`. It may resolve too early. */
  wait(idleMs: number): Promise<void> {
    const atMs = this.#clock.passedMs() + idleMs;
    // An earlier timer is kept: waking too early is cheaper than a new timer for every wait.
    if (atMs < this.#timerAtMs) void this.#setTimer(atMs, idleMs);
    return this.#signal.wait();
  }

  /** Ends the timer. */
  close(): void {
    this.#timer.abort();
  }

  async #setTimer(atMs: number, delayMs: number): Promise<void> {
    // With a reason: without one, abort() creates an error with a stack trace each time.
    this.#timer.abort("earlier");
    const { signal } = this.#timer = new AbortController();
    this.#timerAtMs = atMs;
    await this.#clock.sleep(delayMs, signal);
    if (signal.aborted) return;
    this.#timerAtMs = Infinity;
    this.notify();
  }
}
