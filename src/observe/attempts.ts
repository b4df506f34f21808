import { FAILURE_REASONS, type FailureReason } from "../model/errors.ts";
import type { AttemptEnd } from "../model/readings.ts";

/**
 * Upper bounds of the histogram's buckets, in seconds: up to the default time limit of an attempt.
 */
export const DURATION_BUCKETS: readonly number[] = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Counters of one plugin's delivery attempts since the start. */
export class Attempts {
  delivered = 0;
  /** Deliveries that the plugin's filter skipped. */
  skipped = 0;
  retried = 0;
  dead = 0;
  readonly failed = new Map<FailureReason, number>(FAILURE_REASONS.map((reason) => [reason, 0]));
  /**
   * Number of attempts per bucket, not cumulated. The last element counts those above all bounds.
   */
  readonly took: number[] = Array.from({ length: DURATION_BUCKETS.length + 1 }, () => 0);
  secondsTaken = 0;

  count({ outcome, reason, repeated, tookMs }: AttemptEnd): void {
    if (outcome === "unneeded") {
      this.skipped++;
      return;
    }
    if (outcome === "done") this.delivered++;
    if (outcome === "dead" || outcome === "undecided") this.dead++;
    if (repeated) this.retried++;
    if (reason !== null) this.failed.set(reason, (this.failed.get(reason) ?? 0) + 1);
    const seconds = Math.max(0, tookMs) / 1000;
    const bucket = DURATION_BUCKETS.findIndex((upperEnd) => seconds <= upperEnd);
    const index = bucket === -1 ? DURATION_BUCKETS.length : bucket;
    this.took[index] = (this.took[index] ?? 0) + 1;
    this.secondsTaken += seconds;
  }
}

/** Counters of the delivery attempts of all plugins. */
export class AttemptCounts {
  readonly byPlugin: ReadonlyMap<string, Attempts>;

  constructor(plugins: Iterable<string>) {
    this.byPlugin = new Map([...plugins].map((name) => [name, new Attempts()]));
  }

  count(end: AttemptEnd): void {
    this.byPlugin.get(end.plugin)?.count(end);
  }
}
