import type { ReadyQuery } from "../model/ledger.ts";
import { type Holder, RecentDeliveries, type RecentDelivery, type Waiting } from "./recent_deliveries.ts";
import { UNWRITTEN_FROM } from "./schema.ts";
import { type Database, prepareAll, type Statements } from "./sqlite.ts";
import { UNFINISHED, UNWRITTEN_FROM_SQL } from "./sqlite_states.ts";

/** How many deliveries may be in memory alone. */
const MAX_RECENT = 20_000;

/** Of those so many at once are written when newer ones need their place. */
const WRITE_SHARE = 0.01;

/** After such a share of new ones it is noted where the oldest in memory is; one that is still there so many notes later is written. */
const NOTE_SHARE = 0.25;
const NOTES = 8;

/** So many finished deliveries are swept at once: some milliseconds of work. */
const SWEEP = 500;

/** At the latest after so many transactions, that none are left behind when a backlog has gone. */
const SWEEP_EVERY = 50;

/** So many rows are looked through for what a process left that was killed before it swept. */
const LEFT_ROWS = 8 * SWEEP;

/** What the file does not say of a plugin's deliveries. */
export interface RecentWaiting {
  readonly waiting: Readonly<Record<Waiting, number>>;
  /** Of those that do not wait for an earlier one, the lowest `seq`; `Infinity` for none. */
  readonly oldest: number;
  /** How often memory has begun anew: what it had before is in the file. */
  readonly begun: number;
}

/**
 * Who holds an order key: the deliveries that are not finished. Most are finished soon. Of the newest the file says only that they are `recent`:
 * what each waits for and what it holds is in memory, and is written when newer ones take its place. Nobody's memory survives a kill, none can be
 * believed after a transaction that was rolled back or when another process has written, and an operator's process has none: then what the
 * file lacks is worked out from the deliveries themselves. Runs inside the caller's transaction.
 */
export class Holders {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #maxRecent: number;
  readonly #recent = new RecentDeliveries();
  /** SQLite's number of what others have written, when all that is not in memory was in the file. */
  #version: number | undefined;
  #begun = 0;
  /** Whether nobody has swept what a process left behind. */
  #mayBeLeft = true;
  /** Whether the table has any rows of a plugin, as far as was asked: one that hangs costs the others no look-ups. */
  readonly #written = new Map<number, boolean>();
  /** Finished deliveries whose rows may still be there. */
  #unswept: Holder[] = [];
  /** Those whose rows were taken out last, perhaps in vain. */
  #swept: readonly Holder[] = [];
  #sinceSweep = 0;
  /** Where the newest one was when the last notes were made. */
  #notes: number[] = [];
  #sinceNote = 0;

