/**
 * A ledger that holds what real notifications lead to, delivered.
 *
 * @module
 */

import { decide } from "../../src/facts/decide.ts";
import type { Notification } from "../../src/model/notification.ts";
import type { Settlement } from "../../src/model/ledger.ts";
import { promptDetail, settlementOf } from "./made_events.ts";
import { EVERYTHING } from "./rules.ts";
import type { TemporaryLedger } from "./temporary_ledger.ts";

type OpenedLedger = Pick<TemporaryLedger, "ledger" | "now">;

/** Records notifications and decides them, with details. */
export async function tell({ ledger, now }: OpenedLedger, ...notifications: readonly Notification[]): Promise<void> {
  await ledger.record(notifications.map((notification) => ({ receivedAt: now, notification })));
  const decider = (notification: Notification, memory: Parameters<typeof decide>[1]) =>
    decide(notification, memory, EVERYTHING);
  while (await ledger.decide(Number.MAX_SAFE_INTEGER, decider, promptDetail) > 0);
}

/** Ends all deliveries of a plugin that are ready, until none is; returns the keys in their order. */
export async function deliverAll(
  { ledger, now }: OpenedLedger,
  { plugin = "p", outcome = "done" }: { readonly plugin?: string; readonly outcome?: Settlement["outcome"] } = {},
): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const ready = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 9 });
    if (ready.length === 0) return keys;
    for (const delivery of ready) {
      keys.push(delivery.event.key);
      await ledger.settle([settlementOf(delivery, { outcome, endedAt: now })]);
    }
  }
}
