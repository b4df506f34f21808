/**
 * A time in which notifications that were published may not have reached us. Times are milliseconds since the epoch.
 * The same source, exchange and beginning are the same gap.
 */
export interface Gap {
  readonly source: GapSource;
  /** Whose notifications: the exchange that our own queue is bound to; `null` for all that a watched queue gets. */
  readonly exchange: string | null;
  /** When the broker was last heard, or the binding was last seen. */
  readonly from: number;
  /** When notifications could arrive again; `null` while they cannot, or nobody has looked yet. */
  readonly to: number | null;
  /**
   * `lost`: binding or queue was gone, whatever was published did not reach us. `possible`: both were there again at the
   * first look, but may have been gone in between.
   */
  readonly certainty: "lost" | "possible";
}

/** Whose gap it is. */
export interface GapSource {
  readonly queue: string;
  /** `host:port` of every broker of the source, in the order of the configuration, separated by commas. */
  readonly brokers: string;
}

/** Where gaps are remembered. */
export interface GapRecord {
  /** Writes a gap, or what is new of one that is there. */
  recordGap(gap: Gap): Promise<void>;
  /** Those that have not ended, oldest first. */
  openGaps(): Promise<readonly Gap[]>;
}
