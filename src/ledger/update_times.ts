/** How soon a server is looked at again whose last event has no detail yet. */
export const WAIT_FOR_DETAIL_MS = 1000;

/**
 * Whether changes of a server have settled. A time further ahead than any wait was set before the
 * system clock was set back.
 */
export function isDue(
  dueAt: number,
  { now, settleMs }: { readonly now: number; readonly settleMs: number },
): boolean {
  return dueAt <= now || dueAt > now + Math.max(settleMs, WAIT_FOR_DETAIL_MS);
}
