import assert from "node:assert/strict";
import { StatementSync } from "node:sqlite";
import { announceEvents, madeEvent, settlementOf } from "../../support/made_events.ts";
import type { ListFilter } from "../../../src/model/operations.ts";
import { LATER_DONE } from "../../../src/ledger/sqlite/order_queries.ts";
import type { SqliteLedger } from "../../../src/ledger/sqlite/ledger.ts";
import { PARTITIONS } from "../../../src/ledger/sqlite/partitions.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

Deno.test("a delivery that is replayed while a later one is under way is given up when that one is done", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  const { deletion } = await giveUpCreation(ledger);
  assert.equal(deletion.event.key, "s/deletion");
  await using operations = opened.operations();
  assert.equal((await operations.replay({ keys: ["s/creation"] }, { force: false }))[0]?.refused, null);
  await ledger.settle([settlementOf(deletion, { outcome: "done", endedAt: 2 })]);
  assert.deepEqual(await ledger.ready({ plugin: "P", now: 9, limit: 9 }), []);
  const [shown] = (await operations.show("s/creation"))?.deliveries ?? [];
  assert.equal(shown?.state, "dead");
  assert.match(shown?.failures.at(-1)?.error ?? "", /A later event that shares a key was delivered/);
});

Deno.test("a delivery that failed while an earlier one was replayed waits for that one", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  const { creation, deletion } = await giveUpCreation(ledger);
  await using operations = opened.operations();
  await operations.replay({ keys: ["s/creation"] }, { force: false });
  await ledger.settle([settlementOf(deletion, { outcome: "retry", endedAt: 2 })]);
  const ready = async () => (await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key);
  assert.deepEqual(await ready(), ["s/creation"]);
  await ledger.settle([settlementOf(creation, { outcome: "done", endedAt: 3 })]);
  assert.deepEqual(await ready(), ["s/deletion"]);
});

Deno.test("show() names what a delivery waits for, whether it is written that that one holds a key or not", async () => {
  for (const windowSize of [0, 1, 9]) {
    using opened = new TemporaryLedger({ windowSize });
    await opened.ledger.activate(["P"]);
    await announceEvents(opened.ledger, ["1", "2", "3"].map((name) => madeEvent(`s/${name}`, ["s", "n"])));
    await using operations = opened.operations();
    const waitsFor = async (key: string) => (await operations.show(key))?.deliveries[0]?.waitsFor;
    assert.deepEqual(await Promise.all(["s/1", "s/2", "s/3"].map(waitsFor)), [[], ["s/1"], ["s/1", "s/2"]]);
  }
});

Deno.test("show() names what a delivery waits for, however many events ago that was", async () => {
  using opened = new TemporaryLedger({ windowSize: 1 });
  const { ledger, database } = opened;
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("s/1", ["s"])]);
  database.exec("UPDATE sqlite_sequence SET seq = 20000 WHERE name = 'event'");
  await announceEvents(ledger, [madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
  await using operations = opened.operations();
  assert.deepEqual((await operations.show("s/3"))?.deliveries[0]?.waitsFor, ["s/1", "s/2"]);
});

Deno.test("a delivery that an operator drops stands in nobody's way any more, neither now nor later", async () => {
  for (const windowSize of [0, 9]) {
    using opened = new TemporaryLedger({ windowSize });
    const { ledger } = opened;
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
    await using operations = opened.operations();
    const ready = async () => (await ledger.ready({ plugin: "P", now: 0, limit: 9 })).map(({ event }) => event.key);
    await operations.drop({ keys: ["s/1", "s/2"] });
    assert.deepEqual(await ready(), ["s/3"]);
    await operations.drop({ keys: ["s/3"] });
    await announceEvents(ledger, [madeEvent("s/4", ["s"])]);
    assert.deepEqual(await ready(), ["s/4"]);
  }
});

