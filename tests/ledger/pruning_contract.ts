/**
 * What every ledger that outlives its process must forget, and keep.
 *
 * @module
 */

import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type { Decision } from "../../src/model/decision.ts";
import type { Settlement } from "../../src/model/ledger.ts";
import {
  announceEvents,
  decideEvents,
  decisionOf,
  madeEvent,
  madeNotification,
  settlementOf,
} from "../support/made_events.ts";
import { memoryOf } from "./made_memory.ts";
import { count, type OperatedContract, type OperatedLedger, textsIn } from "./operated_ledger.ts";

const DAY_MS = 86_400_000;
/** What ended before this is past keeping. */
const BEFORE = 100 * DAY_MS;
const LONG_AGO = 10 * DAY_MS;

export function testPruning({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);

  test("Pruner takes a delivered event with all that belongs to it when it ended before", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await opened.ledger.activate(["p", "q"]);
    await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1", "name/a/b"])]);
    await settle(opened, { outcome: "retry", endedAt: LONG_AGO });
    await settle(opened, { outcome: "done", endedAt: BEFORE - 1 });
    await settle(opened, { outcome: "done", endedAt: LONG_AGO, plugin: "q" });
    await opened.prune(BEFORE);
    for (const table of ["event", "notification", "event_order", "delivery", "failure"]) {
      assertEquals(await count(opened, table), 0, table);
    }
  });

  test("Pruner keeps an event when one of its deliveries ended since", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await opened.ledger.activate(["p", "q"]);
    await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1"])]);
    await settle(opened, { outcome: "done", endedAt: LONG_AGO });
    await settle(opened, { outcome: "done", endedAt: BEFORE, plugin: "q" });
    await opened.prune(BEFORE);
    assertEquals(await namesIn(opened, "event"), ["server/1/creation"]);
    assertEquals([
      await count(opened, "delivery"),
      await count(opened, "notification"),
      await count(opened, "event_order"),
    ], [2, 1, 1]);
    await opened.prune(BEFORE + 1);
    assertEquals([await count(opened, "event"), await count(opened, "notification")], [0, 0]);
  });

  test("Pruner keeps what waits, retries or is dead, however old", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await opened.ledger.activate(["p"]);
    await announceEvents(opened.ledger, [madeEvent("dead/1", ["a"])]);
    await settle(opened, { outcome: "dead", endedAt: LONG_AGO });
    await announceEvents(opened.ledger, [madeEvent("retrying/1", ["b"])]);
    await settle(opened, { outcome: "retry", endedAt: LONG_AGO });
    await announceEvents(opened.ledger, [madeEvent("waiting/1", ["c"]), madeEvent("blocked/1", ["c"])]);
    await decideEvents(opened.ledger, [madeEvent("undetailed/1", ["d"])]);
    await opened.ledger.ready({ plugin: "p", now: LONG_AGO, limit: 9 });
    await opened.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await namesIn(opened, "event"), ["blocked/1", "dead/1", "retrying/1", "undetailed/1", "waiting/1"]);
    assertEquals([await count(opened, "notification"), await count(opened, "failure")], [5, 2]);
    await using operations = await opened.operations();
    const [state] = await operations.pluginStates();
    assertEquals(state?.deliveries, { waiting: 3, retrying: 1, done: 0, skipped: 0, dead: 1, dropped: 0 });
  });

  test("Pruner keeps what waits for a plugin that is gone", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await opened.ledger.activate(["p", "gone"]);
    await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1"])]);
    await settle(opened, { outcome: "done", endedAt: LONG_AGO });
    await opened.ledger.activate(["p"]);
    await opened.prune(BEFORE);
    assertEquals(await namesIn(opened, "event"), ["server/1/creation"]);
  });

  test("Pruner takes an event that no plugin was there for, and one that was dropped", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1"])]);
    await opened.ledger.activate(["p"]);
    await announceEvents(opened.ledger, [madeEvent("server/2/creation", ["server/2"])]);
    await using operations = await opened.operations();
    await operations.drop({ plugin: "p" });
    await opened.sql(`UPDATE delivery SET finished_at = ${LONG_AGO}`);
    opened.now = BEFORE;
    await announceEvents(opened.ledger, [madeEvent("server/3/creation", ["server/3"])]);
    await opened.prune(BEFORE);
    assertEquals(await namesIn(opened, "event"), ["server/3/creation"]);
  });

  test("Pruner takes old notifications and rejections, but none that is undecided", async () => {
    await using opened = await open();
    for (const outcome of ["remembered", "repeated", "superseded"] as const) {
      await decideOne(opened, outcome, decisionOf([], { outcome }));
    }
    const rejection = { reason: "", size: 1, sha256: "", exchange: "", routingKey: "", body: null };
    await opened.ledger.record([
      { receivedAt: LONG_AGO, notification: madeNotification("undecided") },
      { receivedAt: BEFORE, notification: madeNotification("new") },
      { receivedAt: LONG_AGO, rejection },
      { receivedAt: BEFORE, rejection },
    ]);
    await opened.prune(BEFORE);
    assertEquals(await namesIn(opened, "notification"), ["new", "undecided"]);
    assertEquals(await count(opened, "rejection"), 1);
  });

  test("Pruner keeps the memory of what lives, however old", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await decideOne(opened, "a", decisionOf([], { changes: memoryOf("1", false) }));
    await opened.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(
      [await namesIn(opened, "server"), await namesIn(opened, "port"), await namesIn(opened, "floatingip")],
      [["s1"], ["p1"], ["f1"]],
    );
  });

  test("Pruner takes the memory of what was deleted before", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await decideOne(opened, "a", decisionOf([], { changes: memoryOf("1", true) }));
    opened.now = BEFORE;
    await decideOne(opened, "b", decisionOf([], { changes: memoryOf("2", true) }));
    await opened.prune(BEFORE);
    assertEquals(
      [await namesIn(opened, "server"), await namesIn(opened, "port"), await namesIn(opened, "floatingip")],
      [["s2"], ["p2"], ["f2"]],
    );
  });

  test("Pruner keeps the memory of what was deleted until its last delivery ended before", async () => {
    await using opened = await open();
    opened.now = LONG_AGO;
    await opened.ledger.activate(["p"]);
    const events = [
      madeEvent("server/s1/deletion", ["server/s1"]),
      madeEvent("floatingip/f1/2/deletion", ["floating/1"]),
    ];
    await decideOne(opened, "a", decisionOf(events, { changes: memoryOf("1", true) }));
    await announceEvents(opened.ledger, []);
    const remembered = async () => [await namesIn(opened, "server"), await namesIn(opened, "floatingip")];
    await opened.prune(BEFORE);
    assertEquals(await remembered(), [["s1"], ["f1"]]);
    await settle(opened, { outcome: "done", endedAt: BEFORE - 1 });
    await settle(opened, { outcome: "done", endedAt: BEFORE });
    await opened.prune(BEFORE);
    assertEquals(await remembered(), [[], ["f1"]]);
    await opened.prune(BEFORE + 1);
    assertEquals(await remembered(), [[], []]);
  });

  test("Pruner takes gaps that ended long ago, and none that lasts", async () => {
    await using opened = await open();
    const source = { queue: "oss-watcher", brokers: "rabbit:5672" };
    const gaps = [LONG_AGO, BEFORE, null].map((to, index) => ({
      source,
      exchange: "nova",
      from: index,
      to,
      certainty: "lost" as const,
    }));
    for (const gap of gaps) await opened.ledger.recordGap(gap);
    await opened.prune(BEFORE);
    await using operations = await opened.operations();
    assertEquals(await operations.gaps(), gaps.slice(1));
  });
}

/** Everything that a table is about, by the names of its rows. */
function namesIn(
  opened: OperatedLedger,
  table: "event" | "notification" | "server" | "port" | "floatingip",
): Promise<string[]> {
  const column = { event: "key", notification: "message_id", server: "id", port: "id", floatingip: "id" }[table];
  return textsIn(opened, table, column);
}

async function settle(
  { ledger }: OperatedLedger,
  { plugin = "p", ...how }: { readonly plugin?: string } & Pick<Settlement, "outcome" | "endedAt">,
): Promise<void> {
  const [delivery] = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 1 });
  await ledger.settle([settlementOf(delivery!, how)]);
}

async function decideOne({ ledger }: OperatedLedger, messageId: string, decision: Decision): Promise<void> {
  await ledger.record([{ receivedAt: LONG_AGO, notification: madeNotification(messageId) }]);
  await ledger.decide(1, () => decision);
}
