import assert from "node:assert/strict";
import type { AttemptEnd } from "../../src/model/readings.ts";
import { AttemptCounts } from "../../src/observe/attempts.ts";
import { History } from "../../src/observe/history.ts";
import { quantile } from "../../src/observe/quantile.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const STEP_MS = 30_000;

/** A history of plugin `p`, with a backlog that a test sets. */
function historyOf() {
  const clock = new VirtualClock({ now: Date.UTC(2026, 10, 21, 12) });
  const attempts = new AttemptCounts(["p"]);
  const state = { events: 0, waiting: 0, fails: false };
  const readings = {
    decided: () => ({ event: state.events, remembered: 0, repeated: 0, superseded: 0 }),
    backlog: () => {
      if (state.fails) return Promise.reject(new Error("no ledger"));
      const waiting = { new: 0, blocked: 1, ready: state.waiting - 1, queued: 0 };
      return Promise.resolve(new Map([["p", { waiting, oldestAt: null, dead: 0 }]]));
    },
  };
  const history = new History({ attempts, readings, clock });
  const attempt = (end: Partial<AttemptEnd>) =>
    attempts.count({ plugin: "p", outcome: "done", reason: null, repeated: false, tookMs: 20, ...end });
  return { clock, history, state, attempt };
}

async function running(history: History, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const run = history.run(stop.signal);
  await work();
  stop.abort();
  await run;
}

Deno.test("History keeps what happened in each step of 30 s", async () => {
  const { clock, history, state, attempt } = historyOf();
  await running(history, async () => {
    state.events = 3;
    state.waiting = 7;
    attempt({});
    attempt({ outcome: "retry", reason: "timeout", tookMs: 30_000 });
    await clock.advance(STEP_MS);
    state.events = 4;
    state.fails = true;
    await clock.advance(STEP_MS);
  });
  const hour = history.columns("hour");
  const start = Date.UTC(2026, 10, 21, 12);
  assert.deepEqual(hour.times, [start + STEP_MS, start + 2 * STEP_MS]);
  assert.deepEqual(hour.events, [3, 1]);
  assert.deepEqual(hour.deliveries, [1, 0]);
  assert.deepEqual(hour.failures, [1, 0]);
  assert.deepEqual(hour.waiting, [7, null]);
  assert.deepEqual(hour.p50Seconds, [0.025, null]);
  assert.ok(hour.p99Seconds[0]! > 29 && hour.p99Seconds[0]! <= 30);
});

Deno.test("History joins twenty steps into one of the day, and keeps an hour and a day", async () => {
  const { clock, history, state } = historyOf();
  await running(history, async () => {
    for (let step = 0; step < 45; step++) {
      state.events += 2;
      state.waiting = step + 1;
      await clock.advance(STEP_MS);
    }
  });
  const day = history.columns("day");
  assert.equal(day.stepSeconds, 600);
  assert.deepEqual(day.events, [40, 40, 10]);
  assert.deepEqual(day.waiting, [20, 40, 45]);
  await running(history, () => clock.advance(25 * 3_600_000));
  assert.equal(history.columns("hour").times.length, 120);
  assert.equal(history.columns("day").times.length, 144);
});

Deno.test("History tells a plugin's last minute, and the durations of five", async () => {
  const { clock, history, attempt } = historyOf();
  assert.deepEqual(history.recent("p"), {
    attemptsPerMinute: 0,
    failuresPerMinute: 0,
    p50Seconds: null,
    p99Seconds: null,
  });
  await running(history, async () => {
    attempt({});
    await clock.advance(STEP_MS);
    attempt({ outcome: "retry", reason: "timeout" });
    assert.deepEqual([history.recent("p").attemptsPerMinute, history.recent("p").failuresPerMinute], [2, 1]);
    await clock.advance(3 * STEP_MS);
    assert.equal(history.recent("p").attemptsPerMinute, 0);
    assert.equal(history.recent("p").p50Seconds, 0.015);
    await clock.advance(10 * STEP_MS);
    assert.equal(history.recent("p").p50Seconds, null);
  });
  assert.equal(history.recent("unknown").p99Seconds, null);
});

Deno.test("quantile() supposes that the values of a bucket lie evenly in it", () => {
  const bounds = [1, 2, 4];
  assert.equal(quantile({ counts: [0, 10, 0, 0], bounds }, 0.5), 1.5);
  assert.equal(quantile({ counts: [10, 10, 10, 0], bounds }, 0.5), 1.5);
  assert.equal(quantile({ counts: [0, 0, 0, 5], bounds }, 0.99), 4);
  assert.equal(quantile({ counts: [0, 0, 0, 0], bounds }, 0.5), null);
});
