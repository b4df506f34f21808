import { type Holder, RecentHolders } from "./recent_holders.ts";
import { UNWRITTEN_FROM } from "./schema.ts";
import { type Database, prepareAll, type Statements } from "./sqlite.ts";
import { OPEN } from "./sqlite_states.ts";

/** How many deliveries may hold their keys in memory alone. */
const MAX_RECENT = 20_000;

/** Of those so many at once are written when newer ones need their place. */
const WRITE_SHARE = 0.01;

/** So many finished deliveries are swept at once: some milliseconds of work. */
const SWEEP = 500;

/** At the latest after so many transactions, that none are left behind when a backlog has gone. */
const SWEEP_EVERY = 50;

/** So many rows are looked through for what a process left that was killed before it swept. */
const LEFT_ROWS = 8 * SWEEP;

/**
 * Who holds an order key: the deliveries that are not finished. Most are finished soon, and what the newest hold is in memory alone; the table `held`
 * has what those hold that newer ones took the place of. Nobody's memory survives a kill, none can be believed after a transaction
 * that was rolled back, and an operator's process has none: then what may lack in the table is written from the deliveries themselves.
 * Runs inside the caller's transaction.
 */
export class Holders {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #maxRecent: number;
  readonly #recent = new RecentHolders();
  /** Whether all that is not in memory is in the table. */
  #isComplete = false;
  /** Whether the table has any rows of a plugin, as far as was asked in this transaction: one that hangs costs the others no look-ups. */
  readonly #written = new Map<number, boolean>();
  /** Finished deliveries whose rows may still be there. */
  #unswept: Holder[] = [];
  /** Those whose rows were taken out last, perhaps in vain. */
  #swept: readonly Holder[] = [];
  #sinceSweep = 0;

