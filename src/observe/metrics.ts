import { CHANGES, COMPARISON_OUTCOMES } from "../model/comparison.ts";
import type { Outcome } from "../model/decision.ts";
import type { PluginPause } from "../model/pause.ts";
import type { Backlog, Readings } from "../model/readings.ts";
import { type AttemptCounts, type Attempts, DURATION_BUCKETS } from "./attempts.ts";
import { exposition, type Family, type Sample } from "./exposition.ts";

/** The data of one scrape, read once so that its numbers are consistent. */
interface Scrape {
  readonly readings: Readings;
  readonly attempts: AttemptCounts;
  /** `null` when the ledger could not be read. */
  readonly backlog: ReadonlyMap<string, Backlog> | null;
  /** `null` as well. */
  readonly pauses: ReadonlyMap<string, PluginPause> | null;
}

/**
 * One metric. Label values are plugins' names, sources' numbers or from a closed list: their number
 * is bounded.
 */
interface Metric extends Omit<Family, "samples"> {
  readonly read: (scrape: Scrape) => readonly Sample[];
}

const OUTCOMES = ["event", "remembered", "repeated", "superseded"] as const satisfies readonly Outcome[];
const WAITING = ["new", "blocked", "ready", "queued"] as const;

/** All metrics. docs/OPERATIONS.md has the same table; a test compares the two. */
export const METRICS: readonly Metric[] = [
  gauge("info", "The running version, as a label.", ({ readings }) => [
    { labels: { version: readings.version }, value: 1 },
  ]),
  counter(
    "messages_received_total",
    "Messages that RabbitMQ delivered.",
    ({ readings }) => one(readings.intake().received),
  ),
  counter(
    "messages_ignored_total",
    "Messages of types that nobody asked for.",
    ({ readings }) => one(readings.intake().ignored),
  ),
  counter(
    "messages_rejected_total",
    "Messages that could not be read, or name no resource.",
    ({ readings }) => one(readings.intake().rejected),
  ),
  counter(
    "notifications_recorded_total",
    "Notifications on disk that were not there before.",
    ({ readings }) => one(readings.intake().recorded),
  ),
  counter(
    "notifications_decided_total",
    "Recorded notifications by what they turned out to be.",
    ({ readings }) => OUTCOMES.map((outcome) => ({ labels: { outcome }, value: readings.decided()[outcome] })),
  ),
  gauge(
    "last_message_age_seconds",
    "Time since the last message, or since the start before the first.",
    ({ readings }) => one(age(readings, readings.lastMessageAt())),
  ),
  gauge(
    "source_connected",
    "Whether there is a connection to RabbitMQ.",
    ({ readings }) =>
      readings.sources().map(({ connected }, index) => ({
        labels: { source: String(index) },
        value: Number(connected),
      })),
  ),
  gauge(
    "source_consuming",
    "Whether the queue is consumed.",
    ({ readings }) =>
      readings.sources().map(({ consuming }, index) => ({
        labels: { source: String(index) },
        value: Number(consuming),
      })),
  ),
  gauge(
    "ledger_writable",
    "Whether the last write of the ledger worked.",
    ({ readings }) => one(Number(readings.ledgerWritable())),
  ),
  gauge(
    "deciding",
    "Whether messages are decided: not before a new ledger knows what is in OpenStack.",
    ({ readings }) => one(Number(readings.deciding())),
  ),
  gauge(
    "reconcile_agreed_age_seconds",
    "Time since memory and OpenStack agreed last, or were made to; before that, since the ledger began.",
    ({ readings }) => {
      const agreedAt = readings.comparisons()?.agreedAt ?? null;
      return agreedAt === null ? [] : one(age(readings, agreedAt));
    },
  ),
  gauge(
    "reconcile_drift",
    "Differences that the last comparison with OpenStack has found.",
    ({ readings }) => {
      const last = readings.comparisons()?.last ?? null;
      return last === null ? [] : CHANGES.map((change) => ({ labels: { change }, value: last.drift[change] ?? 0 }));
    },
  ),
  gauge(
    "reconcile_outcome",
    "1 for how the last comparison with OpenStack ended.",
    ({ readings }) => {
      const last = readings.comparisons()?.last ?? null;
      const value = (outcome: string) => Number(last?.outcome === outcome);
      return last === null
        ? []
        : COMPARISON_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: value(outcome) }));
    },
  ),
  gauge(
    "reconcile_duration_seconds",
    "How long the last comparison with OpenStack took.",
    ({ readings }) => {
      const last = readings.comparisons()?.last ?? null;
      return last === null ? [] : one((last.endedAt - last.startedAt) / 1000);
    },
  ),
  counter("deliveries_delivered_total", "Deliveries that the plugin made.", perPlugin(({ delivered }) => delivered)),
  counter(
    "deliveries_skipped_total",
    "Deliveries that the plugin's filter skipped.",
    perPlugin(({ skipped }) => skipped),
  ),
  counter(
    "deliveries_dead_total",
    "Deliveries that were given up and became dead letters.",
    perPlugin(({ dead }) => dead),
  ),
  counter("attempts_retried_total", "Attempts that repeated an earlier one.", perPlugin(({ retried }) => retried)),
  counter(
    "attempts_failed_total",
    "Attempts that failed, by the reason.",
    ({ attempts }) =>
      [...attempts.byPlugin].flatMap(([plugin, { failed }]) =>
        [...failed].map(([reason, value]) => ({ labels: { plugin, reason }, value }))
      ),
  ),
  {
    name: "oss_watcher_attempt_duration_seconds",
    type: "histogram",
    help: "How long attempts took.",
    read: ({ attempts }) => [...attempts.byPlugin].flatMap(([plugin, counts]) => durations(plugin, counts)),
  },
  gauge(
    "breaker_open",
    "Whether the breaker is open: the target gets probes only.",
    ({ readings }) =>
      [...readings.breakers()].map(([plugin, state]) => ({ labels: { plugin }, value: Number(state === "open") })),
  ),
  gauge(
    "plugin_paused",
    "Whether an operator has paused the plugin: its deliveries wait.",
    ({ attempts, pauses }) =>
      pauses === null
        ? []
        : [...attempts.byPlugin.keys()].map((plugin) => ({ labels: { plugin }, value: Number(pauses.has(plugin)) })),
  ),
  gauge(
    "lease_held",
    "Whether this process does a part of the work, where several share a ledger on PostgreSQL; the parts of its config.ts.",
    ({ readings }) => readings.leases().map(({ name, isHeld }) => ({ labels: { lease: name }, value: Number(isHeld) })),
  ),
  gauge(
    "deliveries_waiting",
    "Unfinished deliveries: without a detail yet, behind an earlier one, ready, or, behind a thousand of its plugin, not looked at yet.",
    ({ backlog }) =>
      [...backlog ?? []].flatMap(([plugin, { waiting }]) =>
        WAITING.map((state) => ({ labels: { plugin, state }, value: waiting[state] }))
      ),
  ),
  gauge(
    "oldest_waiting_delivery_age_seconds",
    "Age of the oldest unfinished delivery; 0 without one.",
    ({ readings, backlog }) =>
      [...backlog ?? []].map(([plugin, { oldestAt }]) => ({
        labels: { plugin },
        value: oldestAt === null ? 0 : age(readings, oldestAt),
      })),
  ),
  gauge(
    "dead_letters",
    "Dead letters that wait for an operator.",
    ({ backlog }) => [...backlog ?? []].map(([plugin, { dead }]) => ({ labels: { plugin }, value: dead })),
  ),
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When this run began, since the epoch: the process, or its last reload.",
    read: ({ readings }) => one(readings.startedAt / 1000),
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Processor time of the process.",
    read: ({ readings }) => one(readings.cpuSeconds()),
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Memory of the process.",
    read: ({ readings }) => one(readings.residentBytes()),
  },
];

