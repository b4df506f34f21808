import type { GlobalOptions, NewIsolate } from "./context.ts";
import type { FromReplay, Recording, ReplayedPart, ToReplay } from "./replay_messages.ts";
import { messageOf } from "./worker_messages.ts";

export interface IsolatedReplayOptions {
  readonly globals: GlobalOptions;
  /** What its log lines begin with. */
  readonly label: string;
  readonly recording: Recording;
}

/** A recording that one configuration replays, in an isolate of its own. */
export class IsolatedReplay implements Disposable {
  readonly #worker: Worker;
  readonly #options: IsolatedReplayOptions;

  constructor(newIsolate: NewIsolate, options: IsolatedReplayOptions) {
    this.#worker = newIsolate("replay");
    this.#options = options;
  }

  /**
   * Loads the configuration. Gives the names of its plugins.
   *
   * @throws {UserError} when it has mistakes.
   */
  async load(): Promise<readonly string[]> {
    await messageOf<FromReplay, "here">(this.#worker, "here");
    const loaded = messageOf<FromReplay, "loaded">(this.#worker, "loaded");
    this.#send({ kind: "load", ...this.#options });
    return (await loaded).plugins;
  }

  /** The next part. @throws {UserError} when the recording cannot be read. */
  async next(): Promise<ReplayedPart> {
    const part = messageOf<FromReplay, "part">(this.#worker, "part");
    this.#send({ kind: "next" });
    return await part;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #send(message: ToReplay): void {
    this.#worker.postMessage(message);
  }
}
