import type { Readings, SourceState } from "./readings.ts";

/** A source with its address, without user and password. */
export interface LiveSource extends SourceState {
  /** `host:port/vhost`; of several brokers all, separated by commas. */
  readonly broker: string;
  readonly queue: string;
}

/** How long a plugin's attempts took, and how many there were. */
export interface RecentAttempts {
  /** Of the last minute. */
  readonly attemptsPerMinute: number;
  readonly failuresPerMinute: number;
  /** Of the last five minutes, in seconds; `null`: there were none. */
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
}

/** Figures of equal steps of time; `null`: nothing was measured. */
export interface HistoryColumns {
  readonly stepSeconds: number;
  /** Ends of the steps, milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly events: readonly (number | null)[];
  readonly deliveries: readonly (number | null)[];
  readonly failures: readonly (number | null)[];
  readonly p50Seconds: readonly (number | null)[];
  readonly p99Seconds: readonly (number | null)[];
  readonly waiting: readonly (number | null)[];
}

/** What the service counted in the last hour and day. */
export interface LiveHistory {
  columns(range: "hour" | "day"): HistoryColumns;
  recent(plugin: string): RecentAttempts;
}

/** A running service, for the console: to look at, not to change. */
export interface LiveService {
  readonly readings: Readings;
  readonly sources: () => readonly LiveSource[];
  readonly history: LiveHistory;
  /** Why the service should be restarted, and what prevents consuming and recording. */
  readonly livenessProblems: () => readonly string[];
  readonly readinessProblems: () => readonly string[];
}

/** Shows the service until the signal aborts. Its errors never stop the service. */
export type ShowLive = (live: LiveService, signal: AbortSignal) => Promise<void>;
