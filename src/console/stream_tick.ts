/** What is new for the streams, as JSON that is only passed on. */
export interface StreamTick {
  /** The number of the newest event. */
  readonly newest: number;
  /** A `StreamedEvents` for those who had all until then; `null`: nothing is new. */
  readonly events: string | null;
  /** A `StreamedEvents` for those who join with a number; none: nothing is new for them. */
  readonly joined: Readonly<Record<string, string>>;
}
