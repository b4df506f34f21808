import type { HistoryColumns } from "../model/live_service.ts";

const STEPS = { hour: 120, day: 144 } as const;

/** Columns of the whole hour or day: `null` where nothing was measured. */
export function paddedHistory(
  columns: HistoryColumns,
  { range, now }: { readonly range: "hour" | "day"; readonly now: number },
): HistoryColumns {
  const stepMs = columns.stepSeconds * 1000;
  const last = Math.ceil(now / stepMs);
  const count = STEPS[range];
  const at = new Map(columns.times.map((time, index) => [Math.ceil((time - stepMs / 2) / stepMs), index]));
  const indexes = Array.from({ length: count }, (_, step) => at.get(last - count + 1 + step));
  const padded = (column: readonly (number | null)[]) =>
    indexes.map((index) => index === undefined ? null : column[index] ?? null);
  return {
    stepSeconds: columns.stepSeconds,
    times: indexes.map((_, step) => (last - count + 1 + step) * stepMs),
    events: padded(columns.events),
    deliveries: padded(columns.deliveries),
    failures: padded(columns.failures),
    p50Seconds: padded(columns.p50Seconds),
    p99Seconds: padded(columns.p99Seconds),
    waiting: padded(columns.waiting),
  };
}
