import type { Clock } from "../model/clock.ts";
import type { HistoryColumns, LiveHistory, RecentAttempts } from "../model/live_service.ts";
import { type Readings, unfinishedOf } from "../model/readings.ts";
import { type AttemptCounts, type Attempts, DURATION_BUCKETS } from "./attempts.ts";
import { quantile } from "./quantile.ts";

export interface HistoryOptions {
  readonly attempts: AttemptCounts;
  readonly readings: Pick<Readings, "decided" | "backlog">;
  readonly clock: Clock;
}

/** Steps of the hour and of the day. A day's step has this many of an hour's. */
const STEP_SECONDS = 30;
const STEPS_PER_LONG = 20;
const HOUR_STEPS = 120;
const DAY_STEPS = 144;

/** Steps of {@linkcode LiveHistory.recent}: of the rates, and of the durations. */
const RATE_STEPS = 2;
const DURATION_STEPS = 10;

/** Counters at one moment. They only grow. */
interface Counters {
  readonly attempts: number;
  readonly delivered: number;
  readonly failed: number;
  readonly took: readonly number[];
}

/** What happened in one step. */
interface Step {
  readonly endedAt: number;
  readonly events: number;
  readonly deliveries: number;
  readonly failures: number;
  readonly took: readonly number[];
  readonly waiting: number | null;
}

/**
 * The last hour and day, in fixed memory. An event costs nothing here: the counters of the metrics
 * are read every 30 s, and their differences kept.
 */
export class History implements LiveHistory {
  readonly #options: HistoryOptions;
  readonly #hour: Step[] = [];
  readonly #day: Step[] = [];
  /** Of each plugin, at the ends of the last steps. */
  readonly #recent = new Map<string, Counters[]>();
  #before: { readonly all: Counters; readonly events: number };
  /** The steps of the day's step that is not complete. */
  #sinceLong: Step[] = [];

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#before = this.#read();
    for (const [plugin, counts] of options.attempts.byPlugin) this.#recent.set(plugin, [countersOf(counts)]);
  }

  /** Takes samples until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const toNextMs = STEP_SECONDS * 1000 - clock.now() % (STEP_SECONDS * 1000);
      await clock.sleep(toNextMs, signal);
      if (signal.aborted) return;
      await this.sample();
    }
  }

  /** Ends a step. */
  async sample(): Promise<void> {
    const { attempts, clock } = this.#options;
    const waiting = await this.#waiting();
    const [now, before] = [this.#read(), this.#before];
    this.#before = now;
    const { delivered, failed, took } = difference(now.all, before.all);
    const events = now.events - before.events;
    const step = { endedAt: clock.now(), events, deliveries: delivered, failures: failed, took, waiting };
    push(this.#hour, step, HOUR_STEPS);
    this.#sinceLong.push(step);
    if (this.#sinceLong.length === STEPS_PER_LONG) {
      push(this.#day, joined(this.#sinceLong), DAY_STEPS);
      this.#sinceLong = [];
    }
    for (const [plugin, counts] of attempts.byPlugin) {
      push(this.#recent.get(plugin) as Counters[], countersOf(counts), DURATION_STEPS + 1);
    }
  }

  columns(range: "hour" | "day"): HistoryColumns {
    const unfinished = this.#sinceLong.length === 0 ? [] : [joined(this.#sinceLong)];
    const steps = range === "hour" ? this.#hour : [...this.#day, ...unfinished].slice(-DAY_STEPS);
    return {
      stepSeconds: range === "hour" ? STEP_SECONDS : STEP_SECONDS * STEPS_PER_LONG,
      times: steps.map(({ endedAt }) => endedAt),
      events: steps.map(({ events }) => events),
      deliveries: steps.map(({ deliveries }) => deliveries),
      failures: steps.map(({ failures }) => failures),
      p50Seconds: steps.map(({ took }) => quantileOf(took, 0.5)),
      p99Seconds: steps.map(({ took }) => quantileOf(took, 0.99)),
      waiting: steps.map(({ waiting }) => waiting),
    };
  }

  recent(plugin: string): RecentAttempts {
    const counts = this.#options.attempts.byPlugin.get(plugin);
    const kept = this.#recent.get(plugin) ?? [];
    const now = counts === undefined ? NOTHING : countersOf(counts);
    const rates = difference(now, kept.at(-RATE_STEPS) ?? kept[0] ?? NOTHING);
    const { took } = difference(now, kept[0] ?? NOTHING);
    return {
      attemptsPerMinute: rates.attempts,
      failuresPerMinute: rates.failed,
      p50Seconds: quantileOf(took, 0.5),
      p99Seconds: quantileOf(took, 0.99),
    };
  }

  #read(): { readonly all: Counters; readonly events: number } {
    const { attempts, readings } = this.#options;
    return {
      all: [...attempts.byPlugin.values()].map(countersOf).reduce(sum, NOTHING),
      events: readings.decided().event,
    };
  }

  /** Unfinished deliveries; `null`: the ledger cannot be read. */
  async #waiting(): Promise<number | null> {
    try {
      const backlogs = [...(await this.#options.readings.backlog()).values()];
      return backlogs.reduce((total, backlog) => total + unfinishedOf(backlog), 0);
    } catch {
      return null;
    }
  }
}

const NOTHING: Counters = { attempts: 0, delivered: 0, failed: 0, took: DURATION_BUCKETS.map(() => 0).concat(0) };

function countersOf({ delivered, failed, took }: Attempts): Counters {
  const failures = [...failed.values()].reduce((total, count) => total + count, 0);
  return { attempts: took.reduce((total, count) => total + count, 0), delivered, failed: failures, took: [...took] };
}

function sum(one: Counters, other: Counters): Counters {
  return {
    attempts: one.attempts + other.attempts,
    delivered: one.delivered + other.delivered,
    failed: one.failed + other.failed,
    took: one.took.map((count, index) => count + (other.took[index] ?? 0)),
  };
}

function difference(later: Counters, earlier: Counters): Counters {
  return {
    attempts: later.attempts - earlier.attempts,
    delivered: later.delivered - earlier.delivered,
    failed: later.failed - earlier.failed,
    took: later.took.map((count, index) => count - (earlier.took[index] ?? 0)),
  };
}

/** Steps as one. What waits is that of the last. */
function joined(steps: readonly Step[]): Step {
  const total = (of: (step: Step) => number) => steps.reduce((all, step) => all + of(step), 0);
  return {
    endedAt: steps.at(-1)?.endedAt ?? 0,
    events: total(({ events }) => events),
    deliveries: total(({ deliveries }) => deliveries),
    failures: total(({ failures }) => failures),
    took: NOTHING.took.map((_, index) => total(({ took }) => took[index] ?? 0)),
    waiting: steps.findLast(({ waiting }) => waiting !== null)?.waiting ?? null,
  };
}

function push<T>(list: T[], value: T, limit: number): void {
  list.push(value);
  if (list.length > limit) list.shift();
}

function quantileOf(took: readonly number[], share: number): number | null {
  return quantile({ counts: took, bounds: DURATION_BUCKETS }, share);
}
