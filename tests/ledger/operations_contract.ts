/**
 * What operators' commands must do to every ledger that outlives its process.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Ledger } from "../../src/model/ledger.ts";
import type { ListFilter } from "../../src/model/operations.ts";
import { announceEvents, madeEvent, settlementOf } from "../support/made_events.ts";
import type { OperatedContract } from "./operated_ledger.ts";

export function testOperations({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);

  test("a delivery that is replayed while a later one is under way is given up when that one is done", async () => {
    await using opened = await open();
    const { ledger } = opened;
    const { deletion } = await giveUpCreation(ledger);
    assert.equal(deletion.event.key, "s/deletion");
    await using operations = await opened.operations();
    assert.equal((await operations.replay({ keys: ["s/creation"] }, { force: false }))[0]?.refused, null);
    await ledger.settle([settlementOf(deletion, { outcome: "done", endedAt: 2 })]);
    assert.deepEqual(await ledger.ready({ plugin: "P", now: 9, limit: 9 }), []);
    const [shown] = (await operations.show("s/creation"))?.deliveries ?? [];
    assert.equal(shown?.state, "dead");
    assert.match(shown?.failures.at(-1)?.error ?? "", /A later event that shares a key was delivered/);
  });

  test("a delivery that failed while an earlier one was replayed waits for that one", async () => {
    await using opened = await open();
    const { ledger } = opened;
    const { creation, deletion } = await giveUpCreation(ledger);
    await using operations = await opened.operations();
    await operations.replay({ keys: ["s/creation"] }, { force: false });
    await ledger.settle([settlementOf(deletion, { outcome: "retry", endedAt: 2 })]);
    const ready = async () => (await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key);
    assert.deepEqual(await ready(), ["s/creation"]);
    await ledger.settle([settlementOf(creation, { outcome: "done", endedAt: 3 })]);
    assert.deepEqual(await ready(), ["s/deletion"]);
  });

  test("show() names what a delivery waits for, whether it is written that that one holds a key or not", async () => {
    await using opened = await open();
    await opened.ledger.activate(["P"]);
    await announceEvents(opened.ledger, ["1", "2", "3"].map((name) => madeEvent(`s/${name}`, ["s", "n"])));
    await using operations = await opened.operations();
    const waitsFor = async (key: string) => (await operations.show(key))?.deliveries[0]?.waitsFor;
    assert.deepEqual(await Promise.all(["s/1", "s/2", "s/3"].map(waitsFor)), [[], ["s/1"], ["s/1", "s/2"]]);
  });

  test("a delivery that an operator drops stands in nobody's way any more, neither now nor later", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
    await using operations = await opened.operations();
    const ready = async () => (await ledger.ready({ plugin: "P", now: 0, limit: 9 })).map(({ event }) => event.key);
    await operations.drop({ keys: ["s/1", "s/2"] });
    assert.deepEqual(await ready(), ["s/3"]);
    await operations.drop({ keys: ["s/3"] });
    await announceEvents(ledger, [madeEvent("s/4", ["s"])]);
    assert.deepEqual(await ready(), ["s/4"]);
  });

  test("a delivery that was dropped while an earlier one was under way does not keep the next one back", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
    const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
    await using operations = await opened.operations();
    await operations.drop({ keys: ["s/2"] });
    await ledger.settle([settlementOf(first!, { outcome: "done", endedAt: 1 })]);
    assert.deepEqual((await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/3"]);
  });

  test("what one command of an operator found is not believed by the next: the service wrote in between", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"])]);
    const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
    await ledger.settle([settlementOf(first!, { outcome: "dead", endedAt: 1 })]);
    await using operations = await opened.operations();
    // Nobody holds anything now.
    await operations.drop({ keys: ["s/1"] });
    await announceEvents(ledger, [madeEvent("s/2", ["s"]), madeEvent("s/3", ["s"])]);
    await operations.drop({ keys: ["s/2"] });
    assert.deepEqual((await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/3"]);
  });

  test("a delivery that is replayed keeps what comes later waiting, however much is written meanwhile", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"])]);
    const [first] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
    await ledger.settle([settlementOf(first!, { outcome: "dead", endedAt: 1 })]);
    await using operations = await opened.operations();
    await operations.replay({ keys: ["s/1"] }, { force: false });
    // What finished deliveries held is taken out once in so many transactions.
    for (let times = 0; times < 200; times++) await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/2", ["s"])]);
    assert.deepEqual((await ledger.ready({ plugin: "P", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/1"]);
  });

  test("refusals() says what replay() and drop() would answer, and does nothing", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P", "Q"]);
    const events = ["s/1", "s/2", "t/1", "u/1"].map((key) => madeEvent(key, [key.slice(0, 1)]));
    await announceEvents(ledger, events);
    const settle = async (plugin: string, outcomes: Readonly<Record<string, "dead" | "done">>) => {
      for (const [key, outcome] of Object.entries(outcomes)) {
        const ready = await ledger.ready({ plugin, now: 9, limit: 9 });
        const delivery = ready.find(({ event }) => event.key === key)!;
        await ledger.settle([settlementOf(delivery, { outcome, endedAt: 1 })]);
      }
    };
    await settle("P", { "s/1": "dead", "s/2": "done", "t/1": "dead" });
    await settle("Q", { "s/1": "dead", "s/2": "dead", "u/1": "done" });
    await using operations = await opened.operations();
    const keys = ["s/1", "s/2", "t/1", "u/1"];
    const cases = [{ keys }, { keys: ["s/1", "t/1"], plugin: "P" }, { keys: ["u/1"], plugin: "Q" }, {
      dead: true,
      plugin: "Q",
    }];
    for (const selection of cases) {
      for (const force of [false, true]) {
        const wanted = { action: "replay", force, limit: 99 } as const;
        const first = await operations.refusals(selection, wanted);
        assert.deepEqual(await operations.refusals(selection, wanted), first);
        assert.deepEqual(await operations.refusals(selection, { ...wanted, limit: 1 }), first.slice(0, 1));
      }
    }
    const planned = await operations.refusals({ keys }, { action: "replay", force: false, limit: 99 });
    assert.deepEqual(planned.map(({ key, plugin, refused }) => [key, plugin, refused === null]), [
      ["s/1", "P", false],
      ["s/1", "Q", true],
      ["s/2", "Q", true],
      ["t/1", "P", true],
      ["u/1", "P", false],
      ["u/1", "Q", false],
    ]);
    assert.deepEqual(await operations.replay({ keys }, { force: false }), planned);
    const dropped = await operations.refusals({ keys }, { action: "drop", force: false, limit: 99 });
    assert.deepEqual(await operations.drop({ keys }), dropped);
  });

  test("replay() of many dead letters with much delivered since costs little for each", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P"]);
    const events = Array.from({ length: 3000 }, (_, n) => madeEvent(`s${n}/creation`, [`s${n}`, `n${n}`]));
    await announceEvents(ledger, events);
    const ready = await ledger.ready({ plugin: "P", now: 0, limit: 9999 });
    await ledger.settle(ready.map((one, n) => settlementOf(one, { outcome: n < 1000 ? "dead" : "done", endedAt: 1 })));
    await using operations = await opened.operations();
    const treated = await operations.replay({ dead: true }, { force: false });
    assert.equal(treated.filter(({ refused }) => refused === null).length, 1000);
  });

  test("list() gives what waits newest first, whether the file says what it waits for or not", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["p"]);
    await announceEvents(ledger, Array.from({ length: 6 }, (_, n) => madeEvent(`s/${n + 1}`, [`s${n + 1}`])));
    const tried = (await ledger.ready({ plugin: "p", now: 9, limit: 9 })).filter(({ event }) => /[26]/.test(event.key));
    await ledger.settle(tried.map((one) => settlementOf(one, { outcome: "retry", endedAt: 1, dueAt: 5 })));
    await using operations = await opened.operations();
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

  test("pause() is kept, told by all that list, and ended by resume(); of two pauses the first counts", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(["P", "Q"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("s/2", ["s"])]);
    const [first] = await ledger.ready({ plugin: "P", now: 9, limit: 1 });
    await ledger.settle([settlementOf(first!, { outcome: "done", endedAt: 1 })]);
    await using operations = await opened.operations();
    const by = 'root@host (command) \x1e\\ "ä"';
    const before = Date.now();
    assert.deepEqual([await operations.pause("P", by), await operations.pause("P", "another")], [true, false]);
    const { paused, resumedAt } = await ledger.pauseOf("P");
    assert.deepEqual([paused?.by, resumedAt, await ledger.pauseOf("Q")], [by, null, { paused: null, resumedAt: null }]);
    assert.ok(paused !== null && paused.at >= before && paused.at <= Date.now());
    assert.deepEqual(await operations.pauses(), new Map([["P", paused]]));
    assert.deepEqual((await operations.pluginStates()).map((state) => [state.plugin, state.paused]), [
      ["P", paused],
      ["Q", null],
    ]);
    const listed = (await Array.fromAsync(operations.list({ limit: 9 }))).flat();
    assert.deepEqual(listed.map(({ key, plugin, isPaused }) => [key, plugin, isPaused]), [
      ["s/2", "Q", undefined],
      ["s/2", "P", true],
      ["s/1", "Q", undefined],
      ["s/1", "P", undefined],
    ]);
    assert.deepEqual((await operations.show("s/2"))?.deliveries.map((shown) => shown.paused), [paused, undefined]);
    assert.deepEqual((await operations.show("s/1"))?.deliveries.map((shown) => shown.paused), [undefined, undefined]);
    // What a start of the service does.
    await ledger.activate(["P", "Q"]);
    assert.deepEqual((await ledger.pauseOf("P")).paused, paused);
    assert.deepEqual([await operations.resume("P"), await operations.resume("P")], [true, false]);
    const resumed = await ledger.pauseOf("P");
    assert.ok(resumed.paused === null && resumed.resumedAt !== null && resumed.resumedAt >= paused.at);
    assert.deepEqual([await operations.pauses(), await operations.pause("unknown", by)], [new Map(), false]);
  });

  test("list() finds nothing of a resource whose name is longer than any, or looks like a pattern", async () => {
    await using opened = await open();
    await opened.ledger.activate(["P"]);
    await announceEvents(opened.ledger, [madeEvent("s/creation", ["s"])]);
    await using operations = await opened.operations();
    for (const resource of ["x".repeat(60_000), "%", "_", '"', "\\", "\x1b", "\ud800"]) {
      assert.deepEqual((await Array.fromAsync(operations.list({ resource, limit: 9 }))).flat(), []);
    }
  });
}

/** A creation that was given up, and the later deletion of the same server, which is ready by then. */
async function giveUpCreation(ledger: Ledger) {
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("s/creation", ["s"]), madeEvent("s/deletion", ["s"])]);
  const [creation] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  await ledger.settle([settlementOf(creation!, { outcome: "dead", endedAt: 1 })]);
  const [deletion] = await ledger.ready({ plugin: "P", now: 9, limit: 9 });
  return { creation: creation!, deletion: deletion! };
}
