/**
 * A time in which published notifications may have been lost. Times are milliseconds since the
 * epoch. Source, exchange and start identify a gap.
 */
export interface Gap {
  readonly source: GapSource;
  /** The exchange whose notifications may be lost; `null`: all that a watched queue gets. */
  readonly exchange: string | null;
  /** When the broker was last heard, or the binding was last seen. */
  readonly from: number;
  /**
   * When notifications could arrive again; `null` while they cannot, or before that was checked.
   */
  readonly to: number | null;
  /**
   * `lost`: the binding or the queue did not exist, so whatever was published is lost. `possible`:
   * both existed at the first check, but may have been missing before.
   */
  readonly certainty: "lost" | "possible";
}

/** The source of notifications that has a gap. */
export interface GapSource {
  readonly queue: string;
  /**
   * `host:port` of every broker of the source, in the order of the configuration, separated by
   * commas.
   */
  readonly brokers: string;
}

/** Stores gaps. */
export interface GapRecord {
  /** Stores a new gap, or updates one. */
  recordGap(gap: Gap): Promise<void>;
  /** Gaps that have not ended, oldest first. */
  openGaps(): Promise<readonly Gap[]>;
  /**
   * When an earlier run of the service last worked, to the minute, in milliseconds since the epoch;
   * `null`: this is the first run.
   */
  lastRunAt(): Promise<number | null>;
}
