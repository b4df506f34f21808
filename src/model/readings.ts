import type { Outcome } from "./decision.ts";
import type { FailureReason } from "./errors.ts";
import type { Settlement } from "./ledger.ts";

/** How many messages came in since the start, by what became of them. */
export interface IntakeCounts {
  readonly received: number;
  readonly ignored: number;
  readonly rejected: number;
  /** Notifications that were new and are on disk now. */
  readonly recorded: number;
}

/** An attempt whose end is on disk. */
export interface AttemptEnd {
  readonly plugin: string;
  readonly outcome: Settlement["outcome"];
  /** `null` for `done`. */
  readonly reason: FailureReason | null;
  /** Whether it repeated an earlier one. */
  readonly repeated: boolean;
  /** How long the plugin took. */
  readonly tookMs: number;
}

/** What waits in the ledger for one plugin. */
export interface Backlog {
  /** Deliveries by what they wait for: a detail, an earlier delivery, their time or a place; `queued` are behind these, and not looked at yet. */
  readonly waiting: Readonly<Record<"new" | "blocked" | "ready" | "queued", number>>;
  /** When the event of the oldest was decided, milliseconds since the epoch; `null` when nothing waits. */
  readonly oldestAt: number | null;
  /** Dead letters. */
  readonly dead: number;
}

/** A source of messages right now. */
export interface SourceState {
  readonly connected: boolean;
  readonly consuming: boolean;
}

/** What the stages say of themselves when they are asked: all that metrics and health are made of. */
export interface Readings {
  /** When this run began, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly version: string;
  readonly now: () => number;
  readonly intake: () => IntakeCounts;
  /** When the last message came, milliseconds since the epoch; the start before the first one. */
  readonly lastMessageAt: () => number;
  /** Decided notifications. */
  readonly decided: () => Readonly<Record<Outcome, number>>;
  readonly sources: () => readonly SourceState[];
  readonly ledgerWritable: () => boolean;
  /** Whether messages are decided: not before a new ledger knows what is there. */
  readonly deciding: () => boolean;
  /** By the names of the configured plugins. Rejects where the ledger cannot be read. */
  readonly backlog: () => Promise<ReadonlyMap<string, Backlog>>;
  readonly breakers: () => ReadonlyMap<string, "open" | "closed">;
  /** Seconds of processor time since the process began. */
  readonly cpuSeconds: () => number;
  readonly residentBytes: () => number;
}