Deno.test("a delivery that was dropped while an earlier one was under way does not keep the next one back", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
  const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  await using operations = opened.operations();
  await operations.drop({ keys: ["s/2"] });
  await ledger.settle([settlementOf(first!, { outcome: "done", endedAt: 1 })]);
  assert.deepEqual((await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/3"]);
});

Deno.test("what one command of an operator found is not believed by the next: the service wrote in between", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("s/1", ["s"])]);
  const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  await ledger.settle([settlementOf(first!, { outcome: "dead", endedAt: 1 })]);
  await using operations = opened.operations();
  // Nobody holds anything now.
  await operations.drop({ keys: ["s/1"] });
  await announceEvents(ledger, [madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
  await operations.drop({ keys: ["s/2"] });
  assert.deepEqual((await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/3"]);
});

Deno.test("a delivery that is replayed keeps what comes later waiting, however much is written meanwhile", async () => {
  for (const windowSize of [0, 9]) {
    using opened = new TemporaryLedger({ windowSize });
    const { ledger } = opened;
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"])]);
    const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
    await ledger.settle([settlementOf(first!, { outcome: "dead", endedAt: 1 })]);
    await using operations = opened.operations();
    await operations.replay({ keys: ["s/1"] }, { force: false });
    // What finished deliveries held is taken out once in so many transactions.
    for (let times = 0; times < 200; times++) await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/2", ["s"])]);
    assert.deepEqual((await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/1"]);
  }
});

Deno.test("replay() looks up what was delivered later by the keys, however much that was", () => {
  using opened = new TemporaryLedger();
  const plan = opened.database.prepare(`EXPLAIN QUERY PLAN ${LATER_DONE}`).all().map((row) => String(row["detail"]))
    .join("\n");
  assert.match(plan, /SEARCH o USING PRIMARY KEY \(span=\? AND order_key=\? AND seq>\?\)/);
  assert.match(plan, /SEARCH d USING PRIMARY KEY \(seq=\? AND plugin=\?\)/);
});

Deno.test("what is looked up by an order key costs nothing for the partitions that were pruned behind an old dead letter", async () => {
  using opened = new TemporaryLedger();
  const { ledger, database } = opened;
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("server/s/creation", ["server/s"])]);
  // What years of events that were pruned since leave: the next number.
  database.exec("UPDATE sqlite_sequence SET seq = 20000000000 WHERE name = 'event'");
  await announceEvents(ledger, [madeEvent("server/s/deletion", ["server/s"])]);
  const [creation] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  await ledger.settle([settlementOf(creation!, { outcome: "dead", endedAt: 1 })]);
  const [deletion] = await ledger.ready({ plugin: "P", now: 9, limit: 9 });
  await ledger.settle([settlementOf(deletion!, { outcome: "done", endedAt: 2 })]);
  assert.equal(database.prepare(PARTITIONS).all().length, 2);
  await using operations = opened.operations();
  assert.deepEqual(
    (await Array.fromAsync(operations.list({ resource: "s", limit: 9 }))).flat().map(({ state }) => state),
    [
      "done",
      "dead",
    ],
  );
  assert.match(
    (await operations.replay({ dead: true }, { force: false }))[0]?.refused ?? "",
    /server\/s\/deletion was delivered/,
  );
});

Deno.test("replay() of many dead letters with much delivered since costs little for each", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["P"]);
  const events = Array.from({ length: 3000 }, (_, n) => madeEvent(`s${n}/creation`, [`s${n}`, `n${n}`]));
  await announceEvents(ledger, events);
  const ready = await ledger.ready({ plugin: "P", now: 0, limit: 9999 });
  await ledger.settle(ready.map((one, n) => settlementOf(one, { outcome: n < 1000 ? "dead" : "done", endedAt: 1 })));
  await using operations = opened.operations();
  const treated = await operations.replay({ dead: true }, { force: false });
  assert.equal(treated.filter(({ refused }) => refused === null).length, 1000);
});

Deno.test("a ledger is for its owner and group alone", async () => {
  using opened = new TemporaryLedger();
  await opened.ledger.activate(["P"]);
  await using operations = opened.operations();
  await operations.backup(`${opened.file}.copy`);
  for (const end of ["", "-wal", ".copy"]) {
    const { mode } = Deno.statSync(opened.file + end);
    assert.equal((mode ?? 0) & 0o007, 0, `${end || "the file"}: ${mode?.toString(8)}`);
  }
  Deno.removeSync(`${opened.file}.copy`);
});

Deno.test("list() gives what waits newest first, whether the file says what it waits for or not", async () => {
  using opened = new TemporaryLedger({ windowSize: 3 });
  const { ledger } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, Array.from({ length: 6 }, (_, n) => madeEvent(`s/${n + 1}`, [`s${n + 1}`])));
  const tried = (await ledger.ready({ plugin: "p", now: 9, limit: 9 })).filter(({ event }) => /[26]/.test(event.key));
  await ledger.settle(tried.map((one) => settlementOf(one, { outcome: "retry", endedAt: 1, dueAt: 5 })));
  await using operations = opened.operations();
  const keys = async (filter: Pick<ListFilter, "state" | "plugin">, limit = 9) =>
    (await Array.fromAsync(operations.list({ ...filter, limit }))).flat().map(({ key }) => key);
  assert.deepEqual(await keys({ state: "waiting" }), ["s/5", "s/4", "s/3", "s/1"]);
  assert.deepEqual(await keys({ state: "waiting", plugin: "p" }, 2), ["s/5", "s/4"]);
  assert.deepEqual(await keys({ state: "retrying" }), ["s/6", "s/2"]);
  assert.deepEqual(
    (await operations.drop({ plugin: "p" })).map(({ key }) => key),
    ["1", "2", "3", "4", "5", "6"].map((n) => `s/${n}`),
  );
  assert.deepEqual(await ledger.ready({ plugin: "p", now: 9, limit: 9 }), []);
});

