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
import { searchPage, statesOf } from "../search/search_walk.ts";
import { lifeOf } from "../search/server_life.ts";
import type { Queries } from "./client.ts";
import { original, plain } from "./columns.ts";
import { PostgresSearchSource } from "./search_source.ts";

/** Dead letters that are read at once: some tens of milliseconds. */
const SLICE = 2000;

/** Searches in a ledger on PostgreSQL. */
export class PostgresEventSearch implements EventSearch {
  readonly #queries: Queries;
  readonly #source: PostgresSearchSource;

  constructor(queries: Queries) {
    this.#queries = queries;
    this.#source = new PostgresSearchSource(queries);
  }

  search(query: SearchQuery): Promise<SearchPage> {
    return searchPage(this.#source, query);
  }

  states(seqs: readonly number[]): Promise<readonly FoundDelivery[]> {
    return statesOf(this.#source, seqs);
  }

  async deadGroups(): Promise<readonly DeadGroup[]> {
    const groups = new DeadGroups();
    for (const { id, name } of await this.#queries.rows("SELECT id, name FROM plugin ORDER BY id")) {
      const plugin = original(name as string);
      for (let after = 0;;) {
        const rows = await this.#queries.rows(DEAD, [Number(id), after, SLICE]);
        for (const row of rows) {
          groups.add({
            plugin,
            key: original(row["key"] as string),
            at: Number(row["finished_at"]),
            reason: row["reason"] as FailureReason | null,
            error: row["error"] === null ? "" : original(row["error"] as string),
          });
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < SLICE) break;
        after = Number(last["seq"]);
      }
    }
    return groups.result;
  }

  async deadKeys(
    { plugin, reason }: { readonly plugin: string; readonly reason?: FailureReason },
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly { readonly seq: number; readonly key: string }[]> {
    const found: { readonly seq: number; readonly key: string }[] = [];
    const [row] = await this.#queries.rows("SELECT id FROM plugin WHERE name = $1", [plain(plugin)]);
    if (row === undefined) return found;
    for (let seq = after;;) {
      const rows = await this.#queries.rows(DEAD, [Number(row["id"]), seq, SLICE]);
      for (const row of rows) {
        if (reason !== undefined && (row["reason"] ?? "other") !== reason) continue;
        found.push({ seq: Number(row["seq"]), key: original(row["key"] as string) });
        if (found.length === limit) return found;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) return found;
      seq = Number(last["seq"]);
    }
  }

  async life(serverId: string): Promise<ServerLife | undefined> {
    const [row] = await this.#queries.rows("SELECT data FROM server WHERE id = $1", [plain(serverId)]);
    return await lifeOf(this.#source, serverId, row === undefined ? null : JSON.parse(row["data"] as string));
  }

  async newest(): Promise<number> {
    const [row] = await this.#queries.rows("SELECT coalesce(max(seq), 0) AS seq FROM event");
    return Number(row?.["seq"]);
  }
}

const DEAD = `SELECT d.seq, d.finished_at, e.key, f.reason, f.error
  FROM (SELECT seq, plugin, finished_at FROM delivery
    WHERE plugin = $1::integer AND state = 'dead' AND seq > $2::bigint ORDER BY seq LIMIT $3::integer) AS d
  JOIN event AS e ON e.seq = d.seq
  LEFT JOIN LATERAL (SELECT reason, error FROM failure AS f WHERE f.seq = d.seq AND f.plugin = d.plugin
    ORDER BY f.attempt DESC LIMIT 1) AS f ON true
  ORDER BY d.seq`;
