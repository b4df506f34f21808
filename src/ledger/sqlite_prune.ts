import { type Database, prepareAll, type Statements, transaction } from "./sqlite.ts";

/** Rows that one transaction looks at: some milliseconds of work. */
const SLICE = 200;

/**
 * Takes out what is past keeping, a slice at a time: finished events whose every delivery ended before `before`, then the notifications and
 * deleted resources that nothing refers to any more. What waits, what is dead and what lives is never taken.
 */
export class Pruner {
  readonly #database: Database;
  readonly #sql: Statements<typeof STATEMENTS>;
  #after = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** Prunes one slice. Returns whether there may be more. */
  slice(before: number): boolean {
    return transaction(this.#database, () => {
      const events = this.#events(before);
      const rows = SIMPLE.reduce((sum, name) => sum + Number(this.#sql[name].run(before, SLICE).changes), 0);
      return events || rows > 0;
    });
  }

  /** Walks through old events from the oldest on; those that must stay are passed over until the next walk. */
  #events(before: number): boolean {
    const rows = this.#sql.oldEvents.all(this.#after, before, SLICE);
    for (const row of rows) {
      const seq = Number(row["seq"]);
      this.#after = seq;
      if (this.#sql.keeps.get(seq, before) !== undefined) continue;
      for (const statement of [this.#sql.deleteOrder, this.#sql.deleteFailures, this.#sql.deleteDeliveries]) {
        statement.run(seq);
      }
      this.#sql.deleteEvent.run(seq);
    }
    if (rows.length < SLICE) this.#after = 0;
    return rows.length === SLICE;
  }
}

const SIMPLE = ["rejections", "notifications", "servers", "ports", "floatingIps"] as const;

const OLD_SERVER = `SELECT id FROM server WHERE deleted_at < ? AND NOT EXISTS (
    SELECT 1 FROM event_order WHERE order_key = 'server/' || server.id) LIMIT ?`;
const OLD_PORT = `SELECT id FROM port WHERE deleted_at < ? LIMIT ?`;
const OLD_FLOATING_IP = `SELECT id FROM floatingip WHERE deleted_at < ? AND NOT EXISTS (
    SELECT 1 FROM event WHERE key >= 'floatingip/' || floatingip.id || '/' AND key < 'floatingip/' || floatingip.id || '0') LIMIT ?`;
const OLD_NOTIFICATION = `SELECT seq FROM notification WHERE received_at < ? AND outcome IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM event WHERE event.notification = notification.seq) LIMIT ?`;

const STATEMENTS = {
  oldEvents: `SELECT seq FROM event WHERE seq > ? AND decided_at < ? ORDER BY seq LIMIT ?`,
  keeps: `SELECT 1 FROM delivery WHERE seq = ? AND (finished_at IS NULL OR state = 'dead' OR finished_at >= ?) LIMIT 1`,
  deleteOrder: `DELETE FROM event_order WHERE seq = ?1 AND order_key IN (
    SELECT value FROM event, json_each(event.order_keys) WHERE event.seq = ?1)`,
  deleteFailures: `DELETE FROM failure WHERE (plugin, seq) IN (SELECT plugin, seq FROM delivery WHERE seq = ?)`,
  deleteDeliveries: `DELETE FROM delivery WHERE seq = ?`,
  deleteEvent: `DELETE FROM event WHERE seq = ?`,
  rejections:
    `DELETE FROM rejection WHERE seq IN (SELECT seq FROM rejection WHERE received_at < ? ORDER BY seq LIMIT ?)`,
  notifications: `DELETE FROM notification WHERE seq IN (${OLD_NOTIFICATION})`,
  servers: `DELETE FROM server WHERE id IN (${OLD_SERVER})`,
  ports: `DELETE FROM port WHERE id IN (${OLD_PORT})`,
  floatingIps: `DELETE FROM floatingip WHERE id IN (${OLD_FLOATING_IP})`,
} as const;
