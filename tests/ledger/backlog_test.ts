import assert from "node:assert/strict";
import { BacklogCounter, SLICE } from "../../src/ledger/backlog.ts";
import { announceEvents, decideEvents, madeEvent, settlementOf } from "../support/made_events.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";

const EMPTY = { waiting: { new: 0, blocked: 0, ready: 0 }, oldestAt: null, dead: 0 };

function counter(opened: TemporaryLedger, passedMs = () => 0) {
  const recent = (plugin: string) => opened.ledger.recent(plugin);
  return new BacklogCounter({ database: opened.database, recent, plugins: ["p", "q", "never seen"], passedMs });
}

Deno.test("BacklogCounter counts what waits for a detail, for an earlier one, and for its turn", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["p", "q"]);
  opened.now = 1_000;
  await announceEvents(ledger, [madeEvent("s1/1", ["a"]), madeEvent("s1/2", ["a"]), madeEvent("s2/1", ["b"])]);
  opened.now = 2_000;
  await decideEvents(ledger, [madeEvent("s3/1", ["c"])]);
  const waiting = { new: 1, blocked: 1, ready: 2 };
  assert.deepEqual([...await counter(opened).count()], [
    ["p", { waiting, oldestAt: 1_000, dead: 0 }],
    ["q", { waiting, oldestAt: 1_000, dead: 0 }],
    ["never seen", EMPTY],
  ]);
});

Deno.test("BacklogCounter counts dead letters, and forgets what is done", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["p"]);
  opened.now = 1_000;
  await announceEvents(ledger, [madeEvent("s1/1", ["a"]), madeEvent("s1/2", ["a"]), madeEvent("s2/1", ["b"])]);
  const [first, second] = await ledger.ready({ plugin: "p", now: 1_000, limit: 9 });
  await ledger.settle([
    settlementOf(first!, { outcome: "done", endedAt: 1_500 }),
    settlementOf(second!, { outcome: "dead", endedAt: 1_500 }),
  ]);
  assert.deepEqual((await counter(opened).count()).get("p"), {
    waiting: { new: 0, blocked: 0, ready: 1 },
    oldestAt: 1_000,
    dead: 1,
  });
});

Deno.test("BacklogCounter keeps its figures for a hundred times as long as they took", async () => {
  using opened = new TemporaryLedger();
  let passed = 0;
  // Each look at the clock takes half a second: so does counting, then.
  const counting = counter(opened, () => passed += 500);
  await opened.ledger.activate(["p"]);
  assert.deepEqual((await counting.count()).get("p"), EMPTY);
  await announceEvents(opened.ledger, [madeEvent("s1/1", ["a"])]);
  passed += 40_000;
  assert.equal((await counting.count()).get("p")?.waiting.ready, 0);
  passed += 10_000;
  assert.equal((await counting.count()).get("p")?.waiting.ready, 1);
});

Deno.test("BacklogCounter counts more than a slice, of each kind, with others at work in between", async () => {
  using opened = new TemporaryLedger();
  const { ledger, database } = opened;
  await ledger.activate(["p", "q"]);
  const per = SLICE + 500;
  const insertEvent = database.prepare(
    "INSERT INTO event (key, notification, decided_at, data, order_keys, detail) VALUES (?, 1, ?, '{}', '[]', ?)",
  );
  const insertDelivery = database.prepare("INSERT INTO delivery (plugin, seq, state, due_at) VALUES (1, ?, ?, ?)");
  const states = ["done", "new", "blocked", "ready", "dead"];
  database.exec("BEGIN");
  for (let n = 0; n < per * states.length; n++) {
    const state = states[n % states.length]!;
    const seq = insertEvent.run(`e${n}`, 1_000 + n, state === "new" ? null : "{}").lastInsertRowid;
    // Many fall due at the same time.
    insertDelivery.run(seq, state, n % 3);
  }
  database.exec("COMMIT");
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  const counted = (await counter(opened).count()).get("p");
  clearInterval(turn);
  assert.deepEqual(counted, { waiting: { new: per, blocked: per, ready: per }, oldestAt: 1_001, dead: per });
  assert.ok(turns > 0);
});
