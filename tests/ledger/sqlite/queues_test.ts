import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { StatementSync } from "node:sqlite";
import fc from "fast-check";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import {
  announceEvents,
  decideEvents,
  decisionOf,
  detailOf,
  madeEvent,
  promptDetail,
  settlementOf,
} from "../../support/made_events.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

/** Lets some statements write, and the next one find no room, once: BEGIN and COMMIT are statements, too. */
class FullDisk implements Disposable {
  readonly #run = StatementSync.prototype.run;
  left = Infinity;

  constructor() {
    const run = this.#run;
    const takes = () => this.left-- === 0;
    StatementSync.prototype.run = function (...values: readonly unknown[]) {
      if (takes()) throw Object.assign(new Error("database or disk is full"), { errcode: 13 });
      return Reflect.apply(run, this, values);
    };
  }

  [Symbol.dispose](): void {
    StatementSync.prototype.run = this.#run;
  }
}

const PLUGINS = ["p", "q"] as const;
const KEYS = fc.array(fc.subarray(["a", "b", "c", "d"]), { maxLength: 5 });
const STEP = fc.record({
  what: fc.oneof(
    fc.record({ do: fc.constant("announce" as const), keys: KEYS }),
    fc.record({ do: fc.constant("detail" as const) }),
    fc.record({
      do: fc.constant("settle" as const),
      which: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
      outcome: fc.constantFrom("done", "dead", "retry"),
      announced: KEYS,
    }),
    fc.record({ do: fc.constant("reopen" as const) }),
    fc.record({ do: fc.constantFrom("drop" as const, "replay" as const), which: fc.array(fc.nat(20)) }),
  ),
  room: fc.oneof(fc.constant(Infinity), fc.nat(40)),
});
type What = typeof STEP extends fc.Arbitrary<{ readonly what: infer Value }> ? Value : never;

/** Unfinished deliveries with the state that the earlier ones ask for. */
const UNFINISHED = `WITH holder AS (
    SELECT d.plugin, d.seq, k.value AS order_key FROM delivery AS d JOIN event AS e ON e.seq = d.seq
      JOIN json_each(e.order_keys) AS k WHERE d.state IN ('queued', 'new', 'blocked', 'ready'))
  SELECT p.name, d.seq, d.state, CASE
    WHEN e.detail IS NULL THEN 'new'
    WHEN EXISTS (SELECT 1 FROM holder AS own JOIN holder AS earlier USING (plugin, order_key)
      WHERE plugin = d.plugin AND own.seq = d.seq AND earlier.seq < d.seq) THEN 'blocked'
    ELSE 'ready' END AS expected
  FROM delivery AS d JOIN event AS e ON e.seq = d.seq JOIN plugin AS p ON p.id = d.plugin
  WHERE d.state IN ('queued', 'new', 'blocked', 'ready')`;

/** A ledger, and how many events were announced in it. */
class Run {
  readonly #opened: TemporaryLedger;
  #events = 0;

  constructor(opened: TemporaryLedger) {
    this.#opened = opened;
  }

  async take(what: What): Promise<void> {
    if (what.do === "announce") await this.#announce(what.keys);
    else if (what.do === "detail") await this.#detail();
    else if (what.do === "settle") await this.#settle(what);
    else if (what.do !== "reopen") {
      await using operations = this.#opened.operations();
      const keys = what.which.map((each) => `s/${each}`);
      if (what.do === "drop") await operations.drop({ keys });
      else await operations.replay({ keys }, { force: true });
    }
  }

  /** What the file says is right, and so is what memory says of what it has read of the rest. */
  async check(): Promise<void> {
    for (const plugin of PLUGINS) {
      // Which may write what others wait for.
      const { unreadFrom, ...found } = await this.#opened.ledger.queueOf(plugin);
      const rows = this.#opened.database.prepare(UNFINISHED).all();
      assertEquals(rows.filter(({ state, expected }) => state !== "queued" && state !== expected), []);
      const read = rows.filter(({ name, seq, state }) =>
        name === plugin && state === "queued" && Number(seq) < unreadFrom
      );
      const waiting = { new: 0, blocked: 0, ready: 0 };
      for (const { expected } of read) waiting[expected as keyof typeof waiting]++;
      const first = read.filter(({ expected }) => expected !== "blocked").map(({ seq }) => Number(seq));
      assertEquals(found, { waiting, oldest: Math.min(...first) });
    }
  }

