/** An unfinished delivery and the order keys that it holds. */
export interface Holder {
  readonly plugin: number;
  readonly seq: number;
  readonly orderKeys: readonly number[];
}

/** What an unfinished delivery waits for: its event's detail, an earlier delivery, its turn. */
export type Waiting = "new" | "blocked" | "ready";

/** One that was never attempted. */
export interface QueuedDelivery extends Holder {
  /** Says only who comes first: one that was never attempted is due whatever the clock says. */
  readonly dueAt: number;
  /** `null`: it is in no window any more. */
  state: Waiting | null;
}
