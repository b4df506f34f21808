import type { CloudScope, ComparisonReport, Difference, PastComparisons } from "./comparison.ts";
import type { Gap } from "./gap.ts";
import type { Listing } from "./ledger.ts";
import type { Memory } from "./memory.ts";
import type { Notification } from "./notification.ts";

/** Reads the ledger's memory, beside the stages that change it. */
export interface MemoryReader {
  /**
   * Calls back with memory as it is now, and returns what the reader's last call returned. The
   * reader must be short: it blocks the event loop. It must be a pure function of memory: a ledger
   * that does not know yet which rows it reads calls it several times.
   */
  look<Result>(reader: (memory: Memory) => Result): Promise<Result>;
  /** The ids of all resources in memory that are not deleted, ascending. */
  existingIds(listing: Listing): Promise<readonly string[]>;
}

/** The ledger for comparisons of memory with OpenStack. */
export interface ComparisonLedger extends MemoryReader {
  /** The comparisons that the next one builds on. */
  past(): Promise<PastComparisons>;
  /** The first 1,000 differences of the last comparison; empty where there was none. */
  lastDifferences(): Promise<readonly Difference[]>;
  /** Gaps that ended at this time or later, oldest first. Milliseconds since the epoch. */
  gapsSince(time: number): Promise<readonly Gap[]>;
  /** The newest recorded notification, and the oldest one that is undecided; `null`: none. */
  decisions(): Promise<{ readonly newest: number | null; readonly oldestUndecided: number | null }>;
  /** Stores the scope in which priming reads OpenStack: the first comparison must have the same. */
  primed(scope: CloudScope): Promise<void>;
  /** Stores a report. */
  report(report: ComparisonReport): Promise<void>;
  /** Records observations behind all notifications: the running service decides them. */
  record(observations: readonly Notification[]): Promise<void>;
}