  /** All that is to be attempted is found, however much of it was not in memory. */
  async checkAll(): Promise<void> {
    for (const plugin of PLUGINS) {
      const rows = this.#opened.database.prepare(UNFINISHED).all().filter(({ name }) => name === plugin);
      const ready = await this.#opened.ledger.ready({ plugin, now: 9, limit: 999 });
      const expected = rows.filter((row) => row["expected"] === "ready").map(({ seq }) => Number(seq));
      assertEquals(ready.map(({ seq }) => seq).toSorted((one, other) => one - other), expected);
    }
  }

  async #announce(keys: readonly (readonly string[])[], isPrompt = false): Promise<void> {
    const events = keys.map((each) => madeEvent(`s/${++this.#events}`, each));
    await decideEvents(this.#opened.ledger, events, isPrompt ? promptDetail : undefined);
  }

  async #detail(): Promise<void> {
    const { ledger } = this.#opened;
    await ledger.storeDetails((await ledger.undetailed(4)).map(({ seq, event }) => detailOf(seq, event)));
  }

  /** With new events in one transaction; each alone when that fails. */
  async #settle({ which, outcome, announced }: Extract<What, { readonly do: "settle" }>): Promise<void> {
    const { ledger } = this.#opened;
    const ready = (await Promise.all(PLUGINS.map((plugin) => ledger.ready({ plugin, now: 9, limit: 4 })))).flat();
    const ended = await Promise.allSettled([
      this.#announce(announced, true),
      ...ready.filter((_, index) => which.includes(index))
        .map((one) => ledger.settle([settlementOf(one, { outcome, endedAt: 1, dueAt: 0 })])),
    ]);
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  }
}

Deno.test("whatever statement finds the disk full, who waits for whom stays right", async () => {
  const steps = fc.array(STEP, { minLength: 5, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 1, 3, 9), async (steps, windowSize) => {
      using opened = new TemporaryLedger({ windowSize });
      using disk = new FullDisk();
      await opened.ledger.activate(PLUGINS);
      const run = new Run(opened);
      for (const { what, room } of steps) {
        if (what.do === "reopen") opened.reopen();
        disk.left = room;
        try {
          await run.take(what);
        } catch (error) {
          // An operator's command may find it when it opens the file.
          if (!(error instanceof LedgerUnavailable) && !/no room|disk is full/.test(String(error))) throw error;
        }
        disk.left = Infinity;
        // What was recorded and could not be decided is no event.
        await opened.ledger.decide(Number.MAX_SAFE_INTEGER, () => decisionOf([]));
        await opened.ledger.activate(PLUGINS);
        await run.check();
      }
      await run.checkAll();
    }),
    { numRuns: 60 },
  );
});

Deno.test("what a killed process left behind goes, even if the first transaction after it fails", async () => {
  using opened = new TemporaryLedger();
  await opened.ledger.activate(["p"]);
  await announceEvents(opened.ledger, [madeEvent("s/1", ["s"])]);
  for (const outcome of ["retry", "done"] as const) {
    const ready = await opened.ledger.ready({ plugin: "p", now: 9, limit: 9 });
    await opened.ledger.settle(ready.map((one) => settlementOf(one, { outcome, endedAt: 1, dueAt: 0 })));
  }
  opened.reopen();
  const held = () => opened.database.prepare("SELECT count(*) AS n FROM held").get()?.["n"];
  assertEquals(held(), 1);
  {
    using disk = new FullDisk();
    // BEGIN, what begins a transaction, and no more.
    disk.left = 2;
    await opened.ledger.activate(["q"]).catch(() => {});
  }
  await opened.ledger.activate(["q"]);
  assertEquals(held(), 0);
});

