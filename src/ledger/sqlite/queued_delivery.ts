/** An unfinished delivery and the order keys that it holds. */
export interface Holder {
  readonly plugin: number;
  readonly seq: number;
  /** Hashes: see `order_hash.ts`. */
  readonly orderKeys: readonly number[];
}

/**
 * The state of an unfinished delivery. `new` waits for its event's detail; `blocked` for an earlier
 * delivery that shares an order key; `ready` for its next attempt.
 */
export type Waiting = "new" | "blocked" | "ready";

/** A delivery that was never attempted, as it is in memory. */
export interface QueuedDelivery extends Holder {
  /** Only sorts: a delivery that was never attempted is due at once, whatever the clock says. */
  readonly dueAt: number;
  /** `null`: it was removed from the window. */
  state: Waiting | null;
}
