import assert from "node:assert/strict";
import { decide, WATCHED_EVENT_TYPES, watchedEventTypes } from "../../src/facts/decide.ts";
import type { Rules } from "../../src/facts/decision_context.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import type { Decision } from "../../src/model/decision.ts";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import type { Notification } from "../../src/model/notification.ts";
import { decodeBody } from "../../src/intake/envelope.ts";
import { readCapture } from "../support/captures.ts";
import { EVERYTHING } from "../support/rules.ts";

const CAPTURES = ["unversioned.jsonl", "versioned.jsonl", "monitoring.jsonl", "v1-no-envelope.jsonl"] as const;
const FOLLOWS: Rules = { ...EVERYTHING, follows: true, optional: new Set(OPTIONAL_KEYS) };

/** All notifications of a capture, also those that nobody watches. */
function notificationsOf(capture: string): Notification[] {
  return readCapture(capture).flatMap(({ body }) => {
    const decoded = decodeBody(new TextEncoder().encode(body));
    return "notification" in decoded ? [decoded.notification] : [];
  });
}

/** The decisions on one notification after the other. */
function decisionsOn(notifications: readonly Notification[], rules: Rules): Decision[] {
  const memory = new RamMemory();
  return notifications.map((notification) => {
    const decision = decide(notification, memory, rules);
    memory.apply(decision.changes);
    return decision;
  });
}

Deno.test("watchedEventTypes() adds the types of changes only where these are followed", () => {
  for (const follows of [undefined, false]) {
    assert.equal(watchedEventTypes(follows === undefined ? {} : { follows }), WATCHED_EVENT_TYPES);
  }
  const followed = watchedEventTypes({ follows: true });
  for (const one of WATCHED_EVENT_TYPES) assert.ok(followed.has(one), one);
  for (const one of ["compute.instance.update", "instance.update", "instance.interface_attach.end"]) {
    assert.ok(followed.has(one), one);
    assert.ok(!WATCHED_EVENT_TYPES.has(one), one);
  }
});

Deno.test("watchedEventTypes() has every type of the captures that states a server which is there", () => {
  // Between them nothing has changed that the one at the end does not state.
  const passing =
    /\.(start|error)$|^compute\.instance\.(shutdown|create|delete)\.|^instance\.(shutdown|create|delete)\./;
  const states = new Set(
    CAPTURES.flatMap(notificationsOf).map(({ eventType }) => eventType).filter((type) =>
      /^(compute\.)?instance\./.test(type) && !passing.test(type)
    ),
  );
  const unwatched = [...states].filter((type) => !watchedEventTypes({ follows: true }).has(type));
  assert.deepEqual(unwatched.sort(), UNWATCHED);
});

/** Amid an operation whose last message states more; a lock is in no key of the detail. */
const UNWATCHED: readonly string[] = [
  ...["compute.instance.rebuild.scheduled", "compute.instance.resize.end", "compute.instance.resize.prep.end"],
  ...["instance.lock", "instance.rebuild_scheduled", "instance.resize.end", "instance.resize_prep.end"],
  "instance.unlock",
];

for (const capture of CAPTURES) {
  Deno.test(`decide() has nothing of changes on ${capture} where these are not followed`, () => {
    const decisions = decisionsOn(notificationsOf(capture), { ...EVERYTHING, follows: false, optional: new Set() });
    assert.deepEqual(decisions, decisionsOn(notificationsOf(capture), EVERYTHING));
    const text = JSON.stringify(decisions);
    for (const name of ["changedServers", "stated", "updates", "updated", "optional"]) {
      assert.ok(!text.includes(`"${name}"`), name);
    }
  });

  Deno.test(`decide() announces the same creations, deletions and associations on ${capture} where changes are followed`, () => {
    const keysOf = (decisions: readonly Decision[]) => decisions.map(({ events }) => events.map(({ key }) => key));
    const notifications = notificationsOf(capture);
    assert.deepEqual(keysOf(decisionsOn(notifications, FOLLOWS)), keysOf(decisionsOn(notifications, EVERYTHING)));
  });
}