/** How the plugin's unfinished deliveries are in the file. */
function unfinished({ database }: TemporaryLedger): readonly (readonly unknown[])[] {
  const rows = database.prepare("SELECT seq, state FROM delivery WHERE finished_at IS NULL ORDER BY seq").all();
  return rows.map(({ seq, state }) => [seq, state]);
}

Deno.test("what an operator dropped is not read when memory begins anew, and nobody waits for it", async () => {
  using opened = new TemporaryLedger({ windowSize: 2 });
  const { ledger } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, ["1", "2", "3", "4"].map((n) => madeEvent(`s/${n}`, ["s"])));
  await using operations = opened.operations();
  for (const key of ["s/1", "s/3"]) await operations.drop({ keys: [key] });
  const ready = await ledger.ready({ plugin: "p", now: 9, limit: 9 });
  assertEquals(ready.map(({ event }) => event.key), ["s/2"]);
  await ledger.settle(ready.map((one) => settlementOf(one, { outcome: "done", endedAt: 1 })));
  assertEquals((await ledger.ready({ plugin: "p", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/4"]);
});

Deno.test("a plugin that does nothing costs its row alone: nothing of it is written again, however many come", async () => {
  using opened = new TemporaryLedger({ windowSize: 8 });
  const { ledger, database } = opened;
  await ledger.activate(["p"]);
  for (let n = 1; n <= 40; n++) await announceEvents(ledger, [madeEvent(`s/${n}`, [`s${n}`])]);
  await ledger.ready({ plugin: "p", now: 9, limit: 4 });
  assertEquals(new Set(unfinished(opened).map(([, state]) => state)), new Set(["queued"]));
  assertEquals(database.prepare("SELECT count(*) AS n FROM held").get()?.["n"], 0);
});

Deno.test("thousands that wait for one do not stand in the way of those behind them", async () => {
  using opened = new TemporaryLedger({ windowSize: 8 });
  const { ledger } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, Array.from({ length: 60 }, (_, n) => madeEvent(`s/${n}`, ["s"])));
  await announceEvents(ledger, [madeEvent("t/1", ["t"]), madeEvent("u/1", ["s", "u"])]);
  const keys = async () => (await ledger.ready({ plugin: "p", now: 9, limit: 2 })).map(({ event }) => event.key);
  assertEquals(await keys(), ["s/0", "t/1"]);
  opened.reopen();
  await opened.ledger.activate(["p"]);
  const ready = await opened.ledger.ready({ plugin: "p", now: 9, limit: 2 });
  assertEquals(ready.map(({ event }) => event.key), ["s/0", "t/1"]);
  // What can be attempted need not make room.
  assertEquals(unfinished(opened).find(([seq]) => seq === 61), [61, "queued"]);
});

Deno.test("where a queue begins is noted when it is read, and when a plugin is new", async () => {
  using opened = new TemporaryLedger({ windowSize: 8 });
  const { ledger, database } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, Array.from({ length: 20 }, (_, n) => madeEvent(`s/${n}`, [`s${n}`])));
  for (let seq = 1; seq <= 20; seq++) {
    await ledger.settle([settlementOf({ seq, plugin: "p" }, { outcome: "done", endedAt: 1 })]);
  }
  await ledger.activate(["p", "q"]);
  await ledger.ready({ plugin: "p", now: 9, limit: 9 });
  const from = () =>
    database.prepare("SELECT queued_from FROM plugin ORDER BY id").all().map((row) => row["queued_from"]);
  assertEquals(from(), [21, 21]);
  await announceEvents(ledger, [madeEvent("s/20", ["s"]), madeEvent("s/21", ["s"])]);
  opened.reopen();
  await opened.ledger.ready({ plugin: "p", now: 9, limit: 9 });
  assertEquals(opened.database.prepare("SELECT min(queued_from) AS n FROM plugin").get()?.["n"], 21);
});

Deno.test("an operator's command makes nobody read again but the plugins that it was about", async () => {
  using opened = new TemporaryLedger({ windowSize: 8 });
  const { ledger } = opened;
  await ledger.activate(["p", "q"]);
  await announceEvents(ledger, Array.from({ length: 40 }, (_, n) => madeEvent(`s/${n}`, [`s${n}`])));
  const read = async (plugin: string) => (await ledger.queueOf(plugin)).unreadFrom;
  const readAll = async () => {
    for (const plugin of ["p", "q"]) await ledger.ready({ plugin, now: 9, limit: 5 });
    return [await read("p"), await read("q")];
  };
  assertEquals(await readAll(), [6, 6]);
  await using operations = opened.operations();
  await operations.drop({ keys: ["s/9"], plugin: "q" });
  assertEquals([await read("p"), await read("q")], [6, 2]);
  await operations.prime(() => ({ servers: [], ports: [], floatingIps: [] }));
  assertEquals([await read("p"), await read("q")], [6, 2]);
  await operations.replay({ keys: ["s/9"] }, { force: false });
  assertEquals([await read("p"), await read("q")], [6, 2]);
});

Deno.test("what can be attempted is found when thousands wait for it, without a look at all of them", async () => {
  using opened = new TemporaryLedger();
  const { ledger, database } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, Array.from({ length: 3000 }, (_, n) => madeEvent(`s/${n}`, ["s"])));
  const ready = await ledger.ready({ plugin: "p", now: 9, limit: 9 });
  assertEquals(ready.map(({ event }) => event.key), ["s/0"]);
  const { unreadFrom } = await ledger.queueOf("p");
  assertEquals(unreadFrom < 2000, true);
  // There is room for all that was looked at.
  assertEquals(database.prepare("SELECT count(*) AS n FROM held").get()?.["n"], 0);
});

