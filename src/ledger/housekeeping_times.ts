// When what is done now and then in a ledger is done, in milliseconds.

export const DAY_MS = 86_400_000;

/** From one round to the next. */
export const ROUND_MS = 60_000;

/** Between two slices of a long piece of work, so that the stages go on. */
export const BETWEEN_SLICES_MS = 50;

/** Between two passes of pruning. */
export const PRUNE_EVERY_MS = 1_800_000;

/** A clock that is off by more than this between two rounds was set. */
export const JUMP_MS = 5 * 60_000;

/** Days that the audit trail is kept, at least. */
const MIN_TRAIL_DAYS = 365;

/** Entries of the audit trail that are older than this may go, milliseconds since the epoch. */
export function trailPrunedBefore(now: number, keepDays: number): number {
  return now - Math.max(keepDays, MIN_TRAIL_DAYS) * DAY_MS;
}
