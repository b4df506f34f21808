import type { WatcherEvent } from "../model/event.ts";

/** An event that was decided and is not written yet. */
export interface NewEvent {
  /** The number of the notification that led to it. */
  readonly notification: number;
  readonly event: WatcherEvent;
}

/** The events of a transaction, by key, in their order. */
export type NewEvents = ReadonlyMap<string, NewEvent>;