Deno.test("what waits for a plugin that is not configured any more is there when it is again", async () => {
  using opened = new TemporaryLedger({ windowSize: 2 });
  const { ledger } = opened;
  await ledger.activate(["p", "q"]);
  await announceEvents(ledger, ["1", "2", "3"].map((n) => madeEvent(`s/${n}`, [`s${n}`])));
  await ledger.settle([settlementOf({ seq: 1, plugin: "p" }, { outcome: "done", endedAt: 1 })]);
  opened.reopen();
  await opened.ledger.activate(["q"]);
  const [row] = opened.database.prepare("SELECT queued_from FROM plugin WHERE name = 'p'").all();
  assertEquals(row?.["queued_from"], 2);
  await opened.ledger.activate(["p"]);
  const ready = await opened.ledger.ready({ plugin: "p", now: 9, limit: 9 });
  assertEquals(ready.map(({ event }) => event.key), ["s/2", "s/3"]);
});

Deno.test("what stays in memory while many pass is written, so that nobody need look far back for it", async () => {
  using opened = new TemporaryLedger({ windowSize: 8 });
  const { ledger, database } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, ["1", "2"].map((n) => madeEvent(`s/${n}`, ["s"])));
  const [first] = await ledger.ready({ plugin: "p", now: 9, limit: 1 });
  for (let n = 3; n < 40; n++) {
    await announceEvents(ledger, [madeEvent(`s/${n}`, [`s${n}`])]);
    const ready = (await ledger.ready({ plugin: "p", now: 9, limit: 9 })).filter(({ seq }) => seq !== first!.seq);
    await ledger.settle(ready.map((one) => settlementOf(one, { outcome: "done", endedAt: 1 })));
  }
  const states = database.prepare("SELECT seq, state FROM delivery WHERE finished_at IS NULL").all();
  assertEquals(states.map(({ seq, state }) => [seq, state]), [[1, "ready"], [2, "blocked"]]);
  const from = database.prepare("SELECT queued_from FROM plugin").get()?.["queued_from"];
  assertEquals(Number(from) > 30, true);
  await ledger.settle([settlementOf(first!, { outcome: "done", endedAt: 1 })]);
  assertEquals((await ledger.ready({ plugin: "p", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/2"]);
});
