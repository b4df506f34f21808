import type { Decision } from "./decision.ts";
import type { Detail } from "./detail.ts";
import type { FailureReason } from "./errors.ts";
import type { ServerSnapshot, WatcherEvent } from "./event.ts";
import type { GapRecord } from "./gap.ts";
import type { FloatingIpMemory, Memory, MemoryChanges, ServerMemory } from "./memory.ts";
import type { Json, Notification } from "./notification.ts";
import type { TargetOutage } from "./outage.ts";
import type { PauseState } from "./pause.ts";

/**
 * A message of a watched type that is unusable. Stored without its body, which may hold a token.
 */
export interface Rejection {
  readonly reason: string;
  /** Bytes. */
  readonly size: number;
  /** Of the body, hexadecimal. */
  readonly sha256: string;
  readonly exchange: string;
  readonly routingKey: string;
  /** Only with `ledger.keepRejectedBodies`. */
  readonly body: Uint8Array | null;
}

/** The message of RabbitMQ that a notification came in. */
export interface ReceivedMessage {
  readonly exchange: string;
  readonly routingKey: string;
  /** Of its body, as it was sent. */
  readonly bytes: number;
}

/** A message as intake records it. Times are milliseconds since the epoch. */
export type Arrival =
  | {
    readonly receivedAt: number;
    readonly notification: Notification;
    /** Not stored. Absent: it was not received. */
    readonly message?: ReceivedMessage;
    /** The message states no time: the notification has the time of receipt. @default false */
    readonly isTimeless?: boolean;
  }
  | { readonly receivedAt: number; readonly rejection: Rejection };

/** An event in the order in which it was decided. */
export interface LedgerEvent {
  /** Ascending, with gaps. */
  readonly seq: number;
  readonly event: WatcherEvent;
  /** The event's server as memory has it: more complete, or later; `null`: not in memory. */
  readonly remembered: ServerSnapshot | null;
}

/** The detail of an event, as it is stored. */
export interface DetailRecord {
  readonly seq: number;
  readonly detail: Detail;
  /** Keys of the detail that could not be filled. */
  readonly missing: readonly string[];
  /** What OpenStack's APIs added to the event's server; `null`: not asked, or no answer. */
  readonly learned: ServerSnapshot | null;
}

/** A delivery: one event for one plugin. */
export interface Delivery {
  readonly seq: number;
  readonly plugin: string;
  readonly event:
    & Pick<WatcherEvent, "key" | "subject" | "created" | "updated" | "eventType" | "time" | "creationSeen" | "origin">
    & {
      /** The server's id; `null` when unknown. */
      readonly serverId: string | null;
    };
  readonly detail: Detail;
  /**
   * The detail that the plugin was last told of the server: of its creation or an update; `null`:
   * it was told neither. Absent for the creation, and where changes of servers are not followed.
   */
  readonly before?: Detail | null;
  readonly missing: readonly string[];
  /** Recorded attempts. */
  readonly attempts: number;
  /** How long it has been retried while its target was reachable. */
  readonly triedMs: number;
  /**
   * When the last attempt ended, milliseconds since the epoch; `null` before the first one. Of a
   * delivery without a recorded attempt, when it was chosen by a filter or an operator.
   */
  readonly lastAttemptAt: number | null;
  /** What the plugin kept in an earlier attempt; absent for nothing. */
  readonly progress?: Json;
  /** It was done before, and is made again to repair the target. @default false */
  readonly repair?: boolean;
}

/**
 * How an attempt ended, or what was decided without one. `done`, `dead`, `unneeded` and `undecided`
 * finish the delivery, which releases its order keys:
 *
 * - `unneeded`: there is nothing to tell, or the plugin's filter does not match; it is skipped;
 * - `undecided`: the plugin's filter failed; it is a dead letter without an attempt;
 * - `begun`: the plugin's filter has chosen it, and its first attempt begins. From then on it counts
 *   as told, whatever becomes of the attempt.
 */
export interface Settlement {
  readonly seq: number;
  readonly plugin: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: "done" | "retry" | "dead" | "interrupted" | "unneeded" | "undecided" | "begun";
  /** What went wrong, without secrets. `partial`: the plugin's note on a delivery that is done. */
  readonly failure: {
    readonly reason: FailureReason | "partial";
    readonly error: string;
    /** What the plugin kept for the next attempt; absent for nothing. */
    readonly progress?: Json;
  } | null;
  /** When to retry; for `retry` and `interrupted`. */
  readonly dueAt: number;
  readonly triedMs: number;
}

/**
 * What a plugin has heard of the creation before an event. `told`: an attempt was made or has begun,
 * so its target may have it. `skipped`: it was finished without one. `undecided`: the plugin's filter
 * failed. `unknown`: the ledger has no finished delivery of it.
 */
export type CreationFate = "told" | "skipped" | "undecided" | "unknown";

/** Arguments of {@linkcode Ledger.ready}. */
export interface ReadyQuery {
  readonly plugin: string;
  /** Deliveries due at this time or before. */
  readonly now: number;
  readonly limit: number;
  /** Deliveries in flight, by `seq`: they are left out. @default none */
  readonly busy?: ReadonlySet<number>;
}

/**
 * Decides a notification, given memory; `null`: it cannot be decided yet. Lets `MemoryNotRead` pass.
 *
 * @param isProbe Only what it asks of memory counts: it must have no other effect.
 */
export type Decider = (notification: Notification, memory: Memory, isProbe?: boolean) => Decision | null;

/**
 * Merges a page that was read from OpenStack with memory: what to write, and the progress after it.
 */
export type Primer = (memory: Memory) => { readonly changes: MemoryChanges; readonly progress: PrimingProgress };

