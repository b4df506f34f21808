import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { StatementSync } from "node:sqlite";
import fc from "fast-check";
import { LedgerUnavailable } from "../../src/model/ledger.ts";
import {
  announceEvents,
  decideEvents,
  decisionOf,
  detailOf,
  madeEvent,
  promptDetail,
  settlementOf,
} from "../support/made_events.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";

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
      JOIN json_each(e.order_keys) AS k WHERE d.state IN ('recent', 'new', 'blocked', 'ready'))
  SELECT p.name, d.seq, d.state, CASE
    WHEN e.detail IS NULL THEN 'new'
    WHEN EXISTS (SELECT 1 FROM holder AS own JOIN holder AS earlier USING (plugin, order_key)
      WHERE plugin = d.plugin AND own.seq = d.seq AND earlier.seq < d.seq) THEN 'blocked'
    ELSE 'ready' END AS expected
  FROM delivery AS d JOIN event AS e ON e.seq = d.seq JOIN plugin AS p ON p.id = d.plugin
  WHERE d.state IN ('recent', 'new', 'blocked', 'ready')`;

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
      using operations = this.#opened.operations();
      const keys = what.which.map((each) => `s/${each}`);
      if (what.do === "drop") operations.drop({ keys });
      else operations.replay({ keys }, { force: true });
    }
  }

  /** What the file says is right, and so is what memory says of the rest. */
  async check(): Promise<void> {
    const rows = this.#opened.database.prepare(UNFINISHED).all();
    assertEquals(rows.filter(({ state, expected }) => state !== "recent" && state !== expected), []);
    for (const plugin of PLUGINS) {
      const recent = rows.filter(({ name, state }) => name === plugin && state === "recent");
      const waiting = { new: 0, blocked: 0, ready: 0 };
      for (const { expected } of recent) waiting[expected as keyof typeof waiting]++;
      const first = recent.filter(({ expected }) => expected !== "blocked").map(({ seq }) => Number(seq));
      const { begun: _, ...found } = await this.#opened.ledger.recent(plugin);
      assertEquals(found, { waiting, oldest: Math.min(...first) });
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
    fc.asyncProperty(steps, fc.constantFrom(0, 1, 3, 9), async (steps, maxHolders) => {
      using opened = new TemporaryLedger({ maxHolders });
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
    }),
    { numRuns: 60 },
  );
});

Deno.test("what an operator's turn has written is not written again at the next", async () => {
  using opened = new TemporaryLedger({ maxHolders: 9 });
  const { ledger, database } = opened;
  const unwrittenFrom = () => database.prepare("SELECT value FROM fact WHERE name = 'unwritten_from'").get()?.["value"];
  await ledger.activate(["p"]);
  await announceEvents(ledger, Array.from({ length: 9 }, (_, n) => madeEvent(`s/${n}`, [`s${n}`])));
  using operations = opened.operations();
  operations.drop({ keys: ["s/8"] });
  assertEquals(unwrittenFrom(), "10");
  // The oldest in memory make place.
  await announceEvents(ledger, [madeEvent("s/9", ["s9"])]);
  assertEquals(unwrittenFrom(), "10");
});

Deno.test("what a killed process left behind goes, even if the first transaction after it fails", async () => {
  using opened = new TemporaryLedger({ maxHolders: 0 });
  await opened.ledger.activate(["p"]);
  await announceEvents(opened.ledger, [madeEvent("s/1", ["s"])]);
  const ready = await opened.ledger.ready({ plugin: "p", now: 9, limit: 9 });
  await opened.ledger.settle(ready.map((one) => settlementOf(one, { outcome: "done", endedAt: 1 })));
  opened.reopen();
  const held = () => opened.database.prepare("SELECT count(*) AS n FROM held").get()?.["n"];
  assertEquals(held(), 1);
  {
    using disk = new FullDisk();
    // BEGIN, what begins a transaction, and no more.
    disk.left = 4;
    await opened.ledger.activate(["q"]).catch(() => {});
  }
  await opened.ledger.activate(["q"]);
  assertEquals(held(), 0);
});

Deno.test("what an operator dropped is not written when newer ones take its place in memory", async () => {
  using opened = new TemporaryLedger({ maxHolders: 2 });
  const { ledger, database } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, [madeEvent("s/1", ["s1"])]);
  using operations = opened.operations();
  operations.drop({ keys: ["s/1"] });
  await announceEvents(ledger, ["2", "3", "4"].map((n) => madeEvent(`s/${n}`, [`s${n}`])));
  const held = database.prepare("SELECT seq FROM held ORDER BY seq").all().map((row) => row["seq"]);
  assertEquals(held, [2, 3]);
});

Deno.test("what stays in memory while many pass is written, so that nobody need look far back for it", async () => {
  using opened = new TemporaryLedger({ maxHolders: 8 });
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
  const from = database.prepare("SELECT value FROM fact WHERE name = 'unwritten_from'").get()?.["value"];
  assertEquals(Number(from) > 30, true);
  await ledger.settle([settlementOf(first!, { outcome: "done", endedAt: 1 })]);
  assertEquals((await ledger.ready({ plugin: "p", now: 9, limit: 9 })).map(({ event }) => event.key), ["s/2"]);
});
