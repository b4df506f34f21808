import { PARTITION_EVENTS } from "./schema.ts";
import { type Database, type Statement, transaction } from "./database.ts";
import { isLasting } from "./lasting_events.ts";
import { orderHashSql, PARTITIONS } from "./partitions.ts";

/** Rows that one transaction visits: some milliseconds of work. */
const SLICE = 200;

/**
 * Deletes expired rows, a slice at a time: first events whose every delivery ended before the given
 * time, then notifications and deleted resources that nothing refers to. Unfinished deliveries,
 * dead letters and existing resources are never deleted, nor are the events that say what targets
 * hold of existing resources (`lasting_events.ts`).
 */
export class Pruner {
  readonly #database: Database;
  readonly #walks: readonly Walk[];
  #current = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#walks = Object.values(TABLES).map((texts) => new Walk(database, texts));
  }

  /** Prunes one slice. Returns whether there may be more. */
  slice(before: number): boolean {
    const walk = this.#walks[this.#current] as Walk;
    const more = transaction(this.#database, () => walk.slice(before));
    if (!more) this.#current = (this.#current + 1) % this.#walks.length;
    return more || this.#current > 0;
  }
}

/** Walks through the expired rows of one table, oldest first, and deletes those that may go. */
class Walk {
  readonly #expired: Statement;
  readonly #deletes: readonly Statement[];
  readonly #reductions: readonly Statement[];
  readonly #rows: number;
  #after = BEGINNING;

  constructor(database: Database, { expired, deletes, reductions = [], rows = SLICE }: WalkOptions) {
    this.#rows = rows;
    this.#reductions = reductions.map((sql) => database.prepare(sql));
    this.#expired = database.prepare(expired);
    this.#deletes = deletes.map((sql) => database.prepare(sql));
  }

  /** Deletes the next slice. Returns whether more expired rows follow. */
  slice(before: number): boolean {
    const rows = this.#expired.all(before, this.#after.at, this.#after.id, this.#rows);
    for (const row of rows) {
      const id = row["id"] as Id;
      this.#after = { at: Number(row["at"]), id };
      if (row["stays"] === STAYS) continue;
      for (const statement of row["stays"] === LASTS ? this.#reductions : this.#deletes) statement.run(id);
    }
    if (rows.length < this.#rows) this.#after = BEGINNING;
    return rows.length === this.#rows;
  }
}

interface WalkOptions {
  /** Selects a slice of expired rows, as `expiredRows` does. */
  readonly expired: string;
  /** Delete one row, `?1`, and what belongs to it. */
  readonly deletes: readonly string[];
  /** Delete what a lasting row, `?1`, does not need. @default none */
  readonly reductions?: readonly string[];
  /** Rows that one transaction visits. @default 200 */
  readonly rows?: number;
}

type Id = number | string;

/** Values of column `stays` beside 0: the row stays as it is, or without what it does not need. */
const STAYS = 1;
const LASTS = 2;

const BEGINNING: { readonly at: number; readonly id: Id } = { at: -1, id: "" };

/**
 * SQL: at most ?4 rows older than ?1 that follow (?2, ?3), and whether each must stay. An index
 * answers each of these queries.
 */
function expiredRows(
  table: string,
  { id, at, stays = "0" }: { readonly id: string; readonly at: string; readonly stays?: string },
): string {
  return `SELECT ${id} AS id, ${at} AS at, ${stays} AS stays FROM ${table} AS row
    WHERE ${at} < ?1 AND (${at}, ${id}) > (?2, ?3) ORDER BY ${at}, ${id} LIMIT ?4`;
}

/** SQL: deletes the order keys of event ?1. */
const FORGET_ORDER_KEYS =
  `DELETE FROM event_order WHERE span = CAST(?1 AS INTEGER) / ${PARTITION_EVENTS} AND seq = ?1 AND order_key IN (
    SELECT value FROM event, json_each(event.order_keys) WHERE event.seq = ?1)`;

/** In the order of their references: an event keeps its notification and its resources. */
const TABLES: Readonly<Record<string, WalkOptions>> = {
  event: {
    expired: expiredRows("event", {
      id: "seq",
      at: "decided_at",
      stays: `CASE
        WHEN EXISTS (SELECT 1 FROM delivery AS d
          WHERE d.seq = row.seq AND (d.finished_at IS NULL OR d.state = 'dead' OR d.finished_at >= ?1)) THEN ${STAYS}
        WHEN ${isLasting("row")} THEN ${LASTS} ELSE 0 END`,
    }),
    // Finished events block none. With the keys of old events, look-ups would have to search a
    // partition for each 2,048 events of years.
    reductions: [FORGET_ORDER_KEYS],
    deletes: [
      FORGET_ORDER_KEYS,
      `DELETE FROM held WHERE (plugin, order_key, seq) IN (SELECT d.plugin, value, d.seq
        FROM event AS e, json_each(e.order_keys), delivery AS d WHERE e.seq = ?1 AND d.seq = ?1)`,
      `DELETE FROM failure WHERE (plugin, seq) IN (SELECT plugin, seq FROM delivery WHERE seq = ?)`,
      `DELETE FROM delivery WHERE seq = ?`,
      `DELETE FROM event WHERE seq = ?`,
    ],
  },
  notification: {
    expired: expiredRows("notification", {
      id: "seq",
      at: "received_at",
      stays: `row.outcome IS NULL OR EXISTS (SELECT 1 FROM event WHERE event.notification = row.seq)`,
    }),
    deletes: [`DELETE FROM notification WHERE seq = ?`],
  },
  rejection: {
    expired: expiredRows("rejection", { id: "seq", at: "received_at" }),
    deletes: [`DELETE FROM rejection WHERE seq = ?`],
  },
  gap: {
    expired: expiredRows("gap", { id: "seq", at: "to_at" }),
    deletes: [`DELETE FROM gap WHERE seq = ?`],
  },
  comparison: {
    expired: expiredRows("comparison", {
      id: "seq",
      at: "ended_at",
      stays: `row.seq IN (SELECT max(seq) FROM comparison WHERE complete = 1 AND is_full = 0
        UNION ALL SELECT max(seq) FROM comparison WHERE complete = 1 AND is_full = 1)`,
    }),
    deletes: [`DELETE FROM comparison WHERE seq = ?`],
  },
  server: {
    expired: expiredRows("server", {
      id: "id",
      at: "deleted_at",
      stays: `EXISTS (SELECT 1 FROM (${PARTITIONS}) AS s CROSS JOIN event_order AS o
        ON o.span = s.span AND o.order_key = ${orderHashSql("'server/' || row.id")})`,
    }),
    deletes: [`DELETE FROM server WHERE id = ?`],
    // Each server is searched for in every partition of `event_order`.
    rows: 20,
  },
  port: {
    expired: expiredRows("port", { id: "id", at: "deleted_at" }),
    deletes: [`DELETE FROM port WHERE id = ?`],
  },
  floatingIp: {
    expired: expiredRows("floatingip", {
      id: "id",
      at: "deleted_at",
      stays: `EXISTS (SELECT 1 FROM event
        WHERE key >= 'floatingip/' || row.id || '/' AND key < 'floatingip/' || row.id || '0')`,
    }),
    deletes: [`DELETE FROM floatingip WHERE id = ?`],
  },
};
