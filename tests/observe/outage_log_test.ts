import assert from "node:assert/strict";
import { OutageLog } from "../../src/observe/outage_log.ts";
import type { TargetOutage } from "../../src/model/outage.ts";
import { KeptLog } from "../support/loggers.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const HOUR_MS = 3_600_000;

class Watch {
  readonly clock = new VirtualClock();
  readonly kept = new KeptLog();
  waiting = 75;
  readonly log = new OutageLog({
    clock: this.clock,
    log: () => this.kept,
    waiting: () => this.waiting < 0 ? Promise.reject(new Error("no ledger")) : Promise.resolve(this.waiting),
  });

  async away(more: Partial<TargetOutage> = {}): Promise<void> {
    const now = this.clock.now();
    const error = "Cannot POST http://cmdb.example: connection refused";
    this.log.onOutage("Cmdb", { since: now, nextProbeAt: now + 12_000, reason: "connection", error, ...more });
    await this.clock.settle();
  }

  async back(): Promise<void> {
    this.log.onOutage("Cmdb", null);
    await this.clock.settle();
  }
}

Deno.test("OutageLog tells once when a target is away, and once when it is back", async () => {
  const watch = new Watch();
  await watch.away();
  const since = watch.clock.now();
  await watch.clock.advance(50_000);
  await watch.away({ since });
  await watch.clock.advance(50_000);
  await watch.back();
  await watch.clock.advance(3 * HOUR_MS);
  assert.deepEqual(watch.kept.lines, [
    "warn Target cannot be reached: Cannot POST http://cmdb.example: connection refused. 75 events wait; next probe in 12 s",
    "info Target is reached again after 1 min 40 s; 75 events waited",
  ]);
});

Deno.test("OutageLog reminds each hour of what lasts, with the last failure", async () => {
  const watch = new Watch();
  await watch.away({ reason: "unauthorized", error: "Cannot POST: 401" });
  const since = watch.clock.now();
  await watch.clock.advance(HOUR_MS - 1000);
  await watch.away({ since, reason: "server_error", error: "Cannot POST: 503" });
  watch.waiting = 1;
  await watch.clock.advance(HOUR_MS + 1000);
  assert.deepEqual(watch.kept.lines, [
    "warn Target refuses the credentials: Cannot POST: 401. 75 events wait; next probe in 12 s",
    "warn Target fails for 1 h already: Cannot POST: 503. 1 event waits; next probe in 11 s",
    "warn Target fails for 2 h already: Cannot POST: 503. 1 event waits; next probe at once",
  ]);
  watch.log.close();
  await watch.clock.advance(5 * HOUR_MS);
  assert.equal(watch.kept.lines.length, 3);
  assert.equal(watch.clock.sleeping, 0);
});

Deno.test("OutageLog tells of an outage also where nobody can count what waits", async () => {
  const watch = new Watch();
  watch.waiting = -1;
  await watch.away();
  await watch.back();
  assert.match(watch.kept.lines[0] ?? "", /refused\. Events wait; next probe/);
  assert.match(watch.kept.lines[1] ?? "", /; events waited$/);
});

Deno.test("OutageLog does not say that the next probe is in 0 s", async () => {
  const watch = new Watch();
  await watch.away({ nextProbeAt: watch.clock.now() + 499 });
  assert.match(watch.kept.lines[0] ?? "", /; next probe at once$/);
});

Deno.test("OutageLog says nothing of a target that was never away", async () => {
  const watch = new Watch();
  await watch.back();
  assert.deepEqual(watch.kept.lines, []);
});
