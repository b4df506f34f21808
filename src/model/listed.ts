import type { Origin } from "./notification.ts";

/** States that operators can list: of deliveries, or of messages that led to no event. */
export const LISTED_STATES = [
  "waiting",
  "retrying",
  "done",
  "skipped",
  "dead",
  "dropped",
  "superseded",
  "rejected",
] as const;
export type ListedState = typeof LISTED_STATES[number];

/** One line of a listing. */
export interface Listed {
  /**
   * The event's key; the event type of a superseded notification; the routing key of a rejected
   * message.
   */
  readonly key: string;
  readonly state: ListedState;
  /** `FQDN` and `IP` of the detail, else from the messages; `null` when unknown. */
  readonly name: string | null;
  readonly address: string | null;
  /** `reconcile`: a comparison with OpenStack led to it. */
  readonly origin: Origin;
  /** `null` for a message that led to no event. */
  readonly plugin: string | null;
  /** When the event was decided, or the message received; milliseconds since the epoch. */
  readonly at: number;
  readonly attempts: number;
  /** When the next attempt is due, milliseconds since the epoch; `null`: none is. */
  readonly dueAt: number | null;
  /** The last error, or why it was superseded or rejected. */
  readonly reason: string | null;
  /** It waits, and its plugin is paused. @default false */
  readonly isPaused?: true;
}
