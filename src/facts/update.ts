import type { WatcherEvent } from "../model/event.ts";
import { updateKey } from "../model/event_key.ts";
import type { SettledServer } from "../model/ledger.ts";
import type { Rules } from "./decision_context.ts";
import { associatedAddresses } from "./decision_context.ts";
import { numberAfter } from "./number_after.ts";
import { orderKeys } from "./order_keys.ts";

/** The update of a server as memory has it, and the update's number. */
export function updateOf(
  { server, floatingIps, cause }: Omit<SettledServer, "announced">,
  rules: Pick<Rules, "restoredAtMs">,
): { readonly event: WatcherEvent; readonly number: number } {
  const { id, snapshot, updates = 0 } = server;
  const number = numberAfter(updates, rules);
  const event: WatcherEvent = {
    key: updateKey(id as string, number),
    subject: "server",
    created: true,
    updated: true,
    updates,
    ...cause,
    server: snapshot,
    floatingIp: null,
    floatingIps: associatedAddresses(floatingIps),
    creationSeen: true,
    orderKeys: orderKeys({ server: snapshot, floatingIp: null }),
  };
  return { event, number };
}
