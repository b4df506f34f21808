import type { Delivered } from "../inspect/shared/tap.ts";
import { recordedLine } from "../inspect/record/recording.ts";
import type { RecordFile } from "./record_file.ts";

export interface RecorderOptions {
  readonly now: () => number;
  /** Ends after so long, from {@linkcode Recorder.start} on. */
  readonly seconds?: number;
  /** Ends after so many. */
  readonly count?: number;
}

/** Writes messages to a file until enough came, the time is over, or it cannot be written any more. */
export class Recorder {
  readonly #file: RecordFile;
  readonly #options: RecorderOptions;
  readonly #ended = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: unknown;
  #count = 0;
  #unread = 0;

  constructor(file: RecordFile, options: RecorderOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Aborts when it is over. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** How many were written. */
  get count(): number {
    return this.#count;
  }

  get summary(): string {
    const unread = this.#unread === 0 ? "" : `, left out ${this.#unread} that cannot be read,`;
    return `Wrote ${this.#count} ${this.#count === 1 ? "notification" : "notifications"}${unread}`;
  }

  start(): void {
    const { seconds } = this.#options;
    if (seconds !== undefined) this.#timer = setTimeout(() => this.#ended.abort(), seconds * 1000);
  }

  /** Never throws. */
  take(message: Delivered): void {
    if (this.#ended.signal.aborted) return;
    try {
      const recorded = recordedLine(message, this.#options.now() / 1000);
      if ("refused" in recorded) return void this.#unread++;
      this.#file.write(recorded.line);
      this.#count++;
    } catch (error) {
      this.#failure = error;
      this.#ended.abort();
    }
    if (this.#count === this.#options.count) this.#ended.abort();
  }

  /** @throws what ended it, if that was a failure. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
    if (this.#failure !== undefined) throw this.#failure;
  }
}
