import { deepStrictEqual as assertEquals, match as assertMatch, ok as assert } from "node:assert/strict";
import { PostgresAuditTrail } from "../../../src/ledger/postgres/audit_trail.ts";
import { Housekeeping } from "../../../src/ledger/postgres/housekeeping.ts";
import type { Clock } from "../../../src/model/clock.ts";
import { KeptLog } from "../../support/loggers.ts";
import { announceEvents, madeEvent, settlementOf } from "../../support/made_events.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";
import { count } from "../operated_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const MINUTE_MS = 60_000;

/** A ledger whose time is set by hand, and the housekeeping of a process. */
class Kept implements AsyncDisposable {
  readonly log = new KeptLog();
  readonly opened: TemporaryPostgresLedger;
  #passedMs = 0;

  private constructor(opened: TemporaryPostgresLedger) {
    this.opened = opened;
    opened.now = Date.UTC(2026, 10, 21);
  }

  static async open(): Promise<Kept> {
    return new Kept(await TemporaryPostgresLedger.open());
  }

  make(): Housekeeping {
    return new Housekeeping({
      client: this.opened.client,
      clock: this.#clock(new AbortController()),
      keepDays: 30,
      maxDelayMs: 300_000,
      log: this.log,
    });
  }

  /** One round of the holder of the lease. */
  async round(): Promise<void> {
    const stop = new AbortController();
    const clock = this.#clock(stop);
    const { client } = this.opened;
    await new Housekeeping({ client, clock, keepDays: 30, maxDelayMs: 300_000, log: this.log }).run(stop.signal);
  }

  /** Lets time pass by which clocks do not differ. */
  pass(ms: number): void {
    this.opened.now += ms;
    this.#passedMs += ms;
  }

  /** Sets the system clock. */
  jump(ms: number): void {
    this.opened.now += ms;
  }

  /** One delivered event. */
  async deliver(): Promise<void> {
    const { ledger, now } = this.opened;
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"])]);
    const [delivery] = await ledger.ready({ plugin: "p", now, limit: 1 });
    await ledger.settle([settlementOf(delivery!, { outcome: "done", endedAt: now })]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opened[Symbol.asyncDispose]();
  }

  /** The pause behind a round ends the run. */
  #clock(stop: AbortController): Clock {
    return {
      now: () => this.opened.now,
      passedMs: () => this.#passedMs,
      sleep: (ms) => {
        if (ms >= MINUTE_MS) stop.abort();
        return Promise.resolve();
      },
    };
  }
}

Deno.test("Housekeeping keeps the audit trail for a year, though keepDays is less", async () => {
  await using kept = await Kept.open();
  const trail = new PostgresAuditTrail(kept.opened.client);
  await trail.write({ at: kept.opened.now, who: "alice", action: "prime", what: "memory", details: null });
  const left = async () => (await trail.read({ limit: 9 })).length;
  // More than keepDays at once would suspend pruning.
  for (const days of [...Array<number>(12).fill(29), 16]) {
    kept.pass(days * DAY_MS);
    await kept.round();
  }
  assertEquals(await left(), 1);
  kept.pass(2 * DAY_MS);
  await kept.round();
  assertEquals(await left(), 0);
});

Deno.test("Housekeeping prunes what ended keepDays ago", async () => {
  await using kept = await Kept.open();
  await kept.deliver();
  await kept.round();
  kept.pass(29 * DAY_MS);
  await kept.round();
  assertEquals(await count(kept.opened, "event"), 1);
  kept.pass(2 * DAY_MS);
  await kept.round();
  assertEquals([await count(kept.opened, "event"), await count(kept.opened, "notification")], [0, 0]);
  assertEquals(kept.log.lines, []);
});

