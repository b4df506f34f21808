import { PARTITION_EVENTS } from "./schema.ts";
import { type Database, type Statement, transaction } from "./database.ts";
import { orderHashSql, PARTITIONS } from "./partitions.ts";

/** Rows that one transaction looks at: some milliseconds of work. */
const SLICE = 200;

/**
 * Takes out what is past keeping, a slice at a time: finished events whose every delivery ended before `before`, then the notifications and
 * deleted resources that nothing refers to any more. What waits, what is dead and what lives is never taken.
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

/** Goes through the old rows of a table from the oldest on; those that must stay are passed over until the next time. */
class Walk {
  readonly #old: Statement;
  readonly #takes: readonly Statement[];
  readonly #rows: number;
  #after = BEGINNING;

  constructor(database: Database, { old, takes, rows = SLICE }: WalkOptions) {
    this.#rows = rows;
    this.#old = database.prepare(old);
    this.#takes = takes.map((sql) => database.prepare(sql));
  }

  /** Returns whether there are more old rows behind this slice. */
  slice(before: number): boolean {
    const rows = this.#old.all(before, this.#after.at, this.#after.id, this.#rows);
    for (const row of rows) {
      const id = row["id"] as Id;
      this.#after = { at: Number(row["at"]), id };
      if (row["stays"]) continue;
      for (const take of this.#takes) take.run(id);
    }
    if (rows.length < this.#rows) this.#after = BEGINNING;
    return rows.length === this.#rows;
  }
}

interface WalkOptions {
  /** The rows to look at, as `oldRows` gives them. */
  readonly old: string;
  /** What takes one out. */
  readonly takes: readonly string[];
  /** How many are looked at in one transaction. @default 200 */
  readonly rows?: number;
}

type Id = number | string;

const BEGINNING: { readonly at: number; readonly id: Id } = { at: -1, id: "" };

/** At most ?4 rows from before ?1 that come after (?2, ?3), and whether they must stay. Each is answered by an index. */
function oldRows(
  table: string,
  { id, at, stays = "0" }: { readonly id: string; readonly at: string; readonly stays?: string },
): string {
  return `SELECT ${id} AS id, ${at} AS at, ${stays} AS stays FROM ${table} AS row
    WHERE ${at} < ?1 AND (${at}, ${id}) > (?2, ?3) ORDER BY ${at}, ${id} LIMIT ?4`;
}

/** In the order in which they let go of each other. */
const TABLES: Readonly<Record<string, WalkOptions>> = {
  event: {
    old: oldRows("event", {
      id: "seq",
      at: "decided_at",
      stays: `EXISTS (SELECT 1 FROM delivery AS d
        WHERE d.seq = row.seq AND (d.finished_at IS NULL OR d.state = 'dead' OR d.finished_at >= ?1))`,
    }),
    takes: [
      `DELETE FROM event_order WHERE span = CAST(?1 AS INTEGER) / ${PARTITION_EVENTS} AND seq = ?1 AND order_key IN (
        SELECT value FROM event, json_each(event.order_keys) WHERE event.seq = ?1)`,
      `DELETE FROM held WHERE (plugin, order_key, seq) IN (SELECT d.plugin, value, d.seq
        FROM event AS e, json_each(e.order_keys), delivery AS d WHERE e.seq = ?1 AND d.seq = ?1)`,
      `DELETE FROM failure WHERE (plugin, seq) IN (SELECT plugin, seq FROM delivery WHERE seq = ?)`,
      `DELETE FROM delivery WHERE seq = ?`,
      `DELETE FROM event WHERE seq = ?`,
    ],
  },
  notification: {
    old: oldRows("notification", {
      id: "seq",
      at: "received_at",
      stays: `row.outcome IS NULL OR EXISTS (SELECT 1 FROM event WHERE event.notification = row.seq)`,
    }),
    takes: [`DELETE FROM notification WHERE seq = ?`],
  },
  rejection: {
    old: oldRows("rejection", { id: "seq", at: "received_at" }),
    takes: [`DELETE FROM rejection WHERE seq = ?`],
  },
  gap: {
    old: oldRows("gap", { id: "seq", at: "to_at" }),
    takes: [`DELETE FROM gap WHERE seq = ?`],
  },
  server: {
    old: oldRows("server", {
      id: "id",
      at: "deleted_at",
      stays: `EXISTS (SELECT 1 FROM (${PARTITIONS}) AS s CROSS JOIN event_order AS o
        ON o.span = s.span AND o.order_key = ${orderHashSql("'server/' || row.id")})`,
    }),
    takes: [`DELETE FROM server WHERE id = ?`],
    // Each is looked for in every stretch.
    rows: 20,
  },
  port: {
    old: oldRows("port", { id: "id", at: "deleted_at" }),
    takes: [`DELETE FROM port WHERE id = ?`],
  },
  floatingIp: {
    old: oldRows("floatingip", {
      id: "id",
      at: "deleted_at",
      stays: `EXISTS (SELECT 1 FROM event
        WHERE key >= 'floatingip/' || row.id || '/' AND key < 'floatingip/' || row.id || '0')`,
    }),
    takes: [`DELETE FROM floatingip WHERE id = ?`],
  },
};
