import type { Rules } from "./decision_context.ts";

/**
 * The number in a key that follows a number. A ledger that was restored from a backup does not know
 * the numbers that were used after the backup. It goes on from the second of its restore, so that no
 * key is used twice: what is numbered so changes less than once a second.
 */
export function numberAfter(last: number, { restoredAtMs = 0 }: Pick<Rules, "restoredAtMs">): number {
  return Math.max(last, Math.floor(restoredAtMs / 1000)) + 1;
}
