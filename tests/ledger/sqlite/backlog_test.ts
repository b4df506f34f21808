import assert from "node:assert/strict";
import { BacklogCounter, SLICE } from "../../../src/ledger/sqlite/backlog.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { announceEvents, decideEvents, madeEvent, settlementOf } from "../../support/made_events.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

const EMPTY = { waiting: { new: 0, blocked: 0, ready: 0, queued: 0 }, oldestAt: null, dead: 0 };

function counter(opened: TemporaryLedger, passedMs = () => 0) {
  const queueOf = (plugin: string) => opened.ledger.queueOf(plugin);
  return new BacklogCounter({ database: opened.database, queueOf, plugins: ["p", "q", "never seen"], passedMs });
}

Deno.test("BacklogCounter counts what waits for a detail, for an earlier one, and for its turn", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["p", "q"]);
  opened.now = 1_000;
  await announceEvents(ledger, [madeEvent("s1/1", ["a"]), madeEvent("s1/2", ["a"]), madeEvent("s2/1", ["b"])]);
  opened.now = 2_000;
  await decideEvents(ledger, [madeEvent("s3/1", ["c"])]);
  const waiting = { new: 1, blocked: 1, ready: 2, queued: 0 };
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
    waiting: { new: 0, blocked: 0, ready: 1, queued: 0 },
    oldestAt: 1_000,
    dead: 1,
  });
});

Deno.test("BacklogCounter counts what was attempted in vain once", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"])]);
  const [first] = await ledger.ready({ plugin: "p", now: 9, limit: 9 });
  await ledger.settle([settlementOf(first!, { outcome: "retry", endedAt: 1, dueAt: 5 })]);
  assert.deepEqual((await counter(opened).count()).get("p")?.waiting, { new: 0, blocked: 1, ready: 1, queued: 0 });
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
  assert.deepEqual(counted, { waiting: { new: per, blocked: per, ready: per, queued: 0 }, oldestAt: 1_001, dead: per });
  assert.ok(turns > 0);
});

Deno.test("BacklogCounter counts right at once when an operator has written, and when a transaction was rolled back", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, ["1", "2", "3"].map((n) => madeEvent(`s/${n}`, ["s"])));
  await announceEvents(ledger, ["1", "2", "3"].map((n) => madeEvent(`t${n}/1`, [`t${n}`])));
  const waiting = async () => (await counter(opened).count()).get("p")?.waiting;
  assert.deepEqual(await waiting(), { new: 0, blocked: 2, ready: 4, queued: 0 });
  await using operations = opened.operations();
  await operations.drop({ keys: ["t1/1"] });
  assert.deepEqual(await waiting(), { new: 0, blocked: 2, ready: 3, queued: 0 });
  await announceEvents(ledger, [madeEvent("u/1", ["u"])]);
  await assert.rejects(decideEvents(ledger, [madeEvent("v/1")], () => {
    throw new RangeError("broken");
  }));
  assert.deepEqual(await waiting(), { new: 0, blocked: 2, ready: 4, queued: 0 });
});

Deno.test("BacklogCounter counts what is in memory and what is not, also after memory has begun anew", async () => {
  using opened = new TemporaryLedger({ windowSize: 400 });
  const { ledger } = opened;
  await ledger.activate(["p"]);
  const queued = SLICE + 500;
  await ledger.nextDueAt("p");
  await announceEvents(ledger, Array.from({ length: 400 + queued }, (_, n) => madeEvent(`s${n}/1`, [`s${n}`])));
  const waiting = async () => (await counter(opened).count()).get("p")!.waiting;
  assert.deepEqual(await waiting(), { new: 0, blocked: 0, ready: 400, queued });
  await using operations = opened.operations();
  await operations.drop({ keys: ["s0/1"] });
  const after = await waiting();
  assert.deepEqual([after.ready + after.queued, after.ready < 400], [399 + queued, true]);
});

Deno.test("BacklogCounter counts what its own look at the queue writes", async () => {
  using opened = new TemporaryLedger({ windowSize: 8 });
  await opened.ledger.activate(["p"]);
  await decideEvents(opened.ledger, Array.from({ length: 60 }, (_, n) => madeEvent(`t/${n}`, ["t"])));
  const waiting = (await counter(opened).count()).get("p")?.waiting;
  assert.deepEqual(waiting, { new: 60, blocked: 0, ready: 0, queued: 0 });
});

Deno.test("BacklogCounter keeps its figures while the ledger cannot be written", async () => {
  using opened = new TemporaryLedger();
  const { ledger, database } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, [madeEvent("s/1", ["s"])]);
  let isFull = true;
  const queueOf = (plugin: string) =>
    isFull ? Promise.reject(new LedgerUnavailable("database or disk is full")) : ledger.queueOf(plugin);
  const counting = new BacklogCounter({ database, queueOf, plugins: ["p"], passedMs: () => 0 });
  await assert.rejects(counting.count(), LedgerUnavailable);
  isFull = false;
  const counted = await counting.count();
  assert.equal(counted.get("p")?.waiting.ready, 1);
  isFull = true;
  assert.deepEqual(await counting.count(), counted);
});
