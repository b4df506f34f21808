/**
 * What `src/intake` and `src/facts` make of recorded deliveries.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decide, WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { decodeBody } from "../../src/intake/envelope.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Notification } from "../../src/model/notification.ts";
import type { CaptureLine } from "./captures.ts";
import { EVERYTHING } from "./rules.ts";

/** The watched notifications of a capture, each message id once, as the ledger records them. */
export function watched(lines: readonly Pick<CaptureLine, "body">[]): Notification[] {
  const seen = new Set<string>();
  return lines.flatMap(({ body }) => {
    const decoded = decodeBody(new TextEncoder().encode(body));
    assert.ok("notification" in decoded);
    const { notification } = decoded;
    if (seen.has(notification.messageId) || !WATCHED_EVENT_TYPES.has(notification.eventType)) return [];
    seen.add(notification.messageId);
    return [notification];
  });
}

/** The events of one notification after the other. */
export function eventsOf(notifications: readonly Notification[]): WatcherEvent[] {
  const memory = new RamMemory();
  return notifications.flatMap((notification) => {
    const { events, changes } = decide(notification, memory, EVERYTHING);
    memory.apply(changes);
    return events;
  });
}

/** The notification that a body of the driver `messagingv2` holds, as text: what the driver `messaging` sends. */
export function withoutEnvelope(body: string): string {
  return JSON.parse(body)["oslo.message"] ?? body;
}
