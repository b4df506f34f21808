import assert from "node:assert/strict";
import type { ComparisonLedger } from "../../src/model/comparison_ledger.ts";
import { Reconciling } from "../../src/runtime/reconciling.ts";
import { KeptLog } from "../support/loggers.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

Deno.test("run() waits 15 minutes after an unexpected failure, as a full disk, and says so once", async () => {
  const [clock, log, stop] = [new VirtualClock(), new KeptLog(), new AbortController()];
  const fails = () => Promise.reject(new Error("database or disk is full"));
  const reconciling = new Reconciling({
    config: { events: { creation: [], deletion: [] }, plugins: [], openstack: {} },
    ledger: { past: fails, gapsSince: fails } as unknown as ComparisonLedger,
    settled: () => Promise.resolve(),
    record: () => Promise.resolve(),
    maxSilenceMs: 0,
    clock,
    random: () => 0,
    log: () => log,
    onMaybeRecorded: () => {},
  });
  const run = reconciling.run({ bound: Promise.resolve(), primed: Promise.resolve() }, stop.signal);
  await clock.advance(14 * 60_000);
  assert.deepEqual(log.lines, [
    "error Cannot compare with OpenStack: database or disk is full. Trying again in 15 minutes",
  ]);
  await clock.advance(2 * 60_000);
  assert.equal(log.lines.length, 2);
  stop.abort();
  await clock.advance(1);
  await run;
});
