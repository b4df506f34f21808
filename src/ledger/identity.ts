import type { Arrival } from "../model/ledger.ts";

/** A message that could be used. */
export type Arrived = Extract<Arrival, { readonly notification: unknown }>;

/** The time that a message gave; empty for none. Each copy of a message gives the same, so with the message's id it says which one it is. */
export function sentOf({ notification, isTimeless = false }: Arrived): string {
  return isTimeless ? "" : notification.time ?? "";
}
