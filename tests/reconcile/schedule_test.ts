import assert from "node:assert/strict";
import { nextComparison, type ScheduleOptions } from "../../src/reconcile/schedule.ts";
import { NO_COMPARISONS, report } from "./made.ts";

const DAY = Date.UTC(2026, 10, 21);
const at = (day: number, time = "00:00:00") => Date.parse(`2026-11-${day}T${time}Z`);

function next(options: Omit<ScheduleOptions, "now"> & { readonly now?: number }) {
  return nextComparison({ now: at(30), ...options });
}

Deno.test("nextComparison() is none before priming began", () => {
  const past = { ...NO_COMPARISONS, beganAt: null };
  assert.equal(next({ past, gaps: [], everyHours: 24 }), null);
});

Deno.test("nextComparison() is a full one, the interval after priming", () => {
  const due = next({ past: NO_COMPARISONS, gaps: [], everyHours: 24 });
  assert.deepEqual(due, {
    dueAt: DAY + 86_400_000,
    isFull: true,
    changesSince: null,
    why: "the last one was 24 h ago",
  });
});

Deno.test("nextComparison() reads what has changed since 15 minutes before the last complete one", () => {
  const last = report(at(22, "12:00:00"));
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: last };
  assert.deepEqual(next({ past, gaps: [], everyHours: 6 }), {
    dueAt: at(22, "18:00:00"),
    isFull: false,
    changesSince: "2026-11-22T11:45:00.000Z",
    why: "the last one was 6 h ago",
  });
});

Deno.test("nextComparison() is a full one if it is due 7 days after the last full one", () => {
  const [full, last] = [report(at(21)), report(at(27), { isFull: false })];
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: full };
  const due = next({ past, gaps: [], everyHours: 24 });
  assert.equal(due?.dueAt, at(28));
  assert.equal(due?.isFull, true);
  assert.equal(next({ past, gaps: [], everyHours: 23 })?.isFull, false);
});

Deno.test("nextComparison() is none without an interval and a gap", () => {
  assert.equal(next({ past: NO_COMPARISONS, gaps: [], everyHours: false }), null);
});

Deno.test("nextComparison() comes 10 s after a gap has ended, and reads what has changed since 15 minutes before it", () => {
  const last = report(at(22));
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: last };
  const gap = { from: at(21, "23:00:00"), to: at(22, "01:00:00"), cause: "connection" } as never;
  assert.deepEqual(next({ past, gaps: [gap], everyHours: false }), {
    dueAt: at(22, "01:00:10"),
    isFull: false,
    changesSince: "2026-11-21T22:45:00.000Z",
    why: "notifications may be missing since 2026-11-21T23:00:00.000Z",
  });
});

Deno.test("nextComparison() waits for the end of a gap", () => {
  const gap = { from: at(22), to: null } as never;
  assert.equal(next({ past: NO_COMPARISONS, gaps: [gap], everyHours: false }), null);
});

Deno.test("nextComparison() does not come for a gap that a complete comparison has covered", () => {
  const last = report(at(23));
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: last };
  const gap = { from: at(22), to: at(22, "01:00:00") } as never;
  assert.equal(next({ past, gaps: [gap], everyHours: false }), null);
});

Deno.test("nextComparison() is a full one, at once, after a restore", () => {
  const last = report(at(22));
  const past = {
    ...NO_COMPARISONS,
    last,
    lastTried: last,
    lastComplete: last,
    lastFull: last,
    restoredAt: at(22, "05:00:00"),
  };
  assert.deepEqual(next({ past, gaps: [], everyHours: 24 }), {
    dueAt: at(22, "05:00:00"),
    isFull: true,
    changesSince: null,
    why: "the ledger was restored from a backup, or copied",
  });
});

Deno.test("nextComparison() is tried again 15 minutes after one has failed", () => {
  const last = report(at(22), { endedAt: at(22, "00:10:00"), outcome: "failed" });
  const past = { ...NO_COMPARISONS, last, lastTried: last, restoredAt: at(21, "05:00:00") };
  assert.equal(next({ past, gaps: [], everyHours: false })?.dueAt, at(22, "00:25:00"));
});

Deno.test("nextComparison() is not at once again if what a restore led to was withheld", () => {
  const last = report(at(22, "05:00:10"), { outcome: "withheld" });
  const past = { ...NO_COMPARISONS, last, lastTried: last, restoredAt: at(22, "05:00:00") };
  const due = next({ past, gaps: [], everyHours: 24 });
  assert.equal(due?.dueAt, last.endedAt + 24 * 3_600_000);
  assert.equal(due?.isFull, true);
});

Deno.test("nextComparison() is a full one if the last one could not conclude of everything", () => {
  const [full, last] = [report(at(21)), report(at(22), { isFull: false, undecided: 1 })];
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: full };
  assert.equal(next({ past, gaps: [], everyHours: 24 })?.changesSince, null);
  const gap = { from: at(22), to: at(22, "01:00:00") } as never;
  assert.equal(next({ past, gaps: [gap], everyHours: 24 })?.changesSince, null);
});

Deno.test("nextComparison() looks again at what was withheld: it reads what has changed since the last complete one", () => {
  const [full, last] = [report(at(22)), report(at(23), { isFull: false, outcome: "withheld" })];
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: full, lastFull: full };
  const due = next({ past, gaps: [], everyHours: 24 });
  assert.deepEqual([due?.dueAt, due?.changesSince], [last.endedAt + 24 * 3_600_000, "2026-11-21T23:45:00.000Z"]);
});

Deno.test("nextComparison() is a full one, at once, after the clock was set back", () => {
  const last = report(at(29), { isFull: false });
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: last };
  const due = next({ past, gaps: [], everyHours: 24, now: at(22) });
  assert.deepEqual([due?.dueAt, due?.isFull], [at(22), true]);
  const failed = report(at(29), { outcome: "failed" });
  assert.equal(
    next({ past: { ...past, last: failed, lastTried: failed }, gaps: [], everyHours: 24, now: at(22) })?.dueAt,
    at(22),
  );
  const restored = { ...past, restoredAt: at(29) };
  assert.equal(next({ past: restored, gaps: [], everyHours: 24, now: at(22) })?.dueAt, at(22));
});

Deno.test("nextComparison() does not wait for the end of a gap in the future: the clock was set back since", () => {
  const last = report(at(22));
  const past = { ...NO_COMPARISONS, last, lastTried: last, lastComplete: last, lastFull: last };
  const gap = { from: at(29), to: at(29) } as never;
  assert.equal(next({ past, gaps: [gap], everyHours: 24, now: at(22) })?.dueAt, at(23));
});
