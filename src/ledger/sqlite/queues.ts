import type { ReadyQuery } from "../../model/ledger.ts";
import { DeliveryWindow } from "./delivery_window.ts";
import type { Holder, QueuedDelivery, Waiting } from "./queued_delivery.ts";
import { PARTITION_EVENTS } from "./schema.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { OrderKeyLocks } from "./order_key_locks.ts";
import { partitionsFrom } from "./partitions.ts";

/** How many deliveries of a plugin are in memory: many times what is under way, and more gains nothing (docs/PERFORMANCE.md). */
const WINDOW = 1000;

/** So many may be, of all plugins that share them, where what can be attempted comes behind thousands that wait for others. */
const SHARED = 20_000;

/** So many of them are read at once: a millisecond of work, two where others have to be written for them. */
const READ_SHARE = 1 / 8;

/** After so many of them it is noted where a plugin's oldest is. */
const NOTE_SHARE = 0.5;

/** One in memory that is older than the newest by so many times the events that there is room for is written. */
const MAX_SPREAD = 2;

/** What the file does not say of a plugin's queue. */
export interface QueueState {
  /** Those in memory, by what they wait for. */
  readonly waiting: Readonly<Record<Waiting, number>>;
  /** Of those that do not wait for an earlier one, the lowest `seq`; `Infinity` for none. */
  readonly oldest: number;
  /** From this event on those that are `queued` are not in memory; `Infinity`: all are. */
  readonly unreadFrom: number;
}

/** The part of a plugin's queue that is in memory. */
interface Queue {
  readonly window: DeliveryWindow;
  /** From this event on those that are `queued` are not in memory; `Infinity`: all are. */
  unreadFrom: number;
  /** The newest event that was looked at. */
  newest: number;
  /** How often an operator's command had changed what waits. */
  readonly changes: number;
  sinceNote: number;
}

/** One that is to be attempted. */
export interface NewDelivery extends Holder {
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  /** Whether its event has its detail. */
  readonly detailed: boolean;
}

type Wanted = Pick<Required<ReadyQuery>, "limit" | "busy">;

export interface QueuesOptions {
  /** How many deliveries of a plugin may be in memory. @default 1000, and what is shared when thousands wait for others */
  readonly windowSize?: number | undefined;
}

/**
 * What deliveries wait for, and who must wait for whom. Of one that was never attempted the file says `queued`, and no more. Each plugin's oldest of them
 * are in memory, which knows what they wait for and what they hold; when those are under way it reads on. What must not stand in the way of newer ones is
 * written: what was attempted, and what waits for others when memory is full. So a plugin that hangs costs each event a row. Nobody's memory survives a
 * kill, and none can be believed after a transaction that was rolled back, nor that of a plugin when an operator's command has changed what waits for it:
 * it is read again. Runs inside the caller's transaction.
 */
export class Queues {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #locks: OrderKeyLocks;
  readonly #queues = new Map<number, Queue>();
  readonly #hasWrittenReady = new Map<number, boolean>();
  readonly #windowSize: number;
  readonly #shared: number;
  /** How many of a plugin are in memory before any has to make room. */
  #room: number;
  /** SQLite's number of what others have written when memory was begun. */
  #version: number | undefined;

