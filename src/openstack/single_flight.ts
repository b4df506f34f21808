import { untilAborted } from "./until_aborted.ts";

/** Single-flight: concurrent calls with the same key share one execution. */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  /**
   * Runs `work`, or joins the running work of the same key. A failure is shared too, and not kept.
   *
   * @param signal Cancels this caller's wait only: others may wait for the same work.
   */
  run(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let running = this.#running.get(key);
    if (running === undefined) {
      running = work().finally(() => this.#running.delete(key));
      // All callers may have been cancelled when it fails: that must not be an unhandled rejection.
      running.catch(() => {});
      this.#running.set(key, running);
    }
    return untilAborted(running, signal);
  }
}
