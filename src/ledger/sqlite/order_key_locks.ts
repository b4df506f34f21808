import type { Holder } from "./queued_delivery.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { UNFINISHED } from "./states.ts";

/** So many finished deliveries are swept at once: some milliseconds of work. */
const SWEEP = 500;

/** At the latest after so many transactions, that none are left behind when a backlog has gone. */
const SWEEP_EVERY = 50;

/** So many rows are looked through for what a process left that was killed before it swept. */
const LEFT_ROWS = 8 * SWEEP;

/**
 * The order keys that unfinished deliveries hold, as the file has them: of those that are not `queued` any more. A finished one holds nothing, whether
 * its rows are still there or not. Runs inside the caller's transaction.
 */
export class OrderKeyLocks {
  readonly #sql: Statements<typeof STATEMENTS>;
  /** Whether the table has any rows of a plugin, as far as was asked: one that fails costs the others no look-ups. */
  readonly #has = new Map<number, boolean>();
  /** Whether nobody has swept what a process left behind. */
  #mayBeLeft = true;
  /** Finished deliveries whose rows may still be there. */
  #unswept: Holder[] = [];
  /** Those whose rows were taken out last, perhaps in vain. */
  #swept: readonly Holder[] = [];
  #sinceSweep = 0;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** A transaction begins. */
  begin(): void {
    if (this.#mayBeLeft) this.#sql.letLeftGo.run(LEFT_ROWS);
    this.#mayBeLeft = false;
    if (this.#unswept.length > 0 && ++this.#sinceSweep >= SWEEP_EVERY) this.sweep();
  }

  /** Another process has written. */
  forget(): void {
    this.#has.clear();
  }

  /** What was swept since the last commit is back. */
  rolledBack(): void {
    this.forget();
    this.#mayBeLeft = true;
    this.#unswept = [...this.#swept, ...this.#unswept];
    this.#swept = [];
  }

  hold({ plugin, seq, orderKeys }: Holder): void {
    for (const key of orderKeys) this.#sql.hold.run(plugin, key, seq);
    this.#has.set(plugin, true);
  }

  /** A delivery is finished. */
  release(holder: Holder): void {
    if (!this.#hasAny(holder.plugin)) return;
    this.#unswept.push(holder);
    if (this.#unswept.length >= SWEEP) this.sweep();
  }

  /** Whether a key is held by one that is older than `seq`. */
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

  /** Takes out what finished deliveries held. Rows are all over the table: many at once share its pages. */
  sweep(): void {
    for (const { plugin, seq, orderKeys } of this.#unswept) {
      // An operator may have reopened it, or its end was rolled back.
      if (this.#sql.isOpen.get(seq, plugin) !== undefined) continue;
      for (const key of orderKeys) this.#sql.letGo.run(plugin, key, seq);
    }
    this.#swept = this.#unswept;
    this.#unswept = [];
    this.#sinceSweep = 0;
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
  letGo: `DELETE FROM held WHERE plugin = ? AND order_key = ? AND seq = ?`,
  letLeftGo: `DELETE FROM held WHERE (plugin, order_key, seq) IN (
    SELECT plugin, order_key, seq FROM (SELECT * FROM held LIMIT ?) AS h
    WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = h.seq AND d.plugin = h.plugin AND ${UNFINISHED}))`,
  isOpen: `SELECT 1 FROM delivery AS d WHERE seq = ? AND plugin = ? AND ${UNFINISHED}`,
  before: `SELECT 1 FROM ${HOLDERS} AND h.seq < ? LIMIT 1`,
  allBefore: `SELECT h.seq FROM ${HOLDERS} AND h.seq < ?`,
  after: `SELECT h.seq FROM ${HOLDERS} AND h.seq > ? ORDER BY h.seq LIMIT 1`,
} as const;
