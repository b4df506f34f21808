import { untilAborted } from "./until_aborted.ts";

/** Equal questions that are under way at the same time become one. */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  /**
   * What `work` gives, or what equal work gives that is under way.
   *
   * @param signal Ends this caller's waiting alone: others may wait for the same.
   */
  run(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let running = this.#running.get(key);
    if (running === undefined) {
      running = work().finally(() => this.#running.delete(key));
      // Nobody may be waiting any more when it fails.
      running.catch(() => {});
      this.#running.set(key, running);
    }
    return untilAborted(running, signal);
  }
}
