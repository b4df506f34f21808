import type { ComparisonReport } from "./comparison.ts";
import type { Outcome } from "./decision.ts";
import type { FailureReason } from "./errors.ts";
import type { Settlement } from "./ledger.ts";
import type { PluginPause } from "./pause.ts";
import type { HeldPart } from "./tenancy.ts";

/** Messages since the start, by outcome. */
export interface IntakeCounts {
  readonly received: number;
  readonly ignored: number;
  readonly rejected: number;
  /** New notifications that were recorded. */
  readonly recorded: number;
}

/** An attempt whose outcome is on disk; `unneeded`: a filter skipped the delivery, without one. */
export interface AttemptEnd {
  readonly plugin: string;
  readonly outcome: Settlement["outcome"];
  /** `null` for `done` and `unneeded`. */
  readonly reason: FailureReason | null;
  /** Whether it repeated an earlier one. */
  readonly repeated: boolean;
  /** Duration of the plugin's call. */
  readonly tookMs: number;
}

/** The backlog of one plugin. */
export interface Backlog {
  /**
   * Deliveries by state: without a detail, blocked by an earlier delivery, ready for an attempt
   * (due or not), queued behind these.
   */
  readonly waiting: Readonly<Record<"new" | "blocked" | "ready" | "queued", number>>;
  /** When the oldest event was decided, milliseconds since the epoch; `null`: no backlog. */
  readonly oldestAt: number | null;
  /** Dead letters. */
  readonly dead: number;
}

/** All deliveries of a backlog that are not finished. */
export function unfinishedOf({ waiting }: Backlog): number {
  return waiting.new + waiting.blocked + waiting.ready + waiting.queued;
}

/** The current state of a source. */
export interface SourceState {
  readonly connected: boolean;
  readonly consuming: boolean;
}

/** The last comparisons of memory with OpenStack, of this run or an earlier one. */
export interface ComparisonReadings {
  /** The last one, whatever its outcome; `null`: there was none. */
  readonly last: ComparisonReport | null;
  /**
   * When memory and OpenStack agreed last, or were made to, or the ledger began; ms since the epoch.
   * `null`: none of these.
   */
  readonly agreedAt: number | null;
}

/** Current figures of the stages: the only input of metrics and health. */
export interface Readings {
  /** When this run began, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly version: string;
  readonly now: () => number;
  readonly intake: () => IntakeCounts;
  /** When the last message came, milliseconds since the epoch; before the first one, the start. */
  readonly lastMessageAt: () => number;
  /** Decided notifications, by outcome. */
  readonly decided: () => Readonly<Record<Outcome, number>>;
  readonly sources: () => readonly SourceState[];
  readonly ledgerWritable: () => boolean;
  /** Whether messages are decided: not during priming. */
  readonly deciding: () => boolean;
  /** Comparisons with OpenStack; `null` without a section `openstack`. */
  readonly comparisons: () => ComparisonReadings | null;
  /** By the names of the configured plugins. Rejects when the ledger cannot be read. */
  readonly backlog: () => Promise<ReadonlyMap<string, Backlog>>;
  /** The plugins that are paused, by name, whoever delivers for them. Rejects as `backlog` does. */
  readonly pauses: () => Promise<ReadonlyMap<string, PluginPause>>;
  /** Of the plugins whose deliveries are ours. */
  readonly breakers: () => ReadonlyMap<string, "open" | "closed">;
  /** Which parts of the work are ours, where several processes share it; empty otherwise. */
  readonly leases: () => readonly HeldPart[];
  /** Seconds of processor time since the process began. */
  readonly cpuSeconds: () => number;
  readonly residentBytes: () => number;
}
