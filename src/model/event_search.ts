import type { EventKind, Subject } from "./event.ts";
import type { Listed, ListedState } from "./listed.ts";
import type { FailureReason } from "./errors.ts";

/** What the console asks for: deliveries that pass all of these. */
export interface SearchQuery {
  /**
   * An id, a key of an event or the beginning of one, a name with or without its domain, an address,
   * or the id or the name of a project. Case does not matter. @default all
   */
  readonly text?: string;
  readonly plugin?: string;
  /** Of deliveries: neither `superseded` nor `rejected`. */
  readonly state?: Exclude<ListedState, "superseded" | "rejected">;
  readonly kind?: EventKind;
  readonly subject?: Subject;
  /** When the event was decided, milliseconds since the epoch: at this time or later. */
  readonly since?: number;
  /** Before this time. */
  readonly until?: number;
  /** Continue behind this place; from an earlier page. @default from the newest */
  readonly before?: SearchPlace;
  /** Only events with a greater number, for what is new. */
  readonly after?: number;
  /** Rows of a page, from 1 to 500. */
  readonly limit: number;
}

/** Where a search goes on: with the deliveries of older events, or of plugins behind this one. */
export interface SearchPlace {
  /** The number of the event of the last row. */
  readonly seq: number;
  /** The number of the last row's plugin; 0: all deliveries of the event were looked at. */
  readonly plugin: number;
}

/** One delivery of a search. */
export interface FoundDelivery extends Listed {
  /** The number of its event: newer events have greater ones. */
  readonly seq: number;
  readonly plugin: string;
  readonly kind: EventKind;
  readonly subject: Subject;
  /** `null` for a floating IP without a server. */
  readonly serverId: string | null;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly finishedAt: number | null;
}

/** One page of a search, newest first. */
export interface SearchPage {
  readonly rows: readonly FoundDelivery[];
  /**
   * Where to go on; `null`: this was the end. A page may have fewer rows than asked for, or none,
   * and go on all the same: the time of a page is limited, not what it finds.
   */
  readonly next: SearchPlace | null;
  /** The time of the oldest event that was looked at, milliseconds since the epoch; `null`: the end. */
  readonly searchedTo: number | null;
}

/** Dead letters of one plugin that have the same reason. */
export interface DeadGroup {
  readonly plugin: string;
  readonly reason: FailureReason;
  readonly count: number;
  /** When the oldest and the newest became dead, milliseconds since the epoch. */
  readonly oldestAt: number;
  readonly newestAt: number;
  /** The last error of the newest one. */
  readonly sampleError: string;
  /** The key of the newest one. */
  readonly sampleKey: string;
}

/** What the ledger knows of one server. */
export interface ServerLife {
  readonly id: string;
  /** Of memory; `null` when unknown. */
  readonly name: string | null;
  readonly projectId: string | null;
  readonly projectName: string | null;
  /** Whether memory says that it is there; `null`: memory does not have it. */
  readonly exists: boolean | null;
  /** Its events, oldest first, with those of its floating IPs; at most the newest 1,000. */
  readonly events: readonly LifeEvent[];
  /** Whether older events than those are left out. */
  readonly isCut: boolean;
}

/** One event of a server. */
export interface LifeEvent {
  readonly seq: number;
  readonly key: string;
  readonly subject: Subject;
  readonly kind: EventKind;
  /** When it was decided, milliseconds since the epoch. */
  readonly at: number;
  /** The time of the notification, ISO 8601, UTC. */
  readonly time: string;
  readonly address: string | null;
  readonly origin: Listed["origin"];
  readonly deliveries: readonly {
    readonly plugin: string;
    readonly state: Exclude<ListedState, "superseded" | "rejected">;
    readonly attempts: number;
    readonly finishedAt: number | null;
  }[];
}

/**
 * Searches the ledger for the console. Each call is short: a search that would take long is answered
 * in pages. Promises reject with `LedgerUnavailable` when the ledger cannot be read.
 */
export interface EventSearch {
  search(query: SearchQuery): Promise<SearchPage>;
  /** All deliveries of these events, at most 500, newest first. */
  states(seqs: readonly number[]): Promise<readonly FoundDelivery[]>;
  /** All dead letters in groups, the largest first. */
  deadGroups(): Promise<readonly DeadGroup[]>;
  /**
   * The keys of dead letters, oldest first, for actions on a group.
   *
   * @param after The number of the last event of the page before; 0: from the oldest.
   */
  deadKeys(
    group: { readonly plugin: string; readonly reason?: FailureReason },
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly { readonly seq: number; readonly key: string }[]>;
  /** `undefined`: the ledger has neither memory nor events of it. */
  life(serverId: string): Promise<ServerLife | undefined>;
  /** The number of the newest event; 0: there is none. */
  newest(): Promise<number>;
}
