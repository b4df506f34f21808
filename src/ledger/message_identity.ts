import type { Arrival } from "../model/ledger.ts";

/** A message that is a usable notification. */
export type Arrived = Extract<Arrival, { readonly notification: unknown }>;

/**
 * The time that a message states; empty for none. All copies of a message state the same time: with
 * the message id it identifies the message.
 */
export function sentOf({ notification, isTimeless = false }: Arrived): string {
  return isTimeless ? "" : notification.time ?? "";
}
