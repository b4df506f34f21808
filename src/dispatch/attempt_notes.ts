import type { Delivery, Settlement } from "../model/ledger.ts";
import type { Json } from "../model/notification.ts";
import type { Logger, NotifyContext } from "../model/plugin.ts";
import { type Failure, MAX_ERROR_LENGTH } from "./failure.ts";

/** Characters of JSON that a plugin may keep for the next attempt. */
const MAX_PROGRESS_LENGTH = 65_536;

/** What a plugin passes to `keep()` and `note()` during one attempt, and how it gets there. */
export class AttemptNotes {
  readonly #notes: string[] = [];
  /** What the next attempt gets: the last `keep()` of this attempt or of an earlier one. */
  #progress: Json | undefined;

  constructor(progress: Json | undefined) {
    this.#progress = progress;
  }

  /**
   * @throws {TypeError} when JSON cannot represent it.
   * @throws {RangeError} when it is too large.
   */
  keep(progress: Json): void {
    const text = JSON.stringify(progress);
    if (text === undefined) throw new TypeError("Cannot keep the progress of a delivery: JSON cannot hold it");
    if (text.length > MAX_PROGRESS_LENGTH) {
      throw new RangeError(
        `Cannot keep the progress of a delivery: ${text.length} characters; allowed: ${MAX_PROGRESS_LENGTH}`,
      );
    }
    // A copy: the plugin may change its own object later.
    this.#progress = JSON.parse(text);
  }

  note(text: string): void {
    this.#notes.push(String(text));
  }

  /** The third argument of `notify`. */
  contextOf(
    { seq, event, missing, attempts, progress, repair }: Delivery,
    { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
  ): NotifyContext {
    return {
      origin: "bus",
      sequence: seq,
      kind: event.created ? "creation" : "deletion",
      ...event,
      attempt: attempts + 1,
      signal,
      log,
      missing,
      ...(progress === undefined ? {} : { progress }),
      ...(repair ? { repair } : {}),
      keep: (progress) => this.keep(progress),
      note: (text) => this.note(text),
    };
  }

  /** What the ledger stores of the attempt beside its outcome; `null`: nothing. */
  recordOf(failure: Failure | null, redact: (text: string) => string): Settlement["failure"] {
    if (failure === null) {
      const text = this.#notes.join("; ");
      return this.#notes.length === 0 ? null : { reason: "partial", error: redact(text).slice(0, MAX_ERROR_LENGTH) };
    }
    const { reason, error } = failure;
    return { reason, error, ...(this.#progress === undefined ? {} : { progress: this.#progress }) };
  }
}
