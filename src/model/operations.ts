import type { AuditTrail } from "./audit_trail.ts";
import type { Detail } from "./detail.ts";
import type { FailureReason } from "./errors.ts";
import type { EventSearch } from "./event_search.ts";
import type { Gap } from "./gap.ts";
import type { ComparisonLedger } from "./comparison_ledger.ts";
import type { Delivery, Listing } from "./ledger.ts";
import type { Listed, ListedState } from "./listed.ts";
import type { Memory, MemoryChanges } from "./memory.ts";
import type { ProcessList } from "./processes.ts";
import type { Notification } from "./notification.ts";
import type { TargetOutage } from "./outage.ts";
import type { PluginPause } from "./pause.ts";

export { type Listed, LISTED_STATES, type ListedState } from "./listed.ts";

export interface ListFilter {
  readonly state?: ListedState;
  readonly plugin?: string;
  /**
   * A server or a floating IP: an id, a server's name with or without its domain, a fixed or a
   * floating address.
   */
  readonly resource?: string;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  /** The number of newest entries. */
  readonly limit: number;
}

export interface ShownAttempt {
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `partial`: the delivery is done, with a note of the plugin. */
  readonly reason: FailureReason | "partial";
  readonly error: string;
}

export interface ShownDelivery {
  readonly plugin: string;
  readonly state: ListedState;
  readonly attempts: number;
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
  /** The first 3 failed attempts and the last 20. */
  readonly failures: readonly ShownAttempt[];
  /**
   * The detail that the plugin was last told of the server; `null`: none. Absent where changes of
   * servers are not followed.
   */
  readonly before?: Detail | null;
  /** Keys of the earlier events that block it. */
  readonly waitsFor: readonly string[];
  /** It waits, and its plugin is paused. Absent otherwise. */
  readonly paused?: PluginPause;
}

/** Everything that the ledger has of one event. */
export interface ShownEvent {
  readonly event: Delivery["event"];
  readonly decidedAt: number;
  readonly notification: Notification | null;
  readonly detail: Detail | null;
  readonly deliveries: readonly ShownDelivery[];
}

/** The result of a replay or a drop of one delivery. */
export interface OperatorResult {
  readonly key: string;
  readonly plugin: string;
  /** Why it was refused; `null`: it was done. */
  readonly refused: string | null;
}

/** The deliveries that `events replay` and `events drop` act on. */
export interface Selection {
  readonly keys?: readonly string[];
  readonly plugin?: string;
  /** All dead letters. */
  readonly dead?: boolean;
}

/** One plugin's deliveries and target. */
export interface PluginState {
  readonly plugin: string;
  /** The number of deliveries in each state; pruned ones do not count. */
  readonly deliveries: Readonly<Record<Exclude<ListedState, "superseded" | "rejected">, number>>;
  /** Whether the plugin is configured in the running service, or was when it ran last. */
  readonly isConfigured: boolean;
  /** The target's outage; `null`: it was reached, or not tried since the service started. */
  readonly outage: TargetOutage | null;
  /** `null`: it is not paused. */
  readonly paused: PluginPause | null;
}

/**
 * The ledger for operators' commands, whether the service runs or not. Promises reject with
 * `UserError` or `LedgerUnavailable` when the ledger cannot be read or written.
 */
export interface LedgerOperations extends AsyncDisposable {
  /** The names of all plugins that were ever configured. */
  plugins(): Promise<readonly string[]>;
  /** Entries in pages, newest first. A page is read when the previous one was consumed. */
  list(filter: ListFilter): AsyncIterable<readonly Listed[]>;
  show(key: string): Promise<ShownEvent | undefined>;
  /**
   * Replays dead or dropped deliveries, at their old place in the order. `force`: even if a later
   * event that shares an order key was delivered.
   */
  replay(selection: Selection, options: { readonly force: boolean }): Promise<readonly OperatorResult[]>;
  /**
   * What {@linkcode LedgerOperations.replay} or {@linkcode LedgerOperations.drop} would answer for the
   * first `limit` deliveries, without doing anything.
   */
  refusals(
    selection: Selection,
    wanted: { readonly action: "replay" | "drop"; readonly force: boolean; readonly limit: number },
  ): Promise<readonly OperatorResult[]>;
  /** The processes that share the ledger; `null`: there is one, which does all the work. */
  processes(): Promise<ProcessList | null>;
  /** All plugins that were ever configured, by name. */
  pluginStates(): Promise<readonly PluginState[]>;
  /** Whether a plugin is configured in the running service, or was when it ran last. */
  isConfigured(plugin: string): Promise<boolean>;
  /** When the service last ran, to the minute, milliseconds since the epoch; `null`: never. */
  serviceSeenAt(): Promise<number | null>;
  /** Makes all retries of a plugin due at once, and requests a probe. Returns how many waited. */
  tryNow(plugin: string): Promise<number>;
  /**
   * Lets a plugin's deliveries wait, in order, until {@linkcode LedgerOperations.resume}; attempts in
   * flight end. Kept over restarts. Returns whether it was done: `false` for a plugin that is paused
   * already, and keeps its first pause, or that the ledger does not know.
   *
   * @param by Who does it: `root@controller-1 (command)`.
   */
  pause(plugin: string, by: string): Promise<boolean>;
  /** Ends a pause. Returns whether there was one. */
  resume(plugin: string): Promise<boolean>;
  /** The plugins that are paused, by name. */
  pauses(): Promise<ReadonlyMap<string, PluginPause>>;
  /** Drops unfinished and dead deliveries for good. */
  drop(selection: Selection): Promise<readonly OperatorResult[]>;
  /**
   * Stores what was read from OpenStack. Makes no events. The primer must be a pure function of
   * memory: a ledger that does not know yet which rows it reads calls it several times. What its
   * last call returns is stored.
   */
  prime(primer: (memory: Memory) => MemoryChanges): Promise<void>;
  /** The ids of all resources in memory that are not deleted. */
  existingIds(listing: Listing): Promise<readonly string[]>;
  /** Times in which notifications may have been lost, oldest first. */
  gaps(): Promise<readonly Gap[]>;
  /** What `oss-watcher reconcile` reads and writes. */
  readonly comparisons: ComparisonLedger;
  /** What operators have done. */
  readonly trail: AuditTrail;
  /** Searches for the console. */
  readonly search: EventSearch;
  /** Writes a consistent copy to a new file, marked as a copy. */
  backup(file: string): Promise<void>;
}
