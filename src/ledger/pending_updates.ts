import type { WatcherEvent } from "../model/event.ts";
import { creationKey, updateKey } from "../model/event_key.ts";
import type { FollowOptions, UpdateCause } from "../model/ledger.ts";
import type { Memory, ServerMemory } from "../model/memory.ts";
import type { NewEvent, NewEvents } from "./new_event.ts";
import { PendingServers } from "./pending_servers.ts";
import { WAIT_FOR_DETAIL_MS } from "./update_times.ts";

/** The last change of a server. */
export interface Change {
  /** The number of its notification. */
  readonly notification: number;
  readonly cause: UpdateCause;
}

/** What was announced of a server last. */
export interface Announced {
  /** JSON; `null`: not made yet. */
  readonly detail: string | null;
  /** Hashes. */
  readonly orderKeys: readonly number[];
}

const NONE: NewEvents = new Map();

/** Where changed servers are stored, and what was announced of them. */
export interface UpdateStore {
  /** All servers that have changed. */
  all(): Iterable<{ readonly serverId: string; readonly dueAt: number }>;
  pending(serverId: string): Change | undefined;
  /** Stores a change. The due time of an earlier one stays. */
  mark(serverId: string, dueAt: number, change: Change): void;
  postpone(serverId: string, dueAt: number): void;
  remove(serverId: string): void;
  /** A written event, by its key. */
  announced(key: string): Announced | undefined;
  /** The plugins that have a delivery of a written event that was not dropped: names and numbers. */
  pluginsOf(key: string): readonly { readonly name: string; readonly plugin: number }[];
}

export interface PendingUpdatesOptions {
  readonly store: UpdateStore;
  readonly memory: Memory & { learn(server: ServerMemory): void };
  readonly now: () => number;
  readonly hashesOf: (orderKeys: readonly string[]) => readonly number[];
}

/**
 * Servers that have changed, and the making of their updates. What is stored of them is also held
 * here, and read again after a rollback. Runs inside the caller's transaction.
 */
export class PendingUpdates {
  readonly #options: PendingUpdatesOptions;
  #follow: FollowOptions | null = null;
  /** `null`: not read yet. */
  #pending: PendingServers | null = null;
  #characters = 0;

  constructor(options: PendingUpdatesOptions) {
    this.#options = options;
  }

  follow(options: FollowOptions): void {
    this.#follow = options;
  }

  /** The current transaction was rolled back. */
  rolledBack(): void {
    this.#pending = null;
  }

  /**
   * A server has changed. Ignored if nothing was announced of it, since no plugin knows it then.
   *
   * @param added The events of this transaction that are not written yet, by key.
   */
  mark(serverId: string, change: Change, added: NewEvents): void {
    if (this.#follow === null) return;
    const announced = this.#announced(serverId, added);
    if (announced === undefined) return;
    const dueAt = this.#options.now() + this.#follow.settleMs;
    // Read before the store has the change.
    const all = this.#all(added);
    this.#options.store.mark(serverId, dueAt, change);
    if (!all.has(serverId)) all.set(serverId, { dueAt, orderKeys: new Set(announced.orderKeys) });
  }

  /** Nothing is told of a server after its deletion. */
  forget(serverId: string, added: NewEvents): void {
    if (this.#follow === null || !this.#all(added).delete(serverId)) return;
    this.#options.store.remove(serverId);
  }

  /** Servers whose changes have settled, at most `limit`. */
  due(limit: number): readonly string[] {
    if (this.#follow === null) return [];
    return this.#all().due(limit, { now: this.#options.now(), settleMs: this.#follow.settleMs });
  }

  /** When the next changes have settled; `null`: there are none. */
  nextDueAt(): number | null {
    if (this.#follow === null) return null;
    const next = this.#all().earliest();
    return next === Infinity ? null : next;
  }

  /** Other changed servers whose updates may release a name or an address that an event takes. */
  releasing({ orderKeys, server, created }: WatcherEvent, added: NewEvents): readonly string[] {
    if (this.#follow === null || !created || this.#all(added).size === 0) return [];
    return [...this.#all(added).holding(this.#options.hashesOf(orderKeys))].filter((serverId) =>
      serverId !== server.id
    );
  }

  /**
   * Makes the update of a changed server; `null`: none is due, or not yet.
   *
   * @param options `isAwaited`: it must come now, whether or not the detail before it is made.
   */
  settle(
    serverId: string,
    added: NewEvents,
    { isAwaited = false }: { readonly isAwaited?: boolean } = {},
  ): NewEvent | null {
    const { memory, now, store } = this.#options;
    const change = store.pending(serverId);
    if (change === undefined || this.#follow === null) return null;
    const server = memory.server(serverId);
    const announced = this.#announced(serverId, added);
    if (server === undefined || server.deleted || announced === undefined) {
      this.forget(serverId, added);
      return null;
    }
    if (announced.detail === null && !isAwaited) {
      const dueAt = now() + WAIT_FOR_DETAIL_MS;
      store.postpone(serverId, dueAt);
      this.#all(added).set(serverId, { dueAt, orderKeys: new Set(announced.orderKeys) });
      return null;
    }
    this.forget(serverId, added);
    // Without a detail, the creation may not be written yet, and neither its deliveries.
    if (announced.detail !== null && this.followers(serverId).size === 0) return null;
    this.#characters += announced.detail?.length ?? 0;
    const made = this.#follow.makeUpdate({
      server,
      floatingIps: memory.floatingIpsOfServer(serverId),
      announced: announced.detail === null ? null : JSON.parse(announced.detail),
      cause: change.cause,
    });
    if (made === null) return null;
    memory.learn({ ...server, updates: made.number });
    return { notification: change.notification, event: made.event };
  }

  /** Characters of the details that were compared since the last call. */
  takeCharacters(): number {
    const characters = this.#characters;
    this.#characters = 0;
    return characters;
  }

  /**
   * The numbers of the plugins that get an update: they follow, and have a delivery of the server's
   * creation.
   */
  followers(serverId: string): ReadonlySet<number> {
    const { plugins = [] } = this.#follow ?? {};
    const told = this.#options.store.pluginsOf(creationKey(serverId));
    return new Set(told.filter(({ name }) => plugins.includes(name)).map(({ plugin }) => plugin));
  }

  /** The order keys of a server's creation, then those of an update of it, as hashes. */
  orderKeysOf(serverId: string, updatesBefore: number): readonly number[] {
    const { store } = this.#options;
    const creation = store.announced(creationKey(serverId))?.orderKeys ?? [];
    const last = store.announced(updateKey(serverId, updatesBefore))?.orderKeys ?? [];
    return [...creation, ...last];
  }

  /** What was announced of a server last: its creation or an update. */
  #announced(serverId: string, added: NewEvents = NONE): Announced | undefined {
    const updates = this.#options.memory.server(serverId)?.updates ?? 0;
    const key = updates === 0 ? creationKey(serverId) : updateKey(serverId, updates);
    const unwritten = added.get(key);
    if (unwritten === undefined) return this.#options.store.announced(key);
    return { detail: null, orderKeys: this.#options.hashesOf(unwritten.event.orderKeys) };
  }

  /** @param added As for {@linkcode mark}. */
  #all(added: NewEvents = NONE): PendingServers {
    if (this.#pending !== null) return this.#pending;
    const pending = new PendingServers();
    for (const { serverId, dueAt } of this.#options.store.all()) {
      pending.set(serverId, { dueAt, orderKeys: new Set(this.#announced(serverId, added)?.orderKeys) });
    }
    return this.#pending = pending;
  }
}
