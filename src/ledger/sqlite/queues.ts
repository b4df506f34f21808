import { type Database, prepareAll, type Statements } from "./database.ts";
import { OrderKeyLocks } from "./order_key_locks.ts";
import { partitionsFrom } from "./partitions.ts";
import { PluginQueue, type QueueQuery, type QueueState } from "./plugin_queue.ts";
import type { Holder, QueuedDelivery, Waiting } from "./queued_delivery.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** Deliveries of one plugin in memory. A larger window is not faster (docs/PERFORMANCE.md). */
const WINDOW_SIZE = 1000;

/**
 * Deliveries in memory that all plugins share. A plugin exceeds its window up to its share when
 * the deliveries that can be attempted are behind thousands of blocked ones.
 */
const SHARED_CAPACITY = 20_000;

/** The share of a window that one transaction reads: 1 ms of work, 2 ms if it overflows. */
const READ_SHARE = 1 / 8;

/** The start of a queue is saved each time that this share of a window has been appended. */
const SAVE_SHARE = 0.5;

/** Deliveries that are more than this many capacities older than the newest event are written. */
const MAX_LAG = 2;

/** A delivery of a new event. */
export interface NewDelivery extends Holder {
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  /** Whether its event has its detail. */
  readonly detailed: boolean;
}

export interface QueuesOptions {
  /**
   * Deliveries of one plugin in memory.
   *
   * @default 1000, and a share of 20,000 when many are blocked
   */
  readonly windowSize?: number | undefined;
}

/**
 * The delivery queues of all plugins: the state of every unfinished delivery, and which earlier
 * delivery blocks it.
 *
 * A new delivery is one row in state `queued`, in the order of the events. The oldest ones of each
 * plugin are read into memory ({@linkcode PluginQueue}), which knows their states and order keys.
 * Their rows stay `queued`, so a plugin that hangs costs one row per event.
 *
 * A delivery is moved from memory to the file, its order keys to table `held`
 * ({@linkcode OrderKeyLocks}), when an attempt has failed, when it cannot be attempted while memory
 * is full, and when it is far older than the newest event.
 *
 * Memory is a cache: it can be read again from the file at any time. It is dropped after a
 * rollback, and for one plugin after an operator's command changed its deliveries. All methods run
 * inside the caller's transaction.
 */
export class Queues {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #locks: OrderKeyLocks;
  readonly #queues = new Map<number, PluginQueue>();
  /** Cache: whether a plugin has rows in state `ready`. */
  readonly #hasWrittenReady = new Map<number, boolean>();
  readonly #windowSize: number;
  readonly #sharedCapacity: number;
  /** Deliveries of one plugin in memory before those that cannot be attempted are written. */
  #capacity: number;
  /** SQLite's `data_version` for which memory is right: it grows when another process writes. */
  #version: number | undefined;