/** Acts just before one of the next statements that read. */
class Interloper implements Disposable {
  readonly #get = StatementSync.prototype.get;
  readonly #all = StatementSync.prototype.all;
  #left: number;

  constructor(left: number, act: () => void) {
    this.#left = left;
    const [get, all] = [this.#get, this.#all];
    const count = () => {
      if (this.#left-- === 0) act();
    };
    StatementSync.prototype.get = function (...values: readonly unknown[]) {
      count();
      return Reflect.apply(get, this, values);
    };
    StatementSync.prototype.all = function (...values: readonly unknown[]) {
      count();
      return Reflect.apply(all, this, values);
    };
  }

  /** Whether there were so many statements. */
  get acted(): boolean {
    return this.#left < 0;
  }

  [Symbol.dispose](): void {
    Object.assign(StatementSync.prototype, { get: this.#get, all: this.#all });
  }
}

Deno.test("ready() and nextDueAt() give what is so at one moment, at whichever statement an operator comes between", async () => {
  for (const keys of [["s/1"], ["t/1"]]) {
    for (let at = 0, more = true; more; at++) {
      using opened = new TemporaryLedger();
      const { ledger } = opened;
      await ledger.activate(["P"]);
      await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"]), madeEvent("t/1", ["t"])]);
      const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 1 });
      await ledger.settle([settlementOf(first!, { outcome: "dead", endedAt: 1 })]);
      await using operations = opened.operations();
      using interloper = new Interloper(at, () => {
        // They act before they return their promises.
        void operations.drop({ keys });
        void operations.replay({ keys }, { force: true });
      });
      const ready = await ledger.ready({ plugin: "P", now: 9, limit: 9 });
      const given = ready.map(({ event }) => event.key).toSorted();
      assert.deepEqual(given, interloper.acted && keys.includes("s/1") ? ["s/1", "t/1"] : ["s/2", "t/1"], `at ${at}`);
      assert.equal(await ledger.nextDueAt("P"), 0);
      more = interloper.acted;
    }
  }
});

Deno.test("list() leaves out nothing that waits, at whichever statement somebody writes what it waits for", async () => {
  for (let at = 0, more = true; more; at++) {
    using opened = new TemporaryLedger();
    await opened.ledger.activate(["p"]);
    await announceEvents(opened.ledger, ["1", "2", "3"].map((n) => madeEvent(`s/${n}`, ["s"])));
    await using operations = opened.operations();
    await using others = opened.operations();
    using interloper = new Interloper(at, () => void others.drop({ keys: ["s/3"] }));
    const keys = (await Array.fromAsync(operations.list({ state: "waiting", limit: 9 }))).flat().map(({ key }) => key);
    assert.deepEqual(keys.filter((key) => key !== "s/3"), ["s/2", "s/1"], `at ${at}`);
    more = interloper.acted;
  }
});

Deno.test("list() finds nothing of a resource whose name is longer than any, or looks like a pattern", async () => {
  using opened = new TemporaryLedger();
  await opened.ledger.activate(["P"]);
  await announceEvents(opened.ledger, [madeEvent("s/creation", ["s"])]);
  await using operations = opened.operations();
  for (const resource of ["x".repeat(60_000), "%", "_", '"', "\\", "\x1b", "\ud800"]) {
    assert.deepEqual((await Array.fromAsync(operations.list({ resource, limit: 9 }))).flat(), []);
  }
});

/** A creation that was given up, and the later deletion of the same server, which is ready by then. */
async function giveUpCreation(ledger: SqliteLedger) {
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("s/creation", ["s"]), madeEvent("s/deletion", ["s"])]);
  const [creation] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  await ledger.settle([settlementOf(creation!, { outcome: "dead", endedAt: 1 })]);
  const [deletion] = await ledger.ready({ plugin: "P", now: 9, limit: 9 });
  return { creation: creation!, deletion: deletion! };
}
