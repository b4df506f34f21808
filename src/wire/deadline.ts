import { DeliveryError } from "../model/errors.ts";

/**
 * Limits an attempt by a signal and a time-out together. Disposing it stops the timer.
 *
 * @example
 * ```ts
 * import { Deadline } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * using deadline = new Deadline(new AbortController().signal, 0.01);
 * await assert.rejects(deadline.race(new Promise(() => {})), /no answer within 0.01 s/);
 *
 * const { reason, message } = deadline.failure("Cannot call the target");
 * assert.deepEqual([reason, message], ["timeout", "Cannot call the target: no answer within 0.01 s"]);
 * ```
 */
export class Deadline implements Disposable {
  /** Aborted by the given signal, or with a `TimeoutError`. */
  readonly signal: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;

  /**
   * Starts the timer.
   *
   * @param signal Ends the attempt before its time is over.
   * @param seconds From now.
   */
  constructor(signal: AbortSignal, seconds: number) {
    const late = new AbortController();
    const reason = () => new DOMException(`no answer within ${seconds} s`, "TimeoutError");
    this.#timer = setTimeout(() => late.abort(reason()), seconds * 1000);
    this.signal = AbortSignal.any([signal, late.signal]);
  }

  /**
   * Resolves to the result of the work. Rejects with the signal's reason if the attempt ends first;
   * the work is then left to itself.
   */
  race<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(this.signal, work);
  }

  /**
   * The error of an attempt that was ended, with the reason `timeout` or `interrupted`. `cannot`
   * begins its text, as `Cannot call the target`.
   */
  failure(cannot: string): DeliveryError {
    const cause = this.signal.reason;
    const isTimeout = cause instanceof Error && cause.name === "TimeoutError";
    return new DeliveryError(`${cannot}: ${isTimeout ? cause.message : "interrupted"}`, {
      reason: isTimeout ? "timeout" : "interrupted",
      cause,
    });
  }

  /** Stops the timer. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Resolves to the result of the work. Rejects with the signal's reason if the signal is aborted
 * first; the work is then left to itself.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([end, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
