import type { Clock } from "./clock.ts";
import type { ComparisonLedger } from "./comparison_ledger.ts";
import type { Ledger } from "./ledger.ts";
import type { PluginPause } from "./pause.ts";
import type { Logger } from "./plugin.ts";
import type { Backlog } from "./readings.ts";
import type { Tenancy } from "./tenancy.ts";

/** What the service opens a ledger with. */
export interface StoredLedgerOptions {
  /** The names of the configured plugins. */
  readonly plugins: readonly string[];
  /** The program's version. */
  readonly version: string;
  /** What config.ts announces, as a hash: processes that share a ledger must agree on it. */
  readonly announces: string;
  readonly clock: Clock;
  /** Days that finished deliveries and what was deleted are kept, at least. */
  readonly keepDays: number;
  /** The longest delay of any plugin's retry policy, milliseconds. */
  readonly maxDelayMs: number;
  readonly log: Logger;
  /** Called when deliveries may have become due: times were brought forward, or another process says so. */
  readonly onRescheduled: () => void;
  /** Called when another process may have recorded messages. */
  readonly onRecorded: () => void;
}

/**
 * The service's ledger, which outlives its process: what the stages use, and what belongs to its
 * storage. Disposing of it closes the storage; nothing may be called afterwards.
 */
export interface StoredLedger extends AsyncDisposable {
  /** What the stages use. */
  readonly ledger: Ledger;
  /** What comparisons of memory with OpenStack use. */
  readonly comparisons: ComparisonLedger;
  /** Which part of the work is ours. */
  readonly tenancy: Tenancy;
  /**
   * When the ledger was last restored from a backup, or copied, milliseconds since the epoch; 0:
   * never. Known once {@linkcode StoredLedger.start} has ended.
   */
  readonly restoredAtMs: number;
  /** Begins to take part. Notices a restore, and a clock that was set, before a stage relies on the ledger. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * What the storage needs, until the signal aborts, such as housekeeping. Never rejects because the
   * ledger is unavailable.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Whether age limits may be applied: `false` for a day after a forward jump of the system clock.
   */
  trustsClock(): boolean;
  /** Writes and deletes test data. Rejects with `LedgerUnavailable` while that does not work. */
  testWrite(): Promise<void>;
  /**
   * The backlog of each configured plugin, by its name. Rejects when the ledger cannot be read, and
   * was not read before.
   */
  count(): Promise<ReadonlyMap<string, Backlog>>;
  /** The plugins that are paused, by name. Rejects when the ledger cannot be read. */
  pauses(): Promise<ReadonlyMap<string, PluginPause>>;
  /**
   * The ids of the messages that led to events, by the numbers of the events, as far as they are
   * still known. Rejects when the ledger cannot be read.
   */
  causesOf(seqs: readonly number[]): Promise<ReadonlyMap<number, string>>;
}
