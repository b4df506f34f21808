import type { FailureReason } from "../../model/errors.ts";
import type { ServerMemory } from "../../model/memory.ts";
import type { DeadLetter } from "../search/dead_groups.ts";
import type { SearchReader } from "../search/ledger_search.ts";
import type { Queries, Row } from "./client.ts";
import { original, plain } from "./columns.ts";
import { PostgresSearchSource } from "./search_source.ts";

/** Dead letters that are read at once: some tens of milliseconds. */
const SLICE = 2000;

/** Reads a ledger on PostgreSQL for searches. */
export class PostgresSearchReader implements SearchReader {
  readonly source: PostgresSearchSource;
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
    this.source = new PostgresSearchSource(queries);
  }

  /** Plugin by plugin, as the index has them. */
  async *deadLetters(
    { plugin, after }: { readonly plugin?: string; readonly after: number },
  ): AsyncIterable<readonly DeadLetter[]> {
    const name = plugin === undefined ? null : plain(plugin);
    for (const { id, name: stored } of await this.#queries.rows(PLUGINS, [name])) {
      const own = original(stored as string);
      for (let place = after;;) {
        const rows = await this.#queries.rows(DEAD, [Number(id), place, SLICE]);
        yield rows.map((row) => deadLetterOf(row, own));
        const last = rows.at(-1);
        if (last === undefined || rows.length < SLICE) break;
        place = Number(last["seq"]);
      }
    }
  }

  async server(id: string): Promise<ServerMemory | null> {
    const [row] = await this.#queries.rows("SELECT data FROM server WHERE id = $1", [plain(id)]);
    return row === undefined ? null : JSON.parse(row["data"] as string);
  }
}

function deadLetterOf(row: Row, plugin: string): DeadLetter {
  return {
    seq: Number(row["seq"]),
    plugin,
    key: original(row["key"] as string),
    at: Number(row["finished_at"]),
    reason: (row["reason"] ?? "other") as FailureReason,
    error: row["error"] === null ? "" : original(row["error"] as string),
  };
}

const PLUGINS = "SELECT id, name FROM plugin WHERE $1::text IS NULL OR name = $1 ORDER BY id";

const DEAD = `SELECT d.seq, d.finished_at, e.key, f.reason, f.error
  FROM (SELECT seq, plugin, finished_at FROM delivery
    WHERE plugin = $1::integer AND state = 'dead' AND seq > $2::bigint ORDER BY seq LIMIT $3::integer) AS d
  JOIN event AS e ON e.seq = d.seq
  LEFT JOIN LATERAL (SELECT reason, error FROM failure AS f WHERE f.seq = d.seq AND f.plugin = d.plugin
    ORDER BY f.attempt DESC LIMIT 1) AS f ON true
  ORDER BY d.seq`;
