import assert from "node:assert/strict";
import type { ComparisonLedger } from "../../src/model/comparison_ledger.ts";
import { Reconciling } from "../../src/runtime/reconciling.ts";
import { KeptLog } from "../support/loggers.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { NO_COMPARISONS } from "../reconcile/made.ts";

function reconcilingOf({ ledger, clock, log, reconcile }: {
  readonly ledger: Partial<ComparisonLedger>;
  readonly clock: VirtualClock;
  readonly log: KeptLog;
  readonly reconcile?: false;
}): Reconciling {
  const openstack = reconcile === undefined ? {} : { reconcile };
  return new Reconciling({
    config: { events: { creation: [], deletion: [] }, plugins: [], openstack },
    ledger: ledger as ComparisonLedger,
    settled: () => Promise.resolve(),
    record: () => Promise.resolve(),
    maxSilenceMs: 0,
    clock,
    random: () => 0,
    log: () => log,
    onMaybeRecorded: () => {},
  });
}

for (
  const { reconcile, agreedAt } of [{ agreedAt: NO_COMPARISONS.beganAt }, { reconcile: false, agreedAt: null }] as const
) {
  Deno.test(`readings are of the ledger's beginning before a comparison agreed, reconcile: ${reconcile}`, async () => {
    const [clock, log, stop] = [new VirtualClock(), new KeptLog(), new AbortController()];
    const ledger = { past: () => Promise.resolve(NO_COMPARISONS), gapsSince: () => Promise.resolve([]) };
    const reconciling = reconcilingOf({ ledger, clock, log, ...(reconcile === undefined ? {} : { reconcile }) });
    const run = reconciling.run({ bound: Promise.resolve(), primed: Promise.resolve() }, stop.signal);
    await clock.advance(1000);
    assert.equal(reconciling.readings.agreedAt, agreedAt);
    stop.abort();
    await clock.advance(1);
    await run;
  });
}

Deno.test("run() waits 15 minutes after an unexpected failure, as a full disk, and says so once", async () => {
  const [clock, log, stop] = [new VirtualClock(), new KeptLog(), new AbortController()];
  const fails = () => Promise.reject(new Error("database or disk is full"));
  const reconciling = reconcilingOf({ ledger: { past: fails, gapsSince: fails }, clock, log });
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
