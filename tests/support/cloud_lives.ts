/**
 * Lives of servers and floating IPs as notifications, made up at random.
 *
 * @module
 */

import type { Notification } from "../../src/model/notification.ts";
import type { SeededRandom } from "./random.ts";
import { came, floatingIpIs, portCame, went } from "./stories.ts";

/** How a life ends. */
export interface CloudLife {
  readonly notifications: readonly Notification[];
  /** The servers that are there at the end, with their floating IPs. */
  readonly servers: ReadonlyMap<string, readonly string[]>;
  /** The servers that were deleted. */
  readonly deleted: readonly string[];
}

/**
 * Two servers of one life and the floating IP that goes to and fro between them. At the end each
 * server may be gone, or not.
 */
export function cloudLife(index: number, random: SeededRandom): CloudLife {
  const ids = ["a", "b"].map((name) => `${String(index).padStart(4, "0")}-${name}`) as [string, string];
  const address = `203.0.${index >> 8}.${index & 255}`;
  const there = new Map<string, string[]>();
  const notifications: Notification[] = [];
  const deleted: string[] = [];
  let holder: string | null = null;
  const associate = (id: string | null) => {
    if (holder !== null) there.set(holder, []);
    if (id !== null && there.has(id)) there.set(id, [address]);
    holder = id;
    const port = id === null ? null : `port-${id}`;
    notifications.push(floatingIpIs(`f-${index}`, {
      port,
      ...(id === null ? {} : { server: id }),
      more: { floating_ip_address: address },
    }));
  };
  for (const id of ids) notifications.push(portCame(`port-${id}`, { server: id }));
  // Every third association comes before its server.
  if (random.chance(1 / 3)) associate(ids[0]);
  for (const id of ids) {
    notifications.push(came(id, payloadOf(id, { index, random })));
    there.set(id, holder === id ? [address] : []);
  }
  for (let moves = random.below(5); moves > 0; moves--) associate(random.chance(0.3) ? null : random.pick(ids));
  for (const id of ids.filter(() => random.chance(0.5))) {
    notifications.push(went(id));
    there.delete(id);
    deleted.push(id);
    if (holder === id) holder = null;
  }
  return { notifications, servers: there, deleted };
}

/** The body of a message of the driver messagingv2. */
export function bodyOf({ messageId, eventType, publisherId, time, payload }: Notification): string {
  const message = {
    message_id: messageId,
    event_type: eventType,
    publisher_id: publisherId,
    timestamp: time,
    priority: "INFO",
    payload,
  };
  return JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) });
}

const NAMES = ["web", "db-1", "Grüße", "x,dc=example,dc=com", "*)(objectClass=*", "  # blanks  ", "a\u202eb", `"'`];

function payloadOf(id: string, { index, random }: { readonly index: number; readonly random: SeededRandom }) {
  const address = `10.${index >> 8}.${index & 255}.${id.endsWith("a") ? 1 : 2}`;
  return {
    hostname: random.pick(NAMES),
    tenant_id: "project",
    metadata: { owner: random.pick(NAMES) },
    fixed_ips: [{ address, vif_mac: "fa:16:3e:00:00:01", type: "fixed", label: "net", version: 4 }],
  };
}
