import type { Holder } from "./queued_delivery.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { UNFINISHED } from "./delivery_states.ts";

/** Released deliveries whose rows are deleted in one transaction: some milliseconds of work. */
const DELETE_BATCH = 500;

/**
 * A smaller batch is deleted after this many transactions: a quiet service leaves no rows behind.
 */
const DELETE_EVERY = 50;

/** Rows that the first transaction searches for leftovers of a killed process. */
const STALE_ROWS = 8 * DELETE_BATCH;

/**
 * Table `held`: the order keys that unfinished deliveries hold, apart from those in state `queued`,
 * which hold theirs without a row. A row counts only while its delivery is unfinished, so rows are
 * deleted lazily, in batches. Runs inside the caller's transaction.
 */
export class OrderKeyLocks {
  readonly #sql: Statements<typeof STATEMENTS>;
  /** Cache: whether a plugin has any rows. Spares the look-ups for plugins that never fail. */
  readonly #has = new Map<number, boolean>();
  /** Whether a killed process may have left rows behind. */
  #mayHaveStale = true;
  /** Finished deliveries whose rows are not deleted yet. */
  #released: Holder[] = [];
  /** The last batch that was deleted, in case its transaction is rolled back. */
  #lastDeleted: readonly Holder[] = [];
  #sinceDelete = 0;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** To be called at the start of each transaction. */
  begin(): void {
    if (this.#mayHaveStale) this.#sql.deleteStale.run(STALE_ROWS);
    this.#mayHaveStale = false;
    if (this.#released.length > 0 && ++this.#sinceDelete >= DELETE_EVERY) this.deleteReleased();
  }

  /** Drops the cache: another process has written. */
  forget(): void {
    this.#has.clear();
  }

  /** The rows that were deleted since the last commit are back. */
  rolledBack(): void {
    this.forget();
    this.#mayHaveStale = true;
    this.#released = [...this.#lastDeleted, ...this.#released];
    this.#lastDeleted = [];
  }

  hold({ plugin, seq, orderKeys }: Holder): void {
    for (const key of orderKeys) this.#sql.hold.run(plugin, key, seq);
    this.#has.set(plugin, true);
  }

  /** Gives back the keys of a finished delivery. */
  release(holder: Holder): void {
    if (!this.#hasAny(holder.plugin)) return;
    this.#released.push(holder);
    if (this.#released.length >= DELETE_BATCH) this.deleteReleased();
  }

  /** Whether a delivery older than `seq` holds a key. */
  isHeldBefore(plugin: number, key: number, seq: number): boolean {
    return this.#hasAny(plugin) && this.#sql.before.get(plugin, key, seq) !== undefined;
  }

  /** The next holder of a key after `seq`. */
  after(plugin: number, key: number, seq: number): number | undefined {
    const next = this.#hasAny(plugin) ? this.#sql.after.get(plugin, key, seq)?.["seq"] : undefined;
    return next === undefined ? undefined : Number(next);
  }

  /** All older holders of a key. */
  before(plugin: number, key: number, seq: number): readonly number[] {
    return this.#sql.allBefore.all(plugin, key, seq).map((row) => Number(row["seq"]));
  }

  /**
   * Deletes the rows of finished deliveries. They lie all over the table: a batch shares its pages.
   */
  deleteReleased(): void {
    for (const { plugin, seq, orderKeys } of this.#released) {
      // An operator may have replayed it, or its outcome was rolled back.
      if (this.#sql.isOpen.get(seq, plugin) !== undefined) continue;
      for (const key of orderKeys) this.#sql.deleteRow.run(plugin, key, seq);
    }
    this.#lastDeleted = this.#released;
    this.#released = [];
    this.#sinceDelete = 0;
    this.#has.clear();
  }

  #hasAny(plugin: number): boolean {
    let has = this.#has.get(plugin);
    if (has === undefined) this.#has.set(plugin, has = this.#sql.any.get(plugin) !== undefined);
    return has;
  }
}

/** SQL: the unfinished deliveries of a plugin that hold a key. */
const HOLDERS = `held AS h CROSS JOIN delivery AS d ON d.seq = h.seq AND d.plugin = h.plugin AND ${UNFINISHED}
    WHERE h.plugin = ? AND h.order_key = ?`;

const STATEMENTS = {
  any: `SELECT 1 FROM held WHERE plugin = ? LIMIT 1`,
  hold: `INSERT OR IGNORE INTO held (plugin, order_key, seq) VALUES (?, ?, ?)`,
  deleteRow: `DELETE FROM held WHERE plugin = ? AND order_key = ? AND seq = ?`,
  deleteStale: `DELETE FROM held WHERE (plugin, order_key, seq) IN (
    SELECT plugin, order_key, seq FROM (SELECT * FROM held LIMIT ?) AS h
    WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = h.seq AND d.plugin = h.plugin AND ${UNFINISHED}))`,
  isOpen: `SELECT 1 FROM delivery AS d WHERE seq = ? AND plugin = ? AND ${UNFINISHED}`,
  before: `SELECT 1 FROM ${HOLDERS} AND h.seq < ? LIMIT 1`,
  allBefore: `SELECT h.seq FROM ${HOLDERS} AND h.seq < ?`,
  after: `SELECT h.seq FROM ${HOLDERS} AND h.seq > ? ORDER BY h.seq LIMIT 1`,
} as const;