Deno.test("Housekeeping prunes nothing for a day when the clock is a year ahead, restarted or not", async () => {
  await using kept = await Kept.open();
  await kept.deliver();
  await kept.round();
  kept.jump(YEAR_MS);
  await kept.round();
  await kept.round();
  assertEquals(await count(kept.opened, "event"), 1);
  assertMatch(kept.log.lines.join("\n"), /^warn The clock is 365 days ahead of the ledger's last entry: [^\n]*$/);
  kept.pass(DAY_MS + 1);
  await kept.round();
  assertEquals(await count(kept.opened, "event"), 0);
});

Deno.test("Housekeeping brings retries forward when the clock was set back, and the lane notices", async () => {
  await using kept = await Kept.open();
  const { opened } = kept;
  const { ledger } = opened;
  await ledger.activate(["p"]);
  await announceEvents(ledger, [madeEvent("retrying/1", ["a"]), madeEvent("waiting/1", ["b"])]);
  const [delivery] = await ledger.ready({ plugin: "p", now: opened.now, limit: 1 });
  await ledger.settle([
    settlementOf(delivery!, { outcome: "retry", endedAt: opened.now, dueAt: opened.now + 200_000 }),
  ]);
  await kept.round();
  kept.jump(-YEAR_MS);
  await kept.round();
  assertMatch(kept.log.lines.join(), /^warn The clock was set back by 525\d{3} minutes: retries are brought forward$/);
  const [row] = await opened.sql("SELECT due_at FROM delivery WHERE state = 'open'");
  assert(Number(row?.["due_at"]) <= opened.now + 300_000);
  assertEquals((await ledger.ready({ plugin: "p", now: opened.now + 300_000, limit: 9 })).length, 2);
});

Deno.test("Housekeeping.trustsClock() is false at once when the clock jumps ahead, and for a day when it stays there", async () => {
  await using kept = await Kept.open();
  const housekeeping = kept.make();
  await kept.round();
  await housekeeping.start();
  assert(housekeeping.trustsClock());
  kept.jump(YEAR_MS);
  assert(!housekeeping.trustsClock(), "before anybody looked");
  await housekeeping.start();
  assert(!housekeeping.trustsClock(), "after the ledger was asked");
  await kept.round();
  kept.pass(DAY_MS + 1000);
  await housekeeping.start();
  assert(housekeeping.trustsClock(), "a day later");
});

Deno.test("Housekeeping.testWrite() leaves nothing", async () => {
  await using kept = await Kept.open();
  const before = await count(kept.opened, "fact");
  await kept.make().testWrite();
  assertEquals(await count(kept.opened, "fact"), before);
});

Deno.test("Housekeeping saves where the queues begin, also of a plugin that was removed", async () => {
  await using kept = await Kept.open();
  const { ledger, now } = kept.opened;
  await ledger.activate(["p", "removed"]);
  await announceEvents(ledger, [madeEvent("s/1", ["a"]), madeEvent("s/2", ["b"])]);
  for (const plugin of ["p", "removed"]) {
    const [first, second] = await ledger.ready({ plugin, now, limit: 9 });
    await ledger.settle([settlementOf(first!, { outcome: "done", endedAt: now })]);
    if (plugin === "p") await ledger.settle([settlementOf(second!, { outcome: "done", endedAt: now })]);
  }
  await kept.round();
  const starts = await kept.opened.sql("SELECT queued_from FROM plugin ORDER BY name");
  assertEquals(starts.map((row) => row["queued_from"]), [3, 2]);
});

Deno.test("replay() refuses a dead letter that is older than what was pruned, unless forced", async () => {
  await using kept = await Kept.open();
  const { ledger, now } = kept.opened;
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("old/1", ["a"])]);
  const [delivery] = await ledger.ready({ plugin: "P", now, limit: 1 });
  await ledger.settle([settlementOf(delivery!, { outcome: "dead", endedAt: now })]);
  await kept.round();
  kept.pass(20 * DAY_MS);
  await kept.round();
  kept.pass(20 * DAY_MS);
  await kept.round();
  await using operations = await kept.opened.operations();
  const [refused] = await operations.replay({ dead: true }, { force: false });
  assertMatch(refused?.refused ?? "", /so old that later events may be forgotten/);
  assertEquals((await operations.replay({ dead: true }, { force: true }))[0]?.refused, null);
});
