import type { Json } from "../model/notification.ts";

/** What a plugin keeps for the next attempt may take so much as JSON. */
const MAX_PROGRESS_LENGTH = 65_536;

/** What a plugin says in an attempt beside returning or throwing. */
export class AttemptNotes {
  readonly notes: string[] = [];
  /** What the next attempt is given: what was kept last, in this attempt or before. */
  progress: Json | undefined;

  constructor(progress: Json | undefined) {
    this.progress = progress;
  }

  /** @throws {TypeError} when JSON cannot hold it. @throws {RangeError} when it is too large. */
  keep(progress: Json): void {
    const text = JSON.stringify(progress);
    if (text === undefined) throw new TypeError("Cannot keep the progress of a delivery: JSON cannot hold it");
    if (text.length > MAX_PROGRESS_LENGTH) {
      throw new RangeError(
        `Cannot keep the progress of a delivery: ${text.length} characters; allowed: ${MAX_PROGRESS_LENGTH}`,
      );
    }
    // As it is now: the plugin may go on changing its own.
    this.progress = JSON.parse(text);
  }

  note(text: string): void {
    this.notes.push(String(text));
  }
}
