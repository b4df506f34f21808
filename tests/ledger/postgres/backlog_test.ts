import assert from "node:assert/strict";
import { BacklogCounter } from "../../../src/ledger/postgres/backlog.ts";
import type { WindowState } from "../../../src/ledger/postgres/window.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { announceEvents, decideEvents, madeEvent, settlementOf } from "../../support/made_events.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const EMPTY = { waiting: { new: 0, blocked: 0, ready: 0, queued: 0 }, oldestAt: null, dead: 0 };

/** What a process counts: one that delivers, and one that does not. */
function counting(
  opened: TemporaryPostgresLedger,
  { delivers = true, passedMs = () => 0 }: { readonly delivers?: boolean; readonly passedMs?: () => number } = {},
) {
  const queueOf = async (plugin: string): Promise<WindowState | null> => {
    if (!delivers) return null;
    // Reads the queue, as a lane does.
    await opened.ledger.nextDueAt(plugin);
    return opened.ledger.stateOf(plugin);
  };
  return new BacklogCounter({ queries: opened.client, queueOf, plugins: ["p", "never seen"], passedMs });
}

async function filled(): Promise<TemporaryPostgresLedger> {
  const opened = await TemporaryPostgresLedger.open();
  const { ledger } = opened;
  await ledger.activate(["p"]);
  opened.now = 1000;
  await announceEvents(ledger, [
    madeEvent("s1/1", ["a"]),
    madeEvent("s1/2", ["a"]),
    madeEvent("s2/1", ["b"]),
    madeEvent("s3/1", ["c"]),
    madeEvent("s4/1", ["d"]),
  ]);
  opened.now = 2000;
  await decideEvents(ledger, [madeEvent("s5/1", ["e"])]);
  const ready = await ledger.ready({ plugin: "p", now: 2000, limit: 9 });
  const of = (key: string) => ready.find(({ event }) => event.key === key)!;
  await ledger.settle([
    settlementOf(of("s2/1"), { outcome: "done", endedAt: 2000 }),
    settlementOf(of("s3/1"), { outcome: "dead", endedAt: 2000 }),
    settlementOf(of("s4/1"), { outcome: "retry", endedAt: 2000, dueAt: 9000 }),
  ]);
  return opened;
}

Deno.test("BacklogCounter knows of a plugin whose deliveries are made here what waits for what", async () => {
  await using opened = await filled();
  assert.deepEqual([...await counting(opened).count()], [
    ["p", { waiting: { new: 1, blocked: 1, ready: 2, queued: 0 }, oldestAt: 1000, dead: 1 }],
    ["never seen", EMPTY],
  ]);
});

Deno.test("BacklogCounter counts of other plugins what the tables tell", async () => {
  await using opened = await filled();
  assert.deepEqual((await counting(opened, { delivers: false }).count()).get("p"), {
    waiting: { new: 0, blocked: 0, ready: 1, queued: 3 },
    oldestAt: 1000,
    dead: 1,
  });
});

Deno.test("BacklogCounter keeps its figures for a hundred times as long as they took", async () => {
  await using opened = await filled();
  let passed = 0;
  // Each look at the clock takes half a second: so does counting, then.
  const counter = counting(opened, { passedMs: () => passed += 500 });
  assert.equal((await counter.count()).get("p")?.dead, 1);
  await opened.sql("UPDATE delivery SET state = 'dropped' WHERE state = 'dead'");
  passed += 40_000;
  assert.equal((await counter.count()).get("p")?.dead, 1);
  passed += 10_000;
  assert.equal((await counter.count()).get("p")?.dead, 0);
});

Deno.test("BacklogCounter keeps its figures while the ledger cannot be read", async () => {
  await using opened = await filled();
  let isAway = true;
  const queueOf = () => isAway ? Promise.reject(new LedgerUnavailable("away")) : Promise.resolve(null);
  const counter = new BacklogCounter({ queries: opened.client, queueOf, plugins: ["p"], passedMs: () => 0 });
  await assert.rejects(counter.count(), LedgerUnavailable);
  isAway = false;
  const counted = await counter.count();
  assert.equal(counted.get("p")?.dead, 1);
  isAway = true;
  assert.deepEqual(await counter.count(), counted);
});
