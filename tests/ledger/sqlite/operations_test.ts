import assert from "node:assert/strict";
import { StatementSync } from "node:sqlite";
import { announceEvents, madeEvent, settlementOf } from "../../support/made_events.ts";
import { LATER_DONE } from "../../../src/ledger/sqlite/order_queries.ts";
import { PARTITIONS } from "../../../src/ledger/sqlite/partitions.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

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
