/** Deletions that are applied without asking, whatever the number of remembered resources. */
const DEFAULT_MAX_DELETIONS = 10;
/** The share of the remembered resources that may be deleted without asking. */
const SHARE = 0.05;

/**
 * The most deletions that a comparison applies by itself. Without an option: 10, or 5 % of what is
 * remembered if that is more.
 */
export function maxDeletions(option: number | undefined, remembered: number): number {
  return option ?? Math.max(DEFAULT_MAX_DELETIONS, Math.floor(remembered * SHARE));
}
