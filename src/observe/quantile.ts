/** A histogram: how many values lie up to each bound, and above the last; not cumulated. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
}

/**
 * The value below which a share of all lies, supposed that the values of a bucket lie evenly in it,
 * as Prometheus supposes. Above the last bound it is that bound. `null`: there are no values.
 */
export function quantile({ counts, bounds }: Histogram, share: number): number | null {
  const total = counts.reduce((all, count) => all + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0 && below + count >= rank) {
      const lower = bounds[index - 1] ?? 0;
      return lower + (bound - lower) * Math.max(0, rank - below) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}
