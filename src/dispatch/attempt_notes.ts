import type { Json } from "../model/notification.ts";

/** Characters of JSON that a plugin may keep for the next attempt. */
const MAX_PROGRESS_LENGTH = 65_536;

/** What a plugin passes to `keep()` and `note()` during one attempt. */
export class AttemptNotes {
  readonly notes: string[] = [];
  /** What the next attempt gets: the last `keep()` of this attempt or of an earlier one. */
  progress: Json | undefined;

  constructor(progress: Json | undefined) {
    this.progress = progress;
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
    this.progress = JSON.parse(text);
  }

  note(text: string): void {
    this.notes.push(String(text));
  }
}