/** A detail that was made without asking OpenStack. */
export type ImmediateDetail = Pick<DetailRecord, "detail" | "missing">;

/** Makes the detail of an event from the event alone. */
export type ImmediateMaker = (event: WatcherEvent) => ImmediateDetail;

/** A server whose changes have settled, and what was announced of it last. */
export interface SettledServer {
  readonly server: ServerMemory;
  readonly floatingIps: readonly FloatingIpMemory[];
  /**
   * The detail of the server's creation or of its last update; `null`: it is not made yet, and the
   * update must be announced before another event.
   */
  readonly announced: Detail | null;
  /** The notification that led to the last of the changes. */
  readonly cause: UpdateCause;
}

export type UpdateCause = Pick<WatcherEvent, "eventType" | "messageId" | "time" | "origin">;

/** Makes the update of a server, and its number; `null`: nothing that is followed has changed. */
export type UpdateMaker = (settled: SettledServer) => { readonly event: WatcherEvent; readonly number: number } | null;

/** How updates of servers are announced. */
export interface FollowOptions {
  /** The plugins that get a delivery of updates. */
  readonly plugins: readonly string[];
  /** From the first change of a server to its update, milliseconds. */
  readonly settleMs: number;
  readonly makeUpdate: UpdateMaker;
}

/** The listings that priming reads from OpenStack, in this order: docs/ARCHITECTURE.md says why. */
export const LISTINGS = ["floatingIps", "ports", "servers"] as const;
export type Listing = typeof LISTINGS[number];

/** How far a listing has been read. */
export interface PrimingProgress {
  readonly listing: Listing;
  /** OpenStack's marker of the next page; `null` at the start and at the end. */
  readonly next: string | null;
  readonly done: boolean;
  /** Resources that it added to memory. */
  readonly count: number;
}

/** The result of {@linkcode Ledger.announceUpdates}. */
export interface AnnouncedUpdates {
  /** Servers that were looked at. */
  readonly settled: number;
  /** When the next changes have settled, milliseconds since the epoch; `null`: there are none. */
  readonly nextDueAt: number | null;
}

/**
 * The durable store between the stages: notifications, memory, events, deliveries. Each arrow of
 * the pipeline is one call.
 *
 * A call is atomic, and its promise resolves when its writes are on disk. Calls of the same time may
 * share a transaction. Whether a call sees what one before it writes is only sure once that one has
 * resolved. A promise rejects with {@linkcode LedgerUnavailable} when waiting may help. Then nothing
 * was written, or nobody knows: to repeat the call does no harm.
 */
export interface Ledger extends GapRecord {
  /** Records messages in order, except for copies (same id and time). Returns how many were new. */
  record(arrivals: readonly Arrival[]): Promise<number>;
  /**
   * Decides recorded notifications in recorded order. Each is decided against the memory that the
   * ones before it left. Stops after `limit` notifications or `limit` events, or where the decider
   * returns `null`. Writes the decisions, memory, the events, and a delivery per event and active
   * plugin. With `make`, the events also get their details in this transaction. Returns how many
   * were decided. If there are more to decide it may resolve before they are on disk: if they cannot
   * be written the next call rejects, and they are decided again.
   */
  decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number>;
  /** The progress of each listing that priming has begun. */
  priming(): Promise<readonly PrimingProgress[]>;
  /** Stores a page that was read from OpenStack, and the progress. Makes no events. */
  prime(primer: Primer): Promise<void>;
  /** Events without a detail, in order, from behind `after`, a `seq`. */
  undetailed(limit: number, after?: number): Promise<readonly LedgerEvent[]>;
  /**
   * Stores details, which makes the deliveries of their events ready or blocked. What was learned
   * of a server completes its memory; a server that only an association named is added to memory.
   */
  storeDetails(details: readonly DetailRecord[]): Promise<void>;
  /** Sets the plugins that get a delivery of every new event. */
  activate(plugins: readonly string[]): Promise<void>;
  /** Announces updates from now on. Without this call, what decisions say of changes is ignored. */
  follow(options: FollowOptions): Promise<void>;
  /**
   * Announces the updates of at most `limit` servers whose changes have settled. With `make`, they
   * also get their details in this transaction. An update that releases what another event takes, a
   * name or an address, is announced before that event.
   */
  announceUpdates(limit: number, make?: ImmediateMaker): Promise<AnnouncedUpdates>;
  /**
   * Deliveries that may be attempted, earliest due first: due, with a detail, and without an
   * earlier unfinished delivery of the same plugin that shares an order key.
   */
  ready(query: ReadyQuery): Promise<readonly Delivery[]>;
  /**
   * When the next delivery that is not blocked is due, milliseconds since the epoch; `null`: none.
   */
  nextDueAt(plugin: string): Promise<number | null>;
  /** What a plugin has heard of the creation before an update or a deletion. */
  creationFate(plugin: string, event: { readonly seq: number; readonly key: string }): Promise<CreationFate>;
  /** Records how attempts ended. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /**
   * Stores the outage of a plugin's target for operators' commands; `null`: it has ended.
   * `activate` forgets all outages.
   */
  noteOutage(plugin: string, outage: TargetOutage | null): Promise<void>;
  /** How often operators have requested a probe of a plugin's target. */
  probeRequests(plugin: string): Promise<number>;
  /** Whether an operator has paused a plugin. */
  pauseOf(plugin: string): Promise<PauseState>;
}

/**
 * Nothing was written, and waiting may help: the disk is full, the file cannot be reached, or
 * another process has held the write lock for too long.
 */
export class LedgerUnavailable extends Error {
  override readonly name = "LedgerUnavailable";
}
