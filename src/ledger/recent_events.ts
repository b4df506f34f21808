import type { WatcherEvent } from "../model/event.ts";
import type { Delivery } from "../model/ledger.ts";

/** The part of an event that its deliveries need. */
export interface RecentEvent {
  readonly event: Delivery["event"] & Pick<WatcherEvent, "updates">;
  /** JSON. */
  readonly detail: string;
  /** JSON. */
  readonly missing: string;
  readonly orderKeys: readonly number[];
}

/** How many events are cached. */
export const MAX_EVENTS = 4000;
/** Characters of all cached texts: tenants write them, and must not fill the memory. */
export const MAX_LENGTH = 8_388_608;
/** The share of both limits to which an eviction goes down. */
const KEEP_SHARE = 0.99;

interface CachedEvent extends RecentEvent {
  /** Unfinished deliveries. */
  open: number;
}

/**
 * Cache of the newest events, by `seq`: most deliveries are of these, and what was just written
 * need not be read and parsed again. An event leaves with its last delivery: objects that live
 * longer move to V8's old generation, which is collected seldom.
 */
export class RecentEvents {
  readonly #events = new Map<number, CachedEvent>();
  #length = 0;

  get(seq: number): RecentEvent | undefined {
    return this.#events.get(seq);
  }

  /** Adds the newest event, each `seq` once; evicts the oldest ones when there are too many. */
  add(seq: number, recent: RecentEvent, deliveries: number): void {
    this.#events.set(seq, { ...recent, open: deliveries });
    this.#length += lengthOf(recent);
    if (this.#events.size > MAX_EVENTS || this.#length > MAX_LENGTH) this.#evictOldest();
  }

  /** A delivery of the event is finished: the last one removes it. */
  finished(seq: number): void {
    const cached = this.#events.get(seq);
    if (cached !== undefined && --cached.open === 0) this.#delete(seq, cached);
  }

  clear(): void {
    this.#events.clear();
    this.#length = 0;
  }

  /**
   * Evicts 1 % together: to find its first entry, a `Map` skips all that were deleted before it.
   */
  #evictOldest(): void {
    for (const [oldest, event] of this.#events) {
      if (this.#events.size <= KEEP_SHARE * MAX_EVENTS && this.#length <= KEEP_SHARE * MAX_LENGTH) break;
      this.#delete(oldest, event);
    }
  }

  #delete(seq: number, event: RecentEvent): void {
    this.#events.delete(seq);
    this.#length -= lengthOf(event);
  }
}

function lengthOf({ detail, missing }: RecentEvent): number {
  return detail.length + missing.length;
}

/** The part of an event that an attempt gets. */
export function deliveredEvent(
  { key, subject, created, updated, updates, eventType, time, creationSeen, server, origin }: WatcherEvent,
): RecentEvent["event"] {
  const marks = {
    ...(origin === undefined ? {} : { origin }),
    ...(updated ? { updated } : {}),
    ...(updates === undefined ? {} : { updates }),
  };
  return { key, subject, created, eventType, time, creationSeen, serverId: server.id, ...marks };
}

/** The same of column `event.data`, which has the whole event if its detail was made later. */
export function storedEvent(data: unknown): RecentEvent["event"] {
  const stored = JSON.parse(data as string) as WatcherEvent | RecentEvent["event"];
  return "server" in stored ? deliveredEvent(stored) : stored;
}