  constructor(database: Database, { windowSize }: QueuesOptions = {}) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#locks = new OrderKeyLocks(database);
    this.#windowSize = windowSize ?? WINDOW_SIZE;
    this.#sharedCapacity = windowSize ?? SHARED_CAPACITY;
    this.#capacity = this.#windowSize;
  }

  /** Divides the shared capacity among this number of plugins. */
  shareAmong(plugins: number): void {
    this.#capacity = Math.max(this.#windowSize, Math.floor(this.#sharedCapacity / plugins));
  }

  /** Whether memory fits the file. If not, the next {@linkcode begin} makes it so. */
  isCurrent(): boolean {
    return this.#version !== undefined && this.#version === this.#dataVersion();
  }

  /**
   * To be called at the start of each transaction: another process may have written. Returns
   * whether one has, since the last transaction.
   */
  begin(): boolean {
    const isCurrent = this.isCurrent();
    if (!isCurrent) {
      this.#dropChanged();
      this.#version = this.#dataVersion();
    }
    this.#locks.begin();
    return !isCurrent;
  }

  /** For operators' commands: tells the running service to read a plugin's queue again. */
  markChanged(plugin: number): void {
    this.#sql.markChanged.run(plugin);
  }

  /** Drops memory: the numbers of events that were rolled back will be given to others. */
  rolledBack(): void {
    this.#dropAll();
    this.#locks.rolledBack();
  }

  /** Adds a delivery of the newest event; its row is `queued`. Returns whether it is in memory. */
  add(delivery: NewDelivery): boolean {
    const queue = this.#queue(delivery.plugin);
    if (queue.isFullyRead && queue.window.size >= this.#windowSize) queue.stopReadingAt(delivery.seq);
    if (!queue.isFullyRead) return false;
    this.#append(queue, delivery);
    return true;
  }

  /** Whether memory has fewer ready deliveries than asked for while the file has unread ones. */
  needsMore(plugin: number, query: QueueQuery): boolean {
    return this.#queue(plugin).needsMore(query);
  }

  /** Reads the next deliveries of a plugin into memory. Returns how many. */
  readMore(plugin: number): number {
    const queue = this.#queue(plugin);
    if (queue.isFullyRead) return 0;
    const count = Math.max(1, Math.floor(this.#windowSize * READ_SHARE));
    const rows = this.#sql.unread.all(plugin, queue.unreadFrom, count);
    for (const row of rows) {
      const seq = Number(row["seq"]);
      const orderKeys = JSON.parse(row["order_keys"] as string) as number[];
      queue.stopReadingAt(seq + 1);
      this.#append(queue, { plugin, seq, dueAt: Number(row["due_at"]), orderKeys, detailed: row["detailed"] === 1 });
    }
    if (rows.length < count) queue.readToEnd(Number(this.#sql.newest.get()?.["seq"]));
    // Those that cannot be attempted yet make room for newer ones that perhaps can.
    for (const delivery of queue.overflow(this.#capacity)) this.write(delivery, delivery.state as Waiting);
    this.#save(plugin, queue);
    return rows.length;
  }

  /** A delivery that is in memory. */
  get(plugin: number, seq: number): QueuedDelivery | undefined {
    return this.#queues.get(plugin)?.window.get(seq);
  }

  /** Whether a plugin has rows in state `ready`: cached until {@linkcode stateWritten}. */
  hasWrittenReady(plugin: number): boolean {
    let has = this.#hasWrittenReady.get(plugin);
    if (has === undefined) this.#hasWrittenReady.set(plugin, has = this.#sql.anyReady.get(plugin) !== undefined);
    return has;
  }

  /** To be called when the state of a plugin's delivery was written to the file. */
  stateWritten(plugin: number): void {
    this.#hasWrittenReady.delete(plugin);
  }

  /** Ready deliveries in memory, earliest due first. */
  ready(plugin: number, query: QueueQuery): readonly QueuedDelivery[] {
    return this.#queue(plugin).window.ready(query);
  }

  /** The plugins whose delivery of an event is in memory and waits for its detail. */
  waitingForDetail(seq: number): readonly number[] {
    return [...this.#queues].filter(([, { window }]) => window.get(seq)?.state === "new").map(([plugin]) => plugin);
  }

  stateOf(plugin: number): QueueState {
    return this.#queue(plugin).state();
  }

  /** Sets the state of a delivery that is in memory. */
  setState(delivery: QueuedDelivery, state: Waiting): void {
    this.#queue(delivery.plugin).window.setState(delivery, state);
  }

  /** Moves a `queued` delivery from memory to the file, with its state and its order keys. */
  write(holder: Holder, state: Waiting): void {
    const { plugin, seq } = holder;
    if (Number(this.#sql.writeState.run(state, seq, plugin).changes) === 0) return;
    this.stateWritten(plugin);
    this.#locks.hold(holder);
    const queued = this.get(plugin, seq);
    if (queued !== undefined) this.#queue(plugin).window.delete(queued);
  }

  /** Takes the order keys of a finished delivery again, for a replay. */
  holdAgain(holder: Holder): void {
    this.#locks.hold(holder);
  }

  /** Gives back the order keys of a finished delivery. */
  release(holder: Holder): void {
    const queued = this.get(holder.plugin, holder.seq);
    if (queued === undefined) {
      this.#locks.release(holder);
      this.stateWritten(holder.plugin);
    } else this.#queue(holder.plugin).window.delete(queued);
  }

  /** Whether an earlier unfinished delivery holds one of the keys: in memory, written or unread. */
  isBlocked({ plugin, seq, orderKeys }: Holder): boolean {
    const { window, unreadFrom } = this.#queue(plugin);
    return orderKeys.some((key) =>
      window.isHeldBefore(key, seq) || this.#locks.isHeldBefore(plugin, key, seq) ||
      (unreadFrom < seq && this.#sql.unreadBefore.get(plugin, key, unreadFrom, seq) !== undefined)
    );
  }

  /**
   * The next holder of each key. All later holders wait for one of these. Unread deliveries are
   * left out: whether they are blocked is found out when they are read.
   */
  nextHolders({ plugin, seq, orderKeys }: Holder): ReadonlySet<number> {
    const { window } = this.#queue(plugin);
    const next = new Set<number>();
    for (const key of orderKeys) {
      const first = Math.min(window.after(key, seq) ?? Infinity, this.#locks.after(plugin, key, seq) ?? Infinity);
      if (first !== Infinity) next.add(first);
    }
    return next;
  }

  /** Earlier holders of a key among the deliveries in the file: replays. */
  reopenedBefore(plugin: number, key: number, seq: number): readonly number[] {
    return this.#locks.before(plugin, key, seq);
  }

  /** Deletes the rows of released order keys at once, instead of with a later transaction. */
  deleteReleased(): void {
    this.#locks.deleteReleased();
  }

  #append(queue: PluginQueue, { detailed, ...holder }: NewDelivery): void {
    const state = !detailed ? "new" : this.isBlocked(holder) ? "blocked" : "ready";
    queue.append({ ...holder, state });
    if (queue.appendedSinceSave >= this.#windowSize * SAVE_SHARE) this.#save(holder.plugin, queue);
  }

  /**
   * Saves where a plugin's queue begins: all reads start there. One old delivery would keep
   * that place far back, so deliveries that lag far behind are written first.
   */
  #save(plugin: number, queue: PluginQueue): void {
    for (const delivery of queue.laggards(MAX_LAG * this.#capacity)) this.write(delivery, delivery.state as Waiting);
    this.#sql.putQueuedFrom.run(queue.start, plugin);
    queue.saved();
  }

  #queue(plugin: number): PluginQueue {
    let queue = this.#queues.get(plugin);
    if (queue === undefined) {
      const row = this.#sql.plugin.get(plugin);
      queue = new PluginQueue({
        queuedFrom: Number(row?.["queued_from"] ?? Infinity),
        changes: Number(row?.["changes"]),
      });
      this.#queues.set(plugin, queue);
    }
    return queue;
  }

  #dropChanged(): void {
    for (const [plugin, { changes }] of this.#queues) {
      if (this.#sql.plugin.get(plugin)?.["changes"] !== changes) this.#queues.delete(plugin);
    }
    this.#locks.forget();
    this.#hasWrittenReady.clear();
  }

  #dropAll(): void {
    this.#queues.clear();
    this.#hasWrittenReady.clear();
    this.#locks.forget();
    this.#version = undefined;
  }

  #dataVersion(): number {
    return Number(this.#sql.version.get()?.["data_version"]);
  }
}

const STATEMENTS = {
  version: `PRAGMA data_version`,
  plugin: `SELECT queued_from, changes FROM plugin WHERE id = ?`,
  markChanged: `UPDATE plugin SET changes = changes + 1 WHERE id = ?`,
  putQueuedFrom: `UPDATE plugin SET queued_from = ?1 WHERE id = ?2 AND queued_from < ?1`,
  newest: `SELECT coalesce(max(seq), 0) AS seq FROM event`,
  unread: `SELECT d.seq, d.due_at, e.order_keys, e.detail IS NOT NULL AS detailed
    FROM delivery AS d CROSS JOIN event AS e ON e.seq = d.seq
    WHERE d.plugin = ? AND d.seq >= ? AND d.state = 'queued' ORDER BY d.seq LIMIT ?`,
  unreadBefore: `SELECT 1 FROM (${partitionsFrom("?3")}) AS s
    CROSS JOIN event_order AS o ON s.span <= ?4 / ${PARTITION_EVENTS} AND o.span = s.span AND o.order_key = ?2 AND o.seq >= ?3 AND o.seq < ?4
    CROSS JOIN delivery AS d ON d.seq = o.seq AND d.plugin = ?1 AND d.state = 'queued' LIMIT 1`,
  anyReady: `SELECT 1 FROM delivery WHERE plugin = ? AND state = 'ready' LIMIT 1`,
  writeState: `UPDATE delivery SET state = ? WHERE seq = ? AND plugin = ? AND state = 'queued'`,
} as const;
