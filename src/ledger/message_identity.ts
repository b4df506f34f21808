import type { Arrival, UpdateCause } from "../model/ledger.ts";
import type { Notification } from "../model/notification.ts";

/** A message that is a usable notification. */
export type Arrived = Extract<Arrival, { readonly notification: unknown }>;

/**
 * The time that a message states; empty for none. All copies of a message state the same time: with
 * the message id it identifies the message.
 */
export function sentOf({ notification, isTimeless = false }: Arrived): string {
  return isTimeless ? "" : notification.time ?? "";
}

/** What an update says of the notification that led to it. */
export function causeOf({ eventType, messageId, time, origin }: Notification): UpdateCause {
  const said = { eventType, messageId, time: time ?? new Date(0).toISOString() };
  return origin === undefined ? said : { ...said, origin };
}
