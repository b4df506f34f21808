import type { Subject } from "./event.ts";
import type { Listing } from "./ledger.ts";

/**
 * With which eyes OpenStack was read: account, roles, region and endpoints, by their names. Two
 * comparisons with equal scopes have seen the same part of the same cloud.
 */
export interface CloudScope {
  /** The project that the account is logged in for; `null`: none. */
  readonly projectId: string | null;
  /** Whether it has the role `admin` there, which services' default policies let see everything. */
  readonly isAdmin: boolean;
  /** Everything that the answers depend on, without secrets, as `region: "RegionOne"`. */
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * How a target differs from OpenStack. `untold`: what is there was never told. `gone`: what was
 * told is gone. `moved`: a floating IP has moved from one server to another. `changed`: a server has
 * other values of keys that `events.update` lists.
 */
export type Change = "untold" | "gone" | "moved" | "changed";

/** All of {@linkcode Change}, in the order of plans and metrics. */
export const CHANGES = ["untold", "gone", "moved", "changed"] as const satisfies readonly Change[];

/** One difference between memory and OpenStack, which events would repair. */
export interface Difference {
  readonly change: Change;
  readonly subject: Subject;
  readonly id: string;
  /** The server's hostname; `null` when unknown. */
  readonly name: string | null;
  /** The first fixed address of a server, or the floating IP's address; `null` when unknown. */
  readonly address: string | null;
  /** Keys of the events that repair it. */
  readonly keys: readonly string[];
  /** What OpenStack answered, and when: a sentence each. */
  readonly evidence: readonly string[];
}

/** A resource of which nothing was concluded, and why. */
export interface Undecided {
  readonly subject: Subject | "port";
  readonly id: string;
  readonly reason: string;
}

/** What a comparison led to. */
export type ComparisonOutcome =
  /** Memory and OpenStack agree. */
  | "agreed"
  /** The events that repair the differences have been recorded. */
  | "applied"
  /** There are differences, and nothing was done: only the plan was asked for. */
  | "planned"
  /** There are more deletions than `maxDeletions`: nothing was done, and they are found again. */
  | "withheld"
  /** It did not come to an end. Nothing was concluded. */
  | "failed";

/** Outcomes of comparisons that the ledger keeps, in the order of the metrics. */
export const COMPARISON_OUTCOMES = [
  "agreed",
  "applied",
  "withheld",
  "failed",
] as const satisfies readonly ComparisonOutcome[];

/** One comparison of memory with OpenStack, as the ledger keeps it. Times: ms since the epoch. */
export interface ComparisonReport {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why it was made, for operators. */
  readonly why: string;
  /** `false`: of Nova, only servers that have changed since the last comparison were read. */
  readonly isFull: boolean;
  /** Whether an operator's command made it, and not the service. */
  readonly isByHand: boolean;
  /**
   * `true`: the account saw less than that of the last complete comparison, which this one does not
   * replace.
   */
  readonly isPartial: boolean;
  readonly outcome: ComparisonOutcome;
  /** Why it failed, was withheld, or would be without `--force`; `null` otherwise. */
  readonly problem: string | null;
  /** `null`: it failed before the login. */
  readonly scope: CloudScope | null;
  /** Resources that OpenStack listed. */
  readonly found: Readonly<Record<Listing, number>>;
  /** Differences by kind. */
  readonly drift: Readonly<Record<Change, number>>;
  /** Rows of memory that were corrected without an event. */
  readonly corrected: number;
  /** Resources that OpenStack was asked for, without an answer that says whether they are there. */
  readonly undecided: number;
  /** The first 1,000 differences. */
  readonly differences: readonly Difference[];
}

/** The comparisons that the next one builds on; their reports here are without differences. */
export interface PastComparisons {
  /** When priming began, i.e. since when the ledger follows the cloud; `null`: not yet. */
  readonly beganAt: number | null;
  /**
   * When it was noticed that the ledger had been restored from a backup, or copied, if no
   * comparison was complete since; otherwise `null`.
   */
  readonly restoredAt: number | null;
  /** When the last restore was noticed, whether a comparison was complete since or not. */
  readonly lastRestoreAt: number | null;
  /** The last one, whatever its outcome. */
  readonly last: ComparisonReport | null;
  /** The last one that the service made, whatever its outcome, or that was complete. */
  readonly lastTried: ComparisonReport | null;
  /**
   * The last one that came to an end and was to repair what it found, and the last full one of
   * these.
   */
  readonly lastComplete: ComparisonReport | null;
  readonly lastFull: ComparisonReport | null;
  /** The scope of the last complete one, or of priming; `null`: unknown. */
  readonly reference: CloudScope | null;
  /** When memory and OpenStack agreed last, or were made to; `null`: never. */
  readonly agreedAt: number | null;
}
