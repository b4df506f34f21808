import { StatementSync } from "node:sqlite";
import { deepStrictEqual as assertEquals, match as assertMatch, ok as assert } from "node:assert/strict";
import { SqliteAuditTrail } from "../../../src/ledger/sqlite/audit_trail.ts";
import { Housekeeping } from "../../../src/ledger/sqlite/housekeeping.ts";
import { SqliteLedger } from "../../../src/ledger/sqlite/ledger.ts";
import { cpuMs } from "../../support/cpu.ts";
import { KeptLog } from "../../support/loggers.ts";
import { announceEvents, madeEvent, settlementOf } from "../../support/made_events.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const MAX_DELAY_MS = 300_000;

/** A ledger whose time is virtual, and the housekeeping of a service that may be restarted. */
class Kept implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly log = new KeptLog();
  readonly opened = new TemporaryLedger();
  readonly ledger: SqliteLedger = new SqliteLedger(this.opened.database, this.clock.now);
  rescheduled = 0;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  make(): Housekeeping {
    return new Housekeeping({
      database: this.opened.database,
      clock: this.clock,
      keepDays: 30,
      maxDelayMs: MAX_DELAY_MS,
      log: this.log,
      onRescheduled: () => this.rescheduled++,
    });
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    this.#running = this.make().run(this.#stop.signal);
    await this.clock.advance(500);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  count(table: string): number {
    return Number(this.opened.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"]);
  }

  /** One delivered event. */
  async deliver(): Promise<void> {
    await this.ledger.activate(["p"]);
    await announceEvents(this.ledger, [madeEvent("s/1", ["a"])]);
    const [delivery] = await this.ledger.ready({ plugin: "p", now: this.clock.now(), limit: 1 });
    await this.ledger.settle([settlementOf(delivery!, { outcome: "done", endedAt: this.clock.now() })]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.opened[Symbol.dispose]();
  }
}

Deno.test("Housekeeping keeps the audit trail for a year, though keepDays is less", async () => {
  await using kept = new Kept();
  const trail = new SqliteAuditTrail(kept.opened.database);
  const at = kept.clock.now();
  await trail.write({ at, who: "alice", action: "prime", what: "memory", details: null });
  await kept.start();
  // A clock that is set far ahead suspends pruning: time goes on in steps.
  for (const days of [29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 16]) {
    kept.clock.jump(days * DAY_MS);
    await kept.stop();
    await kept.start();
    await kept.clock.advance(60_000);
  }
  assertEquals(kept.count("audit_trail"), 1);
  kept.clock.jump(2 * DAY_MS);
  await kept.stop();
  await kept.start();
  await kept.clock.advance(60_000);
  assertEquals(kept.count("audit_trail"), 0);
});

Deno.test("Housekeeping prunes what ended keepDays ago, within the hour", async () => {
  await using kept = new Kept();
  await kept.deliver();
  kept.clock.jump(20 * DAY_MS);
  await kept.start();
  kept.clock.jump(10 * DAY_MS - 1000);
  await kept.clock.advance(500);
  assertEquals(kept.count("event"), 1);
  await kept.clock.advance(3_660_000);
  assertEquals([kept.count("event"), kept.count("notification")], [0, 0]);
  assertEquals(kept.log.lines, []);
});

Deno.test("Housekeeping prunes nothing for a day when the clock is a year ahead", async () => {
  await using kept = new Kept();
  await kept.deliver();
  await kept.start();
  kept.clock.jump(YEAR_MS);
  await kept.clock.advance(DAY_MS - 60_000);
  assertEquals(kept.count("event"), 1);
  assertEquals(kept.log.lines.length, 1);
  assertMatch(
    kept.log.lines[0]!,
    /^warn The clock is 365 days ahead of the ledger's last entry: nothing is pruned for a day$/,
  );
  await kept.clock.advance(3_720_000);
  assertEquals(kept.count("event"), 0);
});

Deno.test("Housekeeping prunes nothing when it is restarted while the clock is a year ahead", async () => {
  await using kept = new Kept();
  await kept.deliver();
  await kept.start();
  await kept.stop();
  kept.clock.jump(YEAR_MS);
  for (let restart = 0; restart < 5; restart++) {
    await kept.start();
    await kept.clock.advance(3_600_000);
    await kept.stop();
  }
  assertEquals(kept.count("event"), 1);
  kept.clock.jump(-YEAR_MS);
  await kept.start();
  await kept.clock.advance(DAY_MS);
  assertEquals(kept.count("event"), 1);
});

Deno.test("Housekeeping brings retries forward when the clock is set back by a year", async () => {
  await using kept = new Kept();
  const { ledger, clock } = kept;
  await ledger.activate(["p"]);
  await announceEvents(ledger, [
    madeEvent("retrying/1", ["a"]),
    madeEvent("blocked/1", ["a"]),
    madeEvent("waiting/1", ["b"]),
  ]);
  const [delivery] = await ledger.ready({ plugin: "p", now: clock.now(), limit: 1 });
  const dueAt = clock.now() + 200_000;
  await ledger.settle([settlementOf(delivery!, { outcome: "retry", endedAt: clock.now(), dueAt })]);
  await kept.start();
  clock.jump(-YEAR_MS);
  await clock.advance(61_000);
  assertEquals(kept.rescheduled, 1);
  assertMatch(kept.log.lines.join(), /^warn The clock was set back by 525\d{3} minutes: retries are brought forward$/);
  const dues = kept.opened.database.prepare("SELECT due_at FROM delivery").all().map((row) => Number(row["due_at"]));
  assert(dues.every((due) => due <= clock.now() + MAX_DELAY_MS), `${dues}`);
  await clock.advance(MAX_DELAY_MS);
  assertEquals((await ledger.ready({ plugin: "p", now: clock.now(), limit: 9 })).length, 2);
});

Deno.test("Housekeeping brings retries forward when the clock was set back between two runs", async () => {
  await using kept = new Kept();
  await kept.ledger.activate(["p"]);
  await announceEvents(kept.ledger, [madeEvent("s/1")]);
  await kept.start();
  await kept.stop();
  kept.clock.jump(-YEAR_MS);
  await kept.start();
  assert(await kept.ledger.nextDueAt("p") as number <= kept.clock.now() + MAX_DELAY_MS);
});

Deno.test("Housekeeping leaves retries alone when the clock is set back a little", async () => {
  await using kept = new Kept();
  await kept.ledger.activate(["p"]);
  await announceEvents(kept.ledger, [madeEvent("s/1")]);
  const dueAt = await kept.ledger.nextDueAt("p");
  await kept.start();
  kept.clock.jump(-4 * 60_000);
  await kept.clock.advance(120_000);
  assertEquals(await kept.ledger.nextDueAt("p"), dueAt);
  assertEquals([kept.rescheduled, kept.log.lines], [0, []]);
});

Deno.test("Housekeeping never takes long at a time when the clock is set back and much is waiting", async () => {
  await using kept = new Kept();
  const { clock, opened } = kept;
  const rows = 150_000;
  opened.database.exec(`BEGIN;
    INSERT INTO plugin (id, name) VALUES (1, 'p');
    WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter LIMIT ${rows})
    INSERT INTO delivery (plugin, seq, state, due_at) SELECT 1, n, iif(n % 2, 'ready', 'queued'), ${clock.now()} FROM counter;
    COMMIT`);
  await kept.start();
  clock.jump(-YEAR_MS);
  let longestMs = 0;
  for (let step = 0; kept.rescheduled === 0; step++) {
    const began = cpuMs();
    await clock.advance(step === 0 ? 60_000 : 10);
    longestMs = Math.max(longestMs, cpuMs() - began);
    assert(step < 10_000);
  }
  // Some milliseconds, but the garbage collector may come between.
  assert(longestMs < 100, `${longestMs} ms`);
  assert(await kept.ledger.nextDueAt("p") as number <= clock.now() + MAX_DELAY_MS);
});

Deno.test("Housekeeping that brings forward looks at what comes next, not again at all before it", async () => {
  await using kept = new Kept();
  const { clock, opened } = kept;
  opened.database.exec(`BEGIN;
    INSERT INTO plugin (id, name) VALUES (1, 'p');
    WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter LIMIT 200000)
    INSERT INTO delivery (plugin, seq, state, due_at) SELECT 1, n, 'queued', 0 FROM counter;
    COMMIT`);
  await kept.start();
  const tookMs: number[] = [];
  const { all } = StatementSync.prototype;
  StatementSync.prototype.all = function (...values) {
    const began = cpuMs();
    const rows = Reflect.apply(all, this, values);
    if (rows.length === 1000) tookMs.push(cpuMs() - began);
    return rows;
  };
  try {
    clock.jump(-YEAR_MS);
    for (let step = 0; kept.rescheduled === 0; step++) await clock.advance(step === 0 ? 60_000 : 10);
  } finally {
    StatementSync.prototype.all = all;
  }
  // Sums: a machine that is busy spoils some, and the fault that is meant made the last fifteen times as long as the first.
  const sum = (some: readonly number[]) => some.reduce((one, other) => one + other, 0);
  assert(tookMs.length >= 199);
  assert(sum(tookMs.slice(-40)) < 5 * sum(tookMs.slice(1, 41)), "the last slices take more than the first");
});

Deno.test("Housekeeping goes on when the ledger could not be written for a while", async () => {
  await using kept = new Kept();
  await kept.deliver();
  const pages = kept.opened.database.prepare("PRAGMA page_count").get()!["page_count"];
  kept.opened.database.exec(`PRAGMA query_only = 1; PRAGMA max_page_count = ${pages}`);
  await kept.start();
  kept.clock.jump(25 * DAY_MS);
  await kept.clock.advance(600_000);
  kept.opened.database.exec("PRAGMA query_only = 0");
  kept.clock.jump(6 * DAY_MS);
  await kept.clock.advance(600_000);
  assertEquals(kept.count("event"), 0);
});

Deno.test("Housekeeping.testWrite() leaves nothing", async () => {
  await using kept = new Kept();
  const before = kept.count("fact");
  kept.make().testWrite();
  assertEquals(kept.count("fact"), before);
});

Deno.test("Housekeeping.trustsClock() is false at once when the clock jumps ahead, and for a day when it stays there", async () => {
  await using kept = new Kept();
  const housekeeping = kept.make();
  const stop = new AbortController();
  await housekeeping.start(stop.signal);
  assert(housekeeping.trustsClock());
  kept.clock.jump(YEAR_MS);
  assert(!housekeeping.trustsClock(), "before anybody looked");
  await housekeeping.start(stop.signal);
  assert(!housekeeping.trustsClock(), "after the ledger was asked");
  await kept.clock.advance(DAY_MS + 1000);
  await housekeeping.start(stop.signal);
  assert(housekeeping.trustsClock(), "a day later");
});

Deno.test("replay() refuses a dead letter that is older than what was pruned, unless forced", async () => {
  await using kept = new Kept();
  await kept.ledger.activate(["P"]);
  await announceEvents(kept.ledger, [madeEvent("old/1", ["a"])]);
  const [delivery] = await kept.ledger.ready({ plugin: "P", now: kept.clock.now(), limit: 1 });
  await kept.ledger.settle([settlementOf(delivery!, { outcome: "dead", endedAt: kept.clock.now() })]);
  await kept.start();
  await kept.clock.advance(40 * DAY_MS);
  await using operations = kept.opened.operations();
  const [refused] = await operations.replay({ dead: true }, { force: false });
  assertMatch(refused?.refused ?? "", /so old that later events may be forgotten/);
  assertEquals((await operations.replay({ dead: true }, { force: true }))[0]?.refused, null);
});
