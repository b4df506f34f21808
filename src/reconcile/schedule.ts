import type { PastComparisons } from "../model/comparison.ts";
import type { Gap } from "../model/gap.ts";

/** The next comparison. */
export interface DueComparison {
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  readonly isFull: boolean;
  /** Of Nova and Neutron, what has changed since then is read: ISO 8601, UTC. `null` if full. */
  readonly changesSince: string | null;
  /** Why it is made, for operators. */
  readonly why: string;
}

export interface ScheduleOptions {
  readonly past: PastComparisons;
  readonly gaps: readonly Gap[];
  /** Hours between two comparisons; `false`: only after a gap, and after a restore. */
  readonly everyHours: number | false;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const HOUR_MS = 3_600_000;
/** Time between two full comparisons. */
const FULL_EVERY_MS = 7 * 24 * HOUR_MS;
/** After a failure, a comparison is tried again after this time. */
export const RETRY_MS = 15 * 60_000;
/**
 * Assumed maximum difference of clocks, and delay of a change in Nova's database. A time that is
 * further ahead is of a clock that was set back since.
 */
const OVERLAP_MS = 15 * 60_000;
/** After a gap has ended, notifications that were on their way may still come. */
const AFTER_GAP_MS = 10_000;

/**
 * When the next comparison is due; `null`: none is. It is, at once, after the ledger was restored
 * or copied, and after a gap; else `everyHours` after the last one. It is a full one as long as the
 * last one has left something open: what has changed since then does not show that again.
 */
export function nextComparison({ past, gaps, everyHours, now }: ScheduleOptions): DueComparison | null {
  const { beganAt, restoredAt, lastTried, lastComplete, lastFull } = past;
  if (beganAt === null) return null;
  const isAhead = (time: number) => time > now + OVERLAP_MS;
  const since = lastComplete?.startedAt ?? beganAt;
  const tryAt = lastTried?.outcome === "failed" && !isAhead(lastTried.endedAt) ? lastTried.endedAt + RETRY_MS : 0;
  // What was withheld waits for an operator. Later losses do not.
  const withheld = lastTried?.outcome === "withheld" && !isAhead(lastTried.endedAt) ? lastTried : null;
  const seenAt = Math.max(since, withheld?.startedAt ?? 0);
  const isOpen = (lastComplete?.undecided ?? 0) > 0;
  const due = (dueAt: number, why: string, from = since): DueComparison => {
    const at = Math.max(dueAt, tryAt);
    const isFull = restoredAt !== null || isOpen || isAhead(since) ||
      at - (lastFull?.startedAt ?? 0) >= FULL_EVERY_MS;
    const changesSince = isFull ? null : new Date(Math.min(from, since) - OVERLAP_MS).toISOString();
    return { dueAt: at, isFull, changesSince, why };
  };
  if (restoredAt !== null && (withheld === null || restoredAt > withheld.startedAt)) {
    return due(Math.min(restoredAt, now), "the ledger was restored from a backup, or copied");
  }
  if (isAhead(since)) return due(now, "the clock was set back since the last one");
  const missed = gaps.filter(({ to }) => to !== null && to >= seenAt && !isAhead(to));
  if (missed.length > 0) {
    const [from, to] = [Math.min(...missed.map(({ from }) => from)), Math.max(...missed.map(({ to }) => to ?? 0))];
    return due(to + AFTER_GAP_MS, `notifications may be missing since ${new Date(from).toISOString()}`, from);
  }
  if (everyHours === false) return null;
  return due((withheld?.endedAt ?? since) + everyHours * HOUR_MS, `the last one was ${everyHours} h ago`);
}
