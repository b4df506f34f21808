// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import { setImmediate } from "node:timers/promises";
import type {
  DeadGroup,
  EventSearch,
  FoundDelivery,
  SearchPage,
  SearchQuery,
  ServerLife,
} from "../../model/event_search.ts";
import type { FailureReason } from "../../model/errors.ts";
import { DeadGroups } from "../search/dead_groups.ts";
import { lifeOf } from "../search/server_life.ts";
import { searchPage, statesOf } from "../search/search_walk.ts";
import type { Database, Statement } from "./database.ts";
import { reading } from "./database.ts";
import { SqliteSearchSource } from "./search_source.ts";

/** Dead letters that are read at once: some milliseconds. */
const SLICE = 1000;

/** Searches in a ledger on SQLite. */
export class SqliteEventSearch implements EventSearch {
  readonly #source: SqliteSearchSource;
  readonly #dead: Statement;
  readonly #deadOf: Statement;
  readonly #server: Statement;
  readonly #newest: Statement;

  constructor(database: Database) {
    this.#source = new SqliteSearchSource(database);
    this.#dead = database.prepare(DEAD);
    this.#deadOf = database.prepare(DEAD_OF);
    this.#server = database.prepare("SELECT data FROM server WHERE id = ?");
    this.#newest = database.prepare("SELECT coalesce(max(seq), 0) AS seq FROM event");
  }

  search(query: SearchQuery): Promise<SearchPage> {
    return searchPage(this.#source, query);
  }

  states(seqs: readonly number[]): Promise<readonly FoundDelivery[]> {
    return statesOf(this.#source, seqs);
  }

  async deadGroups(): Promise<readonly DeadGroup[]> {
    const groups = new DeadGroups();
    for (let [seq, plugin] = [0, 0];;) {
      const rows = reading(() => this.#dead.all(seq, plugin, SLICE));
      for (const row of rows) groups.add(deadLetterOf(row));
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) return groups.result;
      [seq, plugin] = [Number(last["seq"]), Number(last["plugin"])];
      await setImmediate();
    }
  }

  async deadKeys(
    { plugin, reason }: { readonly plugin: string; readonly reason?: FailureReason },
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly { readonly seq: number; readonly key: string }[]> {
    const found: { readonly seq: number; readonly key: string }[] = [];
    for (let seq = after;;) {
      const rows = reading(() => this.#deadOf.all(plugin, seq, SLICE));
      for (const row of rows) {
        if (reason !== undefined && (row["reason"] ?? "other") !== reason) continue;
        found.push({ seq: Number(row["seq"]), key: String(row["key"]) });
        if (found.length === limit) return found;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) return found;
      seq = Number(last["seq"]);
      await setImmediate();
    }
  }

  async life(serverId: string): Promise<ServerLife | undefined> {
    const memory = reading(() => this.#server.get(serverId)?.["data"]);
    return await lifeOf(this.#source, serverId, memory === undefined ? null : JSON.parse(String(memory)));
  }

  async newest(): Promise<number> {
    return reading(() => Number(this.#newest.get()?.["seq"]));
  }
}

function deadLetterOf(row: Readonly<Record<string, unknown>>) {
  return {
    plugin: String(row["name"]),
    key: String(row["key"]),
    at: Number(row["finished_at"]),
    reason: row["reason"] as FailureReason | null,
    error: row["error"] === null ? "" : String(row["error"]),
  };
}

const LAST = (column: string) =>
  `(SELECT ${column} FROM failure AS f WHERE f.plugin = d.plugin AND f.seq = d.seq ORDER BY attempt DESC LIMIT 1)`;

const DEAD = `SELECT d.seq, d.plugin, d.finished_at, p.name, e.key, ${LAST("reason")} AS reason, ${
  LAST("error")
} AS error
  FROM delivery AS d INDEXED BY delivery_dead CROSS JOIN plugin AS p ON p.id = d.plugin CROSS JOIN event AS e ON e.seq = d.seq
  WHERE d.state = 'dead' AND d.seq >= ?1 AND (d.seq, d.plugin) > (?1, ?2) ORDER BY d.seq, d.plugin LIMIT ?3`;

const DEAD_OF = `SELECT d.seq, e.key, ${LAST("reason")} AS reason
  FROM delivery AS d INDEXED BY delivery_dead CROSS JOIN event AS e ON e.seq = d.seq
  WHERE d.state = 'dead' AND d.seq > ?2 AND d.plugin = (SELECT id FROM plugin WHERE name = ?1) ORDER BY d.seq LIMIT ?3`;
