import type { WatcherEvent } from "../../model/event.ts";
import { creationKey, updateKey } from "../../model/event_key.ts";
import type { FollowOptions, UpdateCause } from "../../model/ledger.ts";
import { WAIT_FOR_DETAIL_MS } from "../update_times.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import type { NewEvent } from "./events.ts";
import type { SqliteMemory } from "./memory.ts";
import { PendingServers } from "./pending_servers.ts";

/** The last change of a server. */
interface Change {
  /** The number of its notification. */
  readonly notification: number;
  readonly cause: UpdateCause;
}

/** What was announced of a server last. */
interface Announced {
  /** JSON; `null`: not made yet. */
  readonly detail: string | null;
  /** Hashes. */
  readonly orderKeys: ReadonlySet<number>;
}

type NewEvents = ReadonlyMap<string, NewEvent>;

const NONE: NewEvents = new Map();

export interface PendingUpdatesOptions {
  readonly memory: SqliteMemory;
  readonly now: () => number;
  readonly hashesOf: (orderKeys: readonly string[]) => readonly number[];
}

/**
 * Table `pending_update`: servers that have changed, and the making of their updates. The table is
 * also held in memory, which is read again after a rollback. Runs inside the caller's transaction.
 */
export class PendingUpdates {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #options: PendingUpdatesOptions;
  #follow: FollowOptions | null = null;
  /** `null`: not read yet. */
  #pending: PendingServers | null = null;
  #characters = 0;

  constructor(database: Database, options: PendingUpdatesOptions) {
    this.#sql = prepareAll(database, STATEMENTS);
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
  mark(serverId: string, { notification, cause }: Change, added: NewEvents): void {
    if (this.#follow === null) return;
    const announced = this.#announced(serverId, added);
    if (announced === undefined) return;
    const dueAt = this.#options.now() + this.#follow.settleMs;
    this.#sql.mark.run(serverId, dueAt, notification, JSON.stringify(cause));
    if (!this.#all().has(serverId)) this.#all().set(serverId, { dueAt, orderKeys: announced.orderKeys });
  }

  /** Nothing is told of a server after its deletion. */
  forget(serverId: string): void {
    if (this.#follow === null || !this.#all().delete(serverId)) return;
    this.#sql.remove.run(serverId);
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
  releasing({ orderKeys, server, created }: WatcherEvent): readonly string[] {
    if (this.#follow === null || !created || this.#all().size === 0) return [];
    return [...this.#all().holding(this.#options.hashesOf(orderKeys))].filter((serverId) => serverId !== server.id);
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
    const row = this.#sql.pending.get(serverId);
    if (row === undefined || this.#follow === null) return null;
    const { memory, now } = this.#options;
    const server = memory.server(serverId);
    const announced = this.#announced(serverId, added);
    if (server === undefined || server.deleted || announced === undefined) {
      this.forget(serverId);
      return null;
    }
    if (announced.detail === null && !isAwaited) {
      const dueAt = now() + WAIT_FOR_DETAIL_MS;
      this.#sql.postpone.run(dueAt, serverId);
      this.#all().set(serverId, { dueAt, orderKeys: announced.orderKeys });
      return null;
    }
    this.forget(serverId);
    // Without a detail, the creation may not be written yet, and neither its deliveries.
    if (announced.detail !== null && this.followers(serverId).size === 0) return null;
    this.#characters += announced.detail?.length ?? 0;
    const made = this.#follow.makeUpdate({
      server,
      floatingIps: memory.floatingIpsOfServer(serverId),
      announced: announced.detail === null ? null : JSON.parse(announced.detail),
      cause: JSON.parse(row["cause"] as string),
    });
    if (made === null) return null;
    const notification = Number(row["notification"]);
    memory.learn({ ...server, updates: made.number });
    return { notification, event: made.event };
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
    const rows = this.#sql.creation.all(creationKey(serverId));
    return new Set(rows.filter(({ name }) => plugins.includes(name as string)).map(({ plugin }) => Number(plugin)));
  }

  /** The order keys of a server's creation, then those of an update of it, as hashes. */
  orderKeysOf(serverId: string, updatesBefore: number): readonly number[] {
    const creation = this.#sql.announced.get(creationKey(serverId))?.["order_keys"] ?? "[]";
    const last = this.#sql.announced.get(updateKey(serverId, updatesBefore))?.["order_keys"] ?? "[]";
    return [...JSON.parse(creation as string), ...JSON.parse(last as string)];
  }

  /** What was announced of a server last: its creation or an update. */
  #announced(serverId: string, added: NewEvents = NONE): Announced | undefined {
    const updates = this.#options.memory.server(serverId)?.updates ?? 0;
    const key = updates === 0 ? creationKey(serverId) : updateKey(serverId, updates);
    const unwritten = added.get(key);
    if (unwritten !== undefined) {
      return { detail: null, orderKeys: new Set(this.#options.hashesOf(unwritten.event.orderKeys)) };
    }
    const row = this.#sql.announced.get(key);
    if (row === undefined) return undefined;
    return {
      detail: row["detail"] as string | null,
      orderKeys: new Set<number>(JSON.parse(row["order_keys"] as string)),
    };
  }

  #all(): PendingServers {
    if (this.#pending !== null) return this.#pending;
    this.#pending = new PendingServers();
    for (const row of this.#sql.all.all()) {
      const serverId = row["server_id"] as string;
      const orderKeys = this.#announced(serverId)?.orderKeys ?? new Set<number>();
      this.#pending.set(serverId, { dueAt: Number(row["due_at"]), orderKeys });
    }
    return this.#pending;
  }
}

const STATEMENTS = {
  all: `SELECT server_id, due_at FROM pending_update`,
  pending: `SELECT notification, cause FROM pending_update WHERE server_id = ?`,
  mark: `INSERT INTO pending_update (server_id, due_at, notification, cause) VALUES (?, ?, ?, ?)
    ON CONFLICT (server_id) DO UPDATE SET notification = excluded.notification, cause = excluded.cause`,
  postpone: `UPDATE pending_update SET due_at = ? WHERE server_id = ?`,
  remove: `DELETE FROM pending_update WHERE server_id = ?`,
  announced: `SELECT detail, order_keys FROM event WHERE key = ?`,
  creation:
    `SELECT d.plugin, p.name FROM event AS e JOIN delivery AS d ON d.seq = e.seq JOIN plugin AS p ON p.id = d.plugin
    WHERE e.key = ? AND d.state <> 'dropped'`,
} as const;
