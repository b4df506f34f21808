import type { Detail } from "../../model/detail.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import type { RecentEvent } from "./recent_events.ts";

/** What plugins were last told of servers that change. Only reads. */
export class ToldDetails {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #plugins: PluginNumbers;

  constructor(database: Database, plugins: PluginNumbers) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#plugins = plugins;
  }

  /**
   * The detail of the last update of the event's server before it, or of its creation, that a plugin
   * was told; `null`: it was told neither.
   */
  before(plugin: string, { serverId, updates = 0 }: RecentEvent["event"]): Detail | null {
    const number = this.#plugins.of(plugin);
    for (let last = updates; last > 0;) {
      const row = this.#sql.event.get(number, `server/${serverId}/update/${last}`);
      if (isTold(row)) return JSON.parse(row["detail"] as string);
      // An older update may be pruned: it is then not the last that a plugin was told.
      last = row === undefined ? 0 : Number(row["updates"] ?? 0);
    }
    const row = this.#sql.event.get(number, `server/${serverId}/creation`);
    return isTold(row) ? JSON.parse(row["detail"] as string) : null;
  }
}

type Row = Readonly<Record<string, unknown>>;

/** Whether a delivery is done by an attempt: without one, there was nothing to tell. */
function isTold(row: Row | undefined): row is Row {
  return row?.["state"] === "done" && Number(row["attempts"]) > 0;
}

const STATEMENTS = {
  event: `SELECT e.detail, json_extract(e.data, '$.updates') AS updates, d.state, d.attempts
    FROM event AS e LEFT JOIN delivery AS d ON d.seq = e.seq AND d.plugin = ? WHERE e.key = ?`,
} as const;