  constructor(database: Database, maxRecent = MAX_RECENT) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#maxRecent = maxRecent;
  }

  /** Whether memory and file together are right: else they will be when the next transaction begins. */
  isCurrent(): boolean {
    return this.#version !== undefined && this.#version === this.#versionNow();
  }

  /** A transaction of the service begins: an operator's process may have written meanwhile. */
  begin(): void {
    if (!this.isCurrent()) this.#beginAnew();
    if (this.#unswept.length > 0 && ++this.#sinceSweep >= SWEEP_EVERY) this.sweep();
  }

  /** A transaction of an operator's process begins: what the service beside it has in memory alone is written. */
  beginBeside(): void {
    this.#writeAll();
    this.#written.clear();
  }

  /**
   * What was written since the last commit is not there after all: what was swept is back, numbers of events will be given again, and nothing
   * in memory is believed any more.
   */
  rolledBack(): void {
    this.forget();
    this.#mayBeLeft = true;
    this.#unswept = [...this.#swept, ...this.#unswept];
    this.#swept = [];
  }

  /** A new delivery, of the newest event, holds its keys. */
  add(delivery: RecentDelivery): void {
    this.#recent.add(delivery);
    if (this.#recent.size > this.#maxRecent) this.#makeRoom();
    if (++this.#sinceNote > this.#maxRecent * NOTE_SHARE) this.#note(delivery.seq);
  }

  /** One of those in memory. */
  recent(plugin: number, seq: number): RecentDelivery | undefined {
    return this.#recent.get(plugin, seq);
  }

  /** Those in memory that are ready, in the order in which they are due. */
  ready(plugin: number, query: Pick<Required<ReadyQuery>, "limit" | "busy">): readonly RecentDelivery[] {
    return this.#recent.ready(plugin, query);
  }

  /** The plugins whose delivery of an event is in memory and waits for its detail. */
  newOf(seq: number): readonly number[] {
    return this.#recent.newOf(seq);
  }

  /** How many of a plugin are in memory, by what they wait for. */
  waiting(plugin: number): RecentWaiting {
    const waiting = { new: 0, blocked: 0, ready: 0 };
    let oldest = Infinity;
    for (const { seq, state } of this.#recent.of(plugin)) {
      if (state === null) continue;
      waiting[state]++;
      if (state !== "blocked") oldest = Math.min(oldest, seq);
    }
    return { waiting, oldest, begun: this.#begun };
  }

  /** What one in memory waits for from now on; `null`: the file says it. */
  setState(delivery: RecentDelivery, state: Waiting | null): void {
    this.#recent.setState(delivery, state);
  }

  /** Writes that a delivery holds its keys: one that leaves memory, or that was finished and is to be attempted again. */
  hold({ plugin, seq, orderKeys }: Holder): void {
    for (const key of orderKeys) this.#sql.hold.run(plugin, key, seq);
    this.#written.set(plugin, true);
  }

  /** A finished delivery holds nothing any more. */
  release(holder: Holder): void {
    const recent = this.#recent.get(holder.plugin, holder.seq);
    if (recent !== undefined) this.#recent.delete(recent);
    else if (this.#hasWritten(holder.plugin)) {
      this.#unswept.push(holder);
      if (this.#unswept.length >= SWEEP) this.sweep();
    }
  }

  /** Whether a delivery must wait for an earlier one. */
  isBlocked({ plugin, seq, orderKeys }: Holder): boolean {
    return orderKeys.some((key) =>
      this.#recent.isHeldBefore(plugin, key, seq) ||
      (this.#hasWritten(plugin) && this.#sql.before.get(plugin, key, seq) !== undefined)
    );
  }

  /** The next holders of the keys: who else waits, waits for one of these. */
  next({ plugin, seq, orderKeys }: Holder): ReadonlySet<number> {
    const next = new Set<number>();
    for (const key of orderKeys) {
      const recent = this.#recent.after(plugin, key, seq) ?? Infinity;
      const written = this.#hasWritten(plugin) ? this.#sql.after.get(plugin, key, seq)?.["seq"] ?? Infinity : Infinity;
      const first = Math.min(recent, Number(written));
      if (first !== Infinity) next.add(first);
    }
    return next;
  }

  /** The earlier holders of a key that was held again. */
  reopenedBefore(plugin: number, key: number, seq: number): readonly number[] {
    return this.#sql.allBefore.all(plugin, key, seq).map((row) => Number(row["seq"]));
  }

  /**
   * Takes out what finished deliveries held. Nobody waits for a finished one whether that is there or not, but rows are all over the table:
   * many at once share its pages.
   */
  sweep(): void {
    for (const { plugin, seq, orderKeys } of this.#unswept) {
      // An operator may have reopened it, or its end was rolled back.
      if (this.#sql.isOpen.get(seq, plugin) !== undefined) continue;
      for (const key of orderKeys) this.#sql.letGo.run(plugin, key, seq);
    }
    this.#swept = this.#unswept;
    this.#unswept = [];
    this.#sinceSweep = 0;
    this.#written.clear();
  }

  /** Nothing in memory is believed any more: with the next transaction the file says it. */
  forget(): void {
    this.#recent.clear();
    this.#written.clear();
    this.#notes = [];
    this.#sinceNote = 0;
    this.#version = undefined;
  }

  #beginAnew(): void {
    this.forget();
    this.#writeAll();
    if (this.#mayBeLeft) this.#sql.letLeftGo.run(LEFT_ROWS);
    this.#mayBeLeft = false;
    this.#version = this.#versionNow();
    this.#begun++;
  }

  /** Several at once: who makes room for each by itself writes the same pages again and again. */
  #makeRoom(): void {
    this.#write(this.#recent.oldest(this.#recent.size - Math.floor(this.#maxRecent * (1 - WRITE_SHARE))));
  }

  /** Bounds how far back one must look for what is in memory alone. */
  #note(newest: number): void {
    this.#sinceNote = 0;
    this.#notes.push(newest);
    const past = this.#notes.length > NOTES ? this.#notes.shift() as number : 0;
    this.#write(this.#recent.olderThan(past));
  }

  #write(deliveries: readonly RecentDelivery[]): void {
    for (const delivery of deliveries) {
      const { plugin, seq, state } = delivery;
      this.hold(delivery);
      if (state !== null) this.#sql.writeState.run(state, seq, plugin);
      this.#recent.delete(delivery);
    }
    const [oldest] = this.#recent.oldest(1);
    if (oldest !== undefined) this.#sql.putUnwrittenFrom.run(String(oldest.seq));
  }

  #hasWritten(plugin: number): boolean {
    let has = this.#written.get(plugin);
    if (has === undefined) this.#written.set(plugin, has = this.#sql.any.get(plugin) !== undefined);
    return has;
  }

  #versionNow(): number {
    return Number(this.#sql.version.get()?.["data_version"]);
  }

  #writeAll(): void {
    this.#sql.writeKeys.run();
    this.#sql.writeStates.run();
    this.#sql.allWritten.run();
  }
}

/** SQL: the unfinished deliveries of a plugin that hold a key; `held` has some that are finished, too. */
const HOLDERS = `held AS h CROSS JOIN delivery AS d ON d.seq = h.seq AND d.plugin = h.plugin AND ${UNFINISHED}
    WHERE h.plugin = ? AND h.order_key = ?`;

const STATEMENTS = {
  version: `PRAGMA data_version`,
  any: `SELECT 1 FROM held WHERE plugin = ? LIMIT 1`,
  hold: `INSERT OR IGNORE INTO held (plugin, order_key, seq) VALUES (?, ?, ?)`,
  letGo: `DELETE FROM held WHERE plugin = ? AND order_key = ? AND seq = ?`,
  letLeftGo: `DELETE FROM held WHERE (plugin, order_key, seq) IN (
    SELECT plugin, order_key, seq FROM (SELECT * FROM held LIMIT ?) AS h
    WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = h.seq AND d.plugin = h.plugin AND ${UNFINISHED}))`,
  isOpen: `SELECT 1 FROM delivery AS d WHERE seq = ? AND plugin = ? AND ${UNFINISHED}`,
  before: `SELECT 1 FROM ${HOLDERS} AND h.seq < ? LIMIT 1`,
  allBefore: `SELECT h.seq FROM ${HOLDERS} AND h.seq < ?`,
  after: `SELECT h.seq FROM ${HOLDERS} AND h.seq > ? ORDER BY h.seq LIMIT 1`,
  writeState: `UPDATE delivery SET state = ? WHERE seq = ? AND plugin = ? AND state = 'recent'`,
  writeKeys: `INSERT OR IGNORE INTO held (plugin, order_key, seq)
    SELECT d.plugin, k.value, d.seq FROM delivery AS d
      CROSS JOIN event AS e ON e.seq = d.seq CROSS JOIN json_each(e.order_keys) AS k
    WHERE d.seq >= ${UNWRITTEN_FROM_SQL} AND ${UNFINISHED}`,
  // Once all keys are written.
  writeStates: `UPDATE delivery SET state = CASE
      WHEN EXISTS (SELECT 1 FROM event AS e WHERE e.seq = delivery.seq AND e.detail IS NULL) THEN 'new'
      WHEN EXISTS (SELECT 1 FROM event AS e CROSS JOIN json_each(e.order_keys) AS k
        CROSS JOIN held AS h ON h.plugin = delivery.plugin AND h.order_key = k.value AND h.seq < delivery.seq
        CROSS JOIN delivery AS d ON d.seq = h.seq AND d.plugin = h.plugin AND ${UNFINISHED}
        WHERE e.seq = delivery.seq) THEN 'blocked'
      ELSE 'ready' END
    WHERE seq >= ${UNWRITTEN_FROM_SQL} AND state = 'recent'`,
  allWritten: `UPDATE fact SET value = (SELECT coalesce(max(seq), 0) + 1 FROM event) WHERE name = '${UNWRITTEN_FROM}'`,
  putUnwrittenFrom: `UPDATE fact SET value = ? WHERE name = '${UNWRITTEN_FROM}'`,
} as const;
