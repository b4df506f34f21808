import type { Delivered } from "../inspect/shared/tap.ts";
import { recordedLine } from "../inspect/record/recording.ts";
import type { RecordFile } from "./record_file.ts";

export interface RecorderOptions {
  readonly now: () => number;
  /** Ends this long after {@linkcode Recorder.start}. */
  readonly seconds?: number;
  /** Ends after this many notifications. */
  readonly count?: number;
}

/** Writes messages to a file until the count is reached, the time is over, or a write fails. */
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

  /** The notifications written so far. */
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

  /** @throws the failure that ended the recording, if one did. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
    if (this.#failure !== undefined) throw this.#failure;
  }
}
