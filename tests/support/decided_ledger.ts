/**
 * A ledger that holds what real notifications lead to, delivered.
 *
 * @module
 */

import { makeDetail } from "../../src/detail/make_detail.ts";
import { decide } from "../../src/facts/decide.ts";
import type { Rules } from "../../src/facts/decision_context.ts";
import { updateOf } from "../../src/facts/update.ts";
import { changedKeys } from "../../src/model/following.ts";
import type { Notification } from "../../src/model/notification.ts";
import type { Ledger, Settlement } from "../../src/model/ledger.ts";
import { promptDetail, settlementOf } from "./made_events.ts";
import { EVERYTHING } from "./rules.ts";

interface OpenedLedger {
  readonly ledger: Ledger;
  readonly now: number;
}

/** Records notifications and decides them, with details. */
export async function tell(opened: OpenedLedger, ...notifications: readonly Notification[]): Promise<void> {
  await tellBy(EVERYTHING, opened, notifications);
}

/** The same where all changes of servers are followed, by this plugin; updates are announced at once. */
export async function tellFollowing(opened: OpenedLedger, ...notifications: readonly Notification[]): Promise<void> {
  const { ledger } = opened;
  const following = { keys: "all", tellsAssociations: true } as const;
  await ledger.follow({
    plugins: ["p"],
    settleMs: 0,
    makeUpdate: (settled) => {
      const made = updateOf(settled, {});
      if (settled.announced === null) return made;
      return changedKeys(settled.announced, makeDetail(made.event).detail, following).length === 0 ? null : made;
    },
  });
  for (const notification of notifications) {
    await tellBy({ ...EVERYTHING, follows: true }, opened, [notification]);
    await ledger.announceUpdates(9, promptDetail);
  }
}

async function tellBy(
  rules: Rules,
  { ledger, now }: OpenedLedger,
  notifications: readonly Notification[],
): Promise<void> {
  // In one turn of the event loop, as the service does: most are recorded and decided at once.
  const recorded = ledger.record(notifications.map((notification) => ({ receivedAt: now, notification })));
  const decider = (notification: Notification, memory: Parameters<typeof decide>[1]) =>
    decide(notification, memory, rules);
  const decideAll = async () => {
    while (await ledger.decide(Number.MAX_SAFE_INTEGER, decider, promptDetail) > 0);
  };
  await decideAll();
  await recorded;
  // Not every ledger decides what it is still recording.
  await decideAll();
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
