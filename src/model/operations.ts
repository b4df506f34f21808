import type { Detail } from "./detail.ts";
import type { FailureReason } from "./errors.ts";
import type { Gap } from "./gap.ts";
import type { Delivery, Listing } from "./ledger.ts";
import type { Memory, MemoryChanges } from "./memory.ts";
import type { Notification } from "./notification.ts";
import type { TargetOutage } from "./outage.ts";

/** What an operator may ask for: a delivery's state, or a notification that led to nothing. */
export const LISTED_STATES = ["waiting", "retrying", "done", "dead", "dropped", "superseded", "rejected"] as const;
export type ListedState = typeof LISTED_STATES[number];

export interface ListFilter {
  readonly state?: ListedState;
  readonly plugin?: string;
  /** A server or a floating IP: an id, a server's name with or without its domain, a fixed or a floating address. */
  readonly resource?: string;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  /** The newest so many. */
  readonly limit: number;
}

/** One line of a listing. */
export interface Listed {
  /** The event's key; the event type of a superseded notification; the routing key of a rejected message. */
  readonly key: string;
  readonly state: ListedState;
  /** The server's `FQDN` and the event's `IP`, as the detail has them, else as the messages said; `null` when unknown. */
  readonly name: string | null;
  readonly address: string | null;
  /** `null` for what never became a delivery. */
  readonly plugin: string | null;
  /** When it was decided, or received; milliseconds since the epoch. */
  readonly at: number;
  readonly attempts: number;
  /** When it is tried next; milliseconds since the epoch, `null` when it is not. */
  readonly dueAt: number | null;
  /** The last error, or why it was superseded or rejected. */
  readonly reason: string | null;
}

export interface ShownAttempt {
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `partial`: it was done, and the plugin says what was not. */
  readonly reason: FailureReason | "partial";
  readonly error: string;
}

export interface ShownDelivery {
  readonly plugin: string;
  readonly state: ListedState;
  readonly attempts: number;
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
  /** The first 3 that failed and the last 20. */
  readonly failures: readonly ShownAttempt[];
  /** Keys of earlier events that it waits for. */
  readonly waitsFor: readonly string[];
}

/** Everything that is known of one event. */
export interface ShownEvent {
  readonly event: Delivery["event"];
  readonly decidedAt: number;
  readonly notification: Notification | null;
  readonly detail: Detail | null;
  readonly deliveries: readonly ShownDelivery[];
}

/** What became of one delivery that was to be replayed or dropped. */
export interface OperatorResult {
  readonly key: string;
  readonly plugin: string;
  /** Why nothing was done; `null` when it was. */
  readonly refused: string | null;
}

/** What `events replay` and `events drop` act on. */
export interface Selection {
  readonly keys?: readonly string[];
  readonly plugin?: string;
  /** All dead letters. */
  readonly dead?: boolean;
}

/** One plugin as the ledger knows it. */
export interface PluginState {
  readonly plugin: string;
  /** How many deliveries are in each state, of what is kept. */
  readonly deliveries: Readonly<Record<Exclude<ListedState, "superseded" | "rejected">, number>>;
  /** What the service said last of its target; `null`: it was reached, or not tried since the start. */
  readonly outage: TargetOutage | null;
}

/** What an operator's commands do with a ledger, while the service runs or not. */
export interface LedgerOperations extends Disposable {
  /** The names of all plugins that ever were configured. */
  plugins(): readonly string[];
  /** Newest first, some at a time: none is read before the ones before it were taken. */
  list(filter: ListFilter): Iterable<readonly Listed[]>;
  show(key: string): ShownEvent | undefined;
  /** Makes dead or dropped deliveries be tried again, at their old place. `force` does so even when a later event was delivered. */
  replay(selection: Selection, options: { readonly force: boolean }): readonly OperatorResult[];
  /** All plugins that ever were configured, by name. */
  pluginStates(): readonly PluginState[];
  /** When the service last worked on the ledger, to the minute, milliseconds since the epoch; `null` when it never did. */
  serviceSeenAt(): number | null;
  /** Makes all that waits for its time be tried now, and a plugin whose breaker is open be probed. Returns how many waited for their time. */
  tryNow(plugin: string): number;
  /** Gives unfinished and dead deliveries up, for good. */
  drop(selection: Selection): readonly OperatorResult[];
  /** Remembers what was read from OpenStack, announcing nothing. */
  prime(primer: (memory: Memory) => MemoryChanges): void;
  /** The ids of all that is remembered and was not deleted. */
  existingIds(listing: Listing): readonly string[];
  /** Times in which notifications may not have reached us, oldest first. */
  gaps(): readonly Gap[];
  /** Writes a consistent copy to a new file. */
  backup(file: string): Promise<void>;
}
