import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { MAX_EVENTS, MAX_LENGTH, type RecentEvent, RecentEvents } from "../../src/ledger/recent_events.ts";

function recent(detail: string): RecentEvent {
  const event = { key: "k", subject: "server", created: true, eventType: "t", time: "2026-01-01T00:00:00Z" } as const;
  return { event: { ...event, creationSeen: true, serverId: null }, detail, missing: "[]", orderKeys: [1] };
}

/** Which of so many there are, as the first and the last. */
function kept(events: RecentEvents, count: number): [number | undefined, number | undefined] {
  const there = Array.from({ length: count }, (_, seq) => seq).filter((seq) => events.get(seq) !== undefined);
  return [there[0], there.at(-1)];
}

Deno.test("RecentEvents keeps the newest", () => {
  const events = new RecentEvents();
  for (let seq = 0; seq < MAX_EVENTS + 10; seq++) events.add(seq, recent("{}"), 1);
  const [first = 0, last] = kept(events, MAX_EVENTS + 10);
  // Room is made for some more at once.
  assert(first >= 10 && first <= 10 + MAX_EVENTS / 100, `from ${first}`);
  assertEquals(last, MAX_EVENTS + 9);
});

Deno.test("RecentEvents keeps fewer when they are large, and none that is larger than all may be", () => {
  const events = new RecentEvents();
  const quarter = recent("x".repeat(MAX_LENGTH / 4 - 2));
  for (let seq = 0; seq < 10; seq++) events.add(seq, quarter, 1);
  assertEquals(kept(events, 10), [6, 9]);
  events.add(10, recent("x".repeat(MAX_LENGTH)), 1);
  assertEquals(kept(events, 11), [undefined, undefined]);
  events.add(11, recent("{}"), 1);
  assertEquals(kept(events, 12), [11, 11]);
});

Deno.test("RecentEvents.clear() forgets all", () => {
  const events = new RecentEvents();
  events.add(0, recent("x".repeat(MAX_LENGTH - 2)), 1);
  events.clear();
  events.add(1, recent("x".repeat(MAX_LENGTH - 2)), 1);
  assertEquals(kept(events, 2), [1, 1]);
});

Deno.test("RecentEvents.finished() lets an event go with the last of its deliveries", () => {
  const events = new RecentEvents();
  events.add(0, recent("x".repeat(MAX_LENGTH - 2)), 2);
  events.finished(0);
  assertEquals(kept(events, 1), [0, 0]);
  events.finished(0);
  events.finished(0);
  assertEquals(kept(events, 1), [undefined, undefined]);
  events.add(1, recent("x".repeat(MAX_LENGTH - 2)), 1);
  assertEquals(kept(events, 2), [1, 1]);
});