  constructor(database: Database, { windowSize }: QueuesOptions = {}) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#locks = new OrderKeyLocks(database);
    this.#windowSize = windowSize ?? WINDOW;
    this.#shared = windowSize ?? SHARED;
    this.#room = this.#windowSize;
  }

  /** So many plugins share the memory. */
  shareAmong(plugins: number): void {
    this.#room = Math.max(this.#windowSize, Math.floor(this.#shared / plugins));
  }

  /** Whether memory and file together are right: else they will be when the next transaction begins. */
  isCurrent(): boolean {
    return this.#version !== undefined && this.#version === this.#versionNow();
  }

  /** A transaction begins: another process may have written meanwhile. */
  begin(): void {
    if (!this.isCurrent()) {
      this.#forgetChanged();
      this.#version = this.#versionNow();
    }
    this.#locks.begin();
  }

  /** An operator's command has changed what waits for a plugin: the service beside it reads that again. */
  changed(plugin: number): void {
    this.#sql.changed.run(plugin);
  }

  /** What was written since the last commit is not there after all, and numbers of events will be given again. */
  rolledBack(): void {
    this.#forget();
    this.#locks.rolledBack();
  }

  /** A delivery of the newest event, `queued` in the file. Returns whether it is in memory. */
  add(delivery: NewDelivery): boolean {
    const queue = this.#queue(delivery.plugin);
    if (queue.unreadFrom === Infinity && queue.window.size >= this.#windowSize) queue.unreadFrom = delivery.seq;
    if (queue.unreadFrom !== Infinity) return false;
    this.#enter(queue, delivery);
    return true;
  }

  /** Whether there are fewer ready in memory than asked for, and more in the file. */
  lacks(plugin: number, query: Wanted): boolean {
    const { window, unreadFrom } = this.#queue(plugin);
    return unreadFrom !== Infinity && window.ready(query).length < query.limit;
  }

  /** Reads on in a plugin's queue. Returns how many. */
  readOn(plugin: number): number {
    const queue = this.#queue(plugin);
    if (queue.unreadFrom === Infinity) return 0;
    const count = Math.max(1, Math.floor(this.#windowSize * READ_SHARE));
    const rows = this.#sql.unread.all(plugin, queue.unreadFrom, count);
    for (const row of rows) {
      const seq = Number(row["seq"]);
      const orderKeys = JSON.parse(row["order_keys"] as string) as number[];
      queue.unreadFrom = seq + 1;
      this.#enter(queue, { plugin, seq, dueAt: Number(row["due_at"]), orderKeys, detailed: row["detailed"] === 1 });
    }
    if (rows.length < count) {
      queue.unreadFrom = Infinity;
      queue.newest = Number(this.#sql.newest.get()?.["seq"]);
    }
    this.#makeRoom(queue);
    this.#note(plugin, queue);
    return rows.length;
  }

  /** One of those in memory. */
  get(plugin: number, seq: number): QueuedDelivery | undefined {
    return this.#queues.get(plugin)?.window.get(seq);
  }

  /** Whether the file says of a delivery that it is ready: asked once, and again after a delivery was written. */
  hasWrittenReady(plugin: number): boolean {
    let has = this.#hasWrittenReady.get(plugin);
    if (has === undefined) this.#hasWrittenReady.set(plugin, has = this.#sql.anyReady.get(plugin) !== undefined);
    return has;
  }

  /** The state of a delivery was written. */
  wrote(plugin: number): void {
    this.#hasWrittenReady.delete(plugin);
  }

  /** Those in memory that are ready, in the order in which they are due. */
  ready(plugin: number, query: Wanted): readonly QueuedDelivery[] {
    return this.#queue(plugin).window.ready(query);
  }

  /** The plugins whose delivery of an event is in memory and waits for its detail. */
  newOf(seq: number): readonly number[] {
    return [...this.#queues].filter(([, { window }]) => window.get(seq)?.state === "new").map(([plugin]) => plugin);
  }

  stateOf(plugin: number): QueueState {
    const { window, unreadFrom } = this.#queue(plugin);
    const waiting = { new: 0, blocked: 0, ready: 0 };
    let oldest = Infinity;
    for (const { seq, state } of window) {
      waiting[state as Waiting]++;
      if (state !== "blocked") oldest = Math.min(oldest, seq);
    }
    return { waiting, oldest, unreadFrom };
  }

  /** What one in memory waits for from now on. */
  setState(delivery: QueuedDelivery, state: Waiting): void {
    this.#queue(delivery.plugin).window.setState(delivery, state);
  }

  /** A delivery that is still `queued` is not any more: the file says what it waits for and what it holds. */
  write(holder: Holder, state: Waiting): void {
    const { plugin, seq } = holder;
    if (Number(this.#sql.writeState.run(state, seq, plugin).changes) === 0) return;
    this.wrote(plugin);
    this.#locks.hold(holder);
    const queued = this.get(plugin, seq);
    if (queued !== undefined) this.#queue(plugin).window.delete(queued);
  }

  /** One that was finished is to be attempted again: it holds its keys. */
  holdAgain(holder: Holder): void {
    this.#locks.hold(holder);
  }

  /** A finished delivery holds nothing any more. */
  release(holder: Holder): void {
    const queued = this.get(holder.plugin, holder.seq);
    if (queued === undefined) {
      this.#locks.release(holder);
      this.wrote(holder.plugin);
    } else this.#queue(holder.plugin).window.delete(queued);
  }

  /** Whether a delivery must wait for an earlier one. */
  isBlocked({ plugin, seq, orderKeys }: Holder): boolean {
    const { window, unreadFrom } = this.#queue(plugin);
    return orderKeys.some((key) =>
      window.isHeldBefore(key, seq) || this.#locks.isHeldBefore(plugin, key, seq) ||
      (unreadFrom < seq && this.#sql.unreadBefore.get(plugin, key, unreadFrom, seq) !== undefined)
    );
  }

  /**
   * The next holders of the keys: who else waits, waits for one of these. Those that are not in memory are none of them: they are looked at when they are
   * read.
   */
  next({ plugin, seq, orderKeys }: Holder): ReadonlySet<number> {
    const { window } = this.#queue(plugin);
    const next = new Set<number>();
    for (const key of orderKeys) {
      const first = Math.min(window.after(key, seq) ?? Infinity, this.#locks.after(plugin, key, seq) ?? Infinity);
      if (first !== Infinity) next.add(first);
    }
    return next;
  }

  /** The earlier holders of a key that was held again. */
  reopenedBefore(plugin: number, key: number, seq: number): readonly number[] {
    return this.#locks.before(plugin, key, seq);
  }

  /** Takes out what finished deliveries held. */
  sweep(): void {
    this.#locks.sweep();
  }

  /** The next one behind all that are in memory. */
  #enter(queue: Queue, { detailed, ...holder }: NewDelivery): void {
    const state = !detailed ? "new" : this.isBlocked(holder) ? "blocked" : "ready";
    queue.window.add({ ...holder, state });
    queue.newest = holder.seq;
    if (++queue.sinceNote >= this.#windowSize * NOTE_SHARE) this.#note(holder.plugin, queue);
  }

  /** Those that cannot be attempted yet make room for newer ones that perhaps can. */
  #makeRoom({ window }: Queue): void {
    let tooMany = window.size - this.#room;
    for (const delivery of window) {
      if (tooMany <= 0) break;
      const state = delivery.state as Waiting;
      if (state === "ready") continue;
      this.write(delivery, state);
      tooMany--;
    }
  }

  /** Notes where a plugin's queue begins. Those that lag far behind are written, so that nobody need look back there for them. */
  #note(plugin: number, queue: Queue): void {
    const { window, newest } = queue;
    for (const delivery of window) {
      if (delivery.seq >= newest - MAX_SPREAD * this.#room) break;
      this.write(delivery, delivery.state as Waiting);
    }
    const [oldest] = window;
    this.#sql.putQueuedFrom.run(oldest?.seq ?? newest + 1, plugin);
    queue.sinceNote = 0;
  }

  #queue(plugin: number): Queue {
    let queue = this.#queues.get(plugin);
    if (queue === undefined) {
      const row = this.#sql.plugin.get(plugin);
      // Nothing is queued for a plugin that is not in the file.
      const unreadFrom = Number(row?.["queued_from"] ?? Infinity);
      const changes = Number(row?.["changes"]);
      queue = { window: new DeliveryWindow(), unreadFrom, newest: unreadFrom - 1, changes, sinceNote: 0 };
      this.#queues.set(plugin, queue);
    }
    return queue;
  }

  #forgetChanged(): void {
    for (const [plugin, { changes }] of this.#queues) {
      if (this.#sql.plugin.get(plugin)?.["changes"] !== changes) this.#queues.delete(plugin);
    }
    this.#locks.forget();
    this.#hasWrittenReady.clear();
  }

  #forget(): void {
    this.#queues.clear();
    this.#hasWrittenReady.clear();
    this.#locks.forget();
    this.#version = undefined;
  }

  #versionNow(): number {
    return Number(this.#sql.version.get()?.["data_version"]);
  }
}

const STATEMENTS = {
  version: `PRAGMA data_version`,
  plugin: `SELECT queued_from, changes FROM plugin WHERE id = ?`,
  changed: `UPDATE plugin SET changes = changes + 1 WHERE id = ?`,
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
