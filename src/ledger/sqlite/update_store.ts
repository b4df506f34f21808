import type { Announced, Change, UpdateStore } from "../pending_updates.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";

/** Table `pending_update`, and the events that were announced. Runs inside the caller's transaction. */
export class SqliteUpdateStore implements UpdateStore {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  all(): readonly { readonly serverId: string; readonly dueAt: number }[] {
    return this.#sql.all.all().map((row) => ({ serverId: row["server_id"] as string, dueAt: Number(row["due_at"]) }));
  }

  pending(serverId: string): Change | undefined {
    const row = this.#sql.pending.get(serverId);
    if (row === undefined) return undefined;
    return { notification: Number(row["notification"]), cause: JSON.parse(row["cause"] as string) };
  }

  mark(serverId: string, dueAt: number, { notification, cause }: Change): void {
    this.#sql.mark.run(serverId, dueAt, notification, JSON.stringify(cause));
  }

  postpone(serverId: string, dueAt: number): void {
    this.#sql.postpone.run(dueAt, serverId);
  }

  remove(serverId: string): void {
    this.#sql.remove.run(serverId);
  }

  announced(key: string): Announced | undefined {
    const row = this.#sql.announced.get(key);
    if (row === undefined) return undefined;
    return { detail: row["detail"] as string | null, orderKeys: JSON.parse(row["order_keys"] as string) };
  }

  pluginsOf(key: string): readonly { readonly name: string; readonly plugin: number }[] {
    return this.#sql.plugins.all(key).map(({ name, plugin }) => ({ name: String(name), plugin: Number(plugin) }));
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
  plugins:
    `SELECT d.plugin, p.name FROM event AS e JOIN delivery AS d ON d.seq = e.seq JOIN plugin AS p ON p.id = d.plugin
    WHERE e.key = ? AND d.state <> 'dropped'`,
} as const;