  constructor(database: Database, maxRecent = MAX_RECENT) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#maxRecent = maxRecent;
  }

  /** A transaction of the service begins: an operator's process may have written meanwhile. */
  begin(): void {
    if (!this.#isComplete) {
      this.#writeAll();
      this.#sql.letLeftGo.run(LEFT_ROWS);
      this.#isComplete = true;
    }
    this.#written.clear();
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
    this.#recent.clear();
    this.#isComplete = false;
    this.#unswept = [...this.#swept, ...this.#unswept];
    this.#swept = [];
  }

  /** A new delivery, of the newest event, holds its keys. */
  add(holder: Holder): void {
    this.#recent.add(holder);
    if (this.#recent.size > this.#maxRecent) this.#writeOldest();
  }

  /** One that was finished holds its keys again. */
  addAgain({ plugin, seq, orderKeys }: Holder): void {
    for (const key of orderKeys) this.#sql.hold.run(plugin, key, seq);
    this.#written.set(plugin, true);
  }

  /** A finished delivery holds nothing any more. */
  release(holder: Holder): void {
    this.#recent.delete(holder.plugin, holder.seq);
    if (!this.#hasWritten(holder.plugin)) return;
    this.#unswept.push(holder);
    if (this.#unswept.length >= SWEEP) this.sweep();
  }

  /** Whether a delivery must wait for an earlier one. */
  isBlocked({ plugin, seq, orderKeys }: Holder): boolean {
    return orderKeys.some((key) =>
      this.#open(plugin, () => this.#recent.before(plugin, key, seq)) !== undefined ||
      (this.#hasWritten(plugin) && this.#sql.before.get(plugin, key, seq) !== undefined)
    );
  }

  /** The next holders of the keys: who else waits, waits for one of these. */
  next({ plugin, seq, orderKeys }: Holder): ReadonlySet<number> {
    const next = new Set<number>();
    for (const key of orderKeys) {
      const recent = this.#open(plugin, () => this.#recent.after(plugin, key, seq)) ?? Infinity;
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
    for (const holder of this.#unswept) {
      // An operator may have reopened it, or its end was rolled back.
      if (this.#isOpen(holder)) continue;
      for (const key of holder.orderKeys) this.#sql.letGo.run(holder.plugin, key, holder.seq);
    }
    this.#swept = this.#unswept;
    this.#unswept = [];
    this.#sinceSweep = 0;
  }

  /** Passes over those in memory that an operator has dropped. */
  #open(plugin: number, find: () => number | undefined): number | undefined {
    for (;;) {
      const seq = find();
      if (seq === undefined || this.#isOpen({ plugin, seq })) return seq;
      this.#recent.delete(plugin, seq);
    }
  }

  #writeOldest(): void {
    const tooMany = this.#recent.size - Math.floor(this.#maxRecent * (1 - WRITE_SHARE));
    const oldest = this.#recent.oldest(tooMany + 1);
    for (const holder of oldest.slice(0, tooMany)) {
      if (this.#isOpen(holder)) this.addAgain(holder);
      this.#recent.delete(holder.plugin, holder.seq);
    }
    const next = oldest[tooMany];
    if (next !== undefined) this.#sql.putUnwrittenFrom.run(String(next.seq));
  }

  #hasWritten(plugin: number): boolean {
    let has = this.#written.get(plugin);
    if (has === undefined) this.#written.set(plugin, has = this.#sql.any.get(plugin) !== undefined);
    return has;
  }

  #isOpen({ plugin, seq }: Pick<Holder, "plugin" | "seq">): boolean {
    return this.#sql.isOpen.get(seq, plugin) !== undefined;
  }

  #writeAll(): void {
    this.#sql.writeAll.run();
    this.#sql.allWritten.run();
  }
}

/** SQL: from which event on deliveries may hold keys that `held` does not have. */
export const UNWRITTEN_FROM_SQL = `SELECT CAST(value AS INTEGER) FROM fact WHERE name = '${UNWRITTEN_FROM}'`;

/** SQL: the unfinished deliveries of a plugin that hold a key; `held` has some that are finished, too. */
const HOLDERS = `held AS h CROSS JOIN delivery AS d ON d.seq = h.seq AND d.plugin = h.plugin AND d.state IN ${OPEN}
    WHERE h.plugin = ? AND h.order_key = ?`;

const STATEMENTS = {
  any: `SELECT 1 FROM held WHERE plugin = ? LIMIT 1`,
  hold: `INSERT OR IGNORE INTO held (plugin, order_key, seq) VALUES (?, ?, ?)`,
  letGo: `DELETE FROM held WHERE plugin = ? AND order_key = ? AND seq = ?`,
  letLeftGo: `DELETE FROM held WHERE (plugin, order_key, seq) IN (
    SELECT plugin, order_key, seq FROM (SELECT * FROM held LIMIT ?) AS h
    WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = h.seq AND d.plugin = h.plugin AND d.state IN ${OPEN}))`,
  isOpen: `SELECT 1 FROM delivery WHERE seq = ? AND plugin = ? AND state IN ${OPEN}`,
  before: `SELECT 1 FROM ${HOLDERS} AND h.seq < ? LIMIT 1`,
  allBefore: `SELECT h.seq FROM ${HOLDERS} AND h.seq < ?`,
  after: `SELECT h.seq FROM ${HOLDERS} AND h.seq > ? ORDER BY h.seq LIMIT 1`,
  writeAll: `INSERT OR IGNORE INTO held (plugin, order_key, seq)
    SELECT d.plugin, k.value, d.seq FROM delivery AS d INDEXED BY delivery_open
      CROSS JOIN event AS e ON e.seq = d.seq CROSS JOIN json_each(e.order_keys) AS k
    WHERE d.state IN ${OPEN} AND d.seq >= (${UNWRITTEN_FROM_SQL})`,
  allWritten: `UPDATE fact SET value = (SELECT coalesce(max(seq), 0) + 1 FROM event) WHERE name = '${UNWRITTEN_FROM}'`,
  // An operator's process may have written later ones already: each of its turns would write them again.
  putUnwrittenFrom:
    `UPDATE fact SET value = max(CAST(value AS INTEGER), CAST(? AS INTEGER)) WHERE name = '${UNWRITTEN_FROM}'`,
} as const;
