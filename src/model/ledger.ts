import type { Decision } from "./decision.ts";
import type { Detail } from "./detail.ts";
import type { FailureReason } from "./errors.ts";
import type { ServerSnapshot, WatcherEvent } from "./event.ts";
import type { GapRecord } from "./gap.ts";
import type { Memory, MemoryChanges } from "./memory.ts";
import type { Json, Notification } from "./notification.ts";
import type { TargetOutage } from "./outage.ts";

/** A message of a watched type that could not be used: kept without its body, which may hold a token. */
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

/** What intake records. Times are milliseconds since the epoch. */
export type Arrival =
  | {
    readonly receivedAt: number;
    readonly notification: Notification;
    /** The message gave no time: the notification's is that of this copy's receipt. @default false */
    readonly isTimeless?: boolean;
  }
  | { readonly receivedAt: number; readonly rejection: Rejection };

/** An event in the order in which it was decided. */
export interface LedgerEvent {
  /** Grows with every event, has gaps. */
  readonly seq: number;
  readonly event: WatcherEvent;
  /** What memory says of the event's server by now, which may be more than the event does, or later; `null` for nothing. */
  readonly remembered: ServerSnapshot | null;
}

/** The detail of an event, the keys of it that could not be had, and what was learned in making it. */
export interface DetailRecord {
  readonly seq: number;
  readonly detail: Detail;
  readonly missing: readonly string[];
  /** What OpenStack said of the event's server where messages said nothing; `null` when it was not asked, or said nothing. */
  readonly learned: ServerSnapshot | null;
}

/** One event for one plugin, to be attempted. */
export interface Delivery {
  readonly seq: number;
  readonly plugin: string;
  readonly event: Pick<WatcherEvent, "key" | "subject" | "created" | "eventType" | "time" | "creationSeen"> & {
    /** The server's id; `null` when unknown. */
    readonly serverId: string | null;
  };
  readonly detail: Detail;
  readonly missing: readonly string[];
  /** Attempts that were recorded. */
  readonly attempts: number;
  /** For how long it has been tried while its target was reachable. */
  readonly triedMs: number;
  /** When it was last tried, milliseconds since the epoch; `null` before the first failure. */
  readonly lastAttemptAt: number | null;
  /** What the plugin kept in an attempt before; absent for nothing. */
  readonly progress?: Json;
}

/** How an attempt ended. `done` and `dead` free the delivery's keys. */
export interface Settlement {
  readonly seq: number;
  readonly plugin: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: "done" | "retry" | "dead" | "interrupted";
  /** What went wrong, without secrets; `partial`: what a plugin says of a delivery that is done; `null` for nothing. */
  readonly failure: {
    readonly reason: FailureReason | "partial";
    readonly error: string;
    /** What the plugin kept for the next attempt; absent for nothing. */
    readonly progress?: Json;
  } | null;
  /** When to try again; for `retry` and `interrupted`. */
  readonly dueAt: number;
  readonly triedMs: number;
}

/** What `ready` is asked for. */
export interface ReadyQuery {
  readonly plugin: string;
  /** Deliveries due at this time or before. */
  readonly now: number;
  readonly limit: number;
  /** Those being attempted right now, by `seq`: they are left out. @default none */
  readonly busy?: ReadonlySet<number>;
}

/** What a notification means, given what is remembered; `null`: that cannot be said yet. */
export type Decider = (notification: Notification, memory: Memory) => Decision | null;

/** What to remember of what was read from OpenStack, given what is remembered, and how far the reading is then. */
export type Primer = (memory: Memory) => { readonly changes: MemoryChanges; readonly progress: PrimingProgress };

/** What `DetailRecord` has when nothing was learned. */
export type ImmediateDetail = Pick<DetailRecord, "detail" | "missing">;

/** The detail of an event that needs nothing but the event. */
export type ImmediateMaker = (event: WatcherEvent) => ImmediateDetail;

/** What is read from OpenStack before anything is decided, in this order: docs/ARCHITECTURE.md says why. */
export const LISTINGS = ["floatingIps", "ports", "servers"] as const;
export type Listing = typeof LISTINGS[number];

/** How far a listing has been read. */
export interface PrimingProgress {
  readonly listing: Listing;
  /** Where it goes on: OpenStack's marker. `null` at the beginning and at the end. */
  readonly next: string | null;
  readonly done: boolean;
  /** How many were remembered by it. */
  readonly count: number;
}

/**
 * What must never be lost: every arrow of the flow is one call. A call is written as a whole or not at all, in the order of the calls, and its
 * promise resolves when that is on disk; calls that come together may share a transaction, so that what is asked for next sees what was asked for
 * before. Promises reject with {@linkcode LedgerUnavailable} when nothing was written and waiting may help.
 */
export interface Ledger extends GapRecord {
  /** Records messages in order; one that repeats a recorded one, by its id and the time that it gave, is ignored. Returns how many were new. */
  record(arrivals: readonly Arrival[]): Promise<number>;
  /**
   * Decides recorded notifications in recorded order, at most `limit` and none behind `limit` events, each against what the ones before it left in memory; writes
   * decisions, memory, events and a delivery per event and active plugin. A decider that says `null` cannot decide yet: that one and all
   * behind it stay as they are. With a maker events get their details in the same transaction, once all is decided. Returns how many were decided.
   */
  decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number>;
  /** How far each listing has been read; one that was not begun is not among them. */
  priming(): Promise<readonly PrimingProgress[]>;
  /** Remembers what was read from OpenStack, and how far that is, announcing nothing. */
  prime(primer: Primer): Promise<void>;
  /** Events without a detail, in order; those behind `after`, a `seq`. */
  undetailed(limit: number, after?: number): Promise<readonly LedgerEvent[]>;
  /**
   * Stores details: only now may the deliveries of these events be attempted. What was learned fills what memory leaves open of the server;
   * a server that only an association named is remembered from now on.
   */
  storeDetails(details: readonly DetailRecord[]): Promise<void>;
  /** The plugins that get a delivery of every event from now on. */
  activate(plugins: readonly string[]): Promise<void>;
  /**
   * Deliveries that may be attempted: due, detailed, and with no earlier unfinished delivery of the same plugin that shares an order
   * key. Earliest due first.
   */
  ready(query: ReadyQuery): Promise<readonly Delivery[]>;
  /** When the next delivery of a plugin that is free to be attempted falls due; `null` for none. */
  nextDueAt(plugin: string): Promise<number | null>;
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** Notes that the target of a plugin is away, or with `null` that it is not, for whoever looks from another process. `activate` forgets all. */
  noteOutage(plugin: string, outage: TargetOutage | null): Promise<void>;
  /** How often an operator has asked that the target of a plugin is tried at once. */
  probeRequests(plugin: string): Promise<number>;
}

/** Nothing was written: the disk is full, the file cannot be reached, another process holds it for too long. Waiting may help. */
export class LedgerUnavailable extends Error {
  override readonly name = "LedgerUnavailable";
}