/** The content of `/metrics`. */
export async function metricsText(readings: Readings, attempts: AttemptCounts): Promise<string> {
  return exposition(await metricFamilies(readings, attempts));
}

/**
 * All metrics with their values. If the ledger cannot be read, only those of its backlog and of
 * pauses are missing.
 */
export async function metricFamilies(readings: Readings, attempts: AttemptCounts): Promise<readonly Family[]> {
  const [backlog, pauses] = await Promise.all([
    readings.backlog().catch(() => null),
    readings.pauses().catch(() => null),
  ]);
  const scrape = { readings, attempts, backlog, pauses };
  return METRICS.map(({ read, ...family }) => ({ ...family, samples: read(scrape) }));
}

function counter(name: string, help: string, read: Metric["read"]): Metric {
  return { name: `oss_watcher_${name}`, type: "counter", help, read };
}

function gauge(name: string, help: string, read: Metric["read"]): Metric {
  return { name: `oss_watcher_${name}`, type: "gauge", help, read };
}

function one(value: number): readonly Sample[] {
  return [{ value }];
}

function perPlugin(value: (attempts: Attempts) => number): Metric["read"] {
  return ({ attempts }) =>
    [...attempts.byPlugin].map(([plugin, counts]) => ({ labels: { plugin }, value: value(counts) }));
}

/** An age in seconds, never negative: the clock may have been set back. */
function age({ now }: Readings, at: number): number {
  return Math.max(0, now() - at) / 1000;
}

/** The samples of a histogram. Prometheus' buckets are cumulative. */
function durations(plugin: string, { took, secondsTaken }: Attempts): readonly Sample[] {
  let count = 0;
  const buckets = took.map((inBucket, index) => {
    count += inBucket;
    const le = String(DURATION_BUCKETS[index] ?? "+Inf");
    return { suffix: "_bucket", labels: { plugin, le }, value: count };
  });
  return [
    ...buckets,
    { suffix: "_sum", labels: { plugin }, value: secondsTaken },
    { suffix: "_count", labels: { plugin }, value: count },
  ];
}
