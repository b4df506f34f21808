// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import { setImmediate } from "node:timers/promises";
import type { FailureReason } from "../../model/errors.ts";
import type { ServerMemory } from "../../model/memory.ts";
import type { DeadLetter } from "../search/dead_groups.ts";
import type { SearchReader } from "../search/ledger_search.ts";
import { type Database, prepareAll, reading, type Statements } from "./database.ts";
import { SqliteSearchSource } from "./search_source.ts";

/** Dead letters that are read at once: some milliseconds. */
const SLICE = 1000;

/** Reads a ledger on SQLite for searches. */
export class SqliteSearchReader implements SearchReader {
  readonly source: SqliteSearchSource;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.source = new SqliteSearchSource(database);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  async *deadLetters(
    { plugin, after }: { readonly plugin?: string; readonly after: number },
  ): AsyncIterable<readonly DeadLetter[]> {
    const rowsAfter = ([seq, number]: readonly [number, number]) =>
      plugin === undefined ? this.#sql.dead.all(seq, number, SLICE) : this.#sql.deadOf.all(plugin, seq, SLICE);
    for (let place: readonly [number, number] = [after, Number.MAX_SAFE_INTEGER];;) {
      const rows = reading(() => rowsAfter(place));
      yield rows.map(deadLetterOf);
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) return;
      place = [Number(last["seq"]), Number(last["plugin"])];
      await setImmediate();
    }
  }

  async server(id: string): Promise<ServerMemory | null> {
    const data = reading(() => this.#sql.server.get(id)?.["data"]);
    return data === undefined ? null : JSON.parse(String(data));
  }
}

function deadLetterOf(row: Readonly<Record<string, unknown>>): DeadLetter {
  return {
    seq: Number(row["seq"]),
    plugin: String(row["name"]),
    key: String(row["key"]),
    at: Number(row["finished_at"]),
    reason: (row["reason"] ?? "other") as FailureReason,
    error: String(row["error"] ?? ""),
  };
}

const LAST = (column: string) =>
  `(SELECT ${column} FROM failure AS f WHERE f.plugin = d.plugin AND f.seq = d.seq ORDER BY attempt DESC LIMIT 1)`;

const DEAD_LETTERS = `SELECT d.seq, d.plugin, d.finished_at, p.name, e.key,
    ${LAST("reason")} AS reason, ${LAST("error")} AS error
  FROM delivery AS d INDEXED BY delivery_dead CROSS JOIN plugin AS p ON p.id = d.plugin CROSS JOIN event AS e ON e.seq = d.seq
  WHERE d.state = 'dead'`;

const STATEMENTS = {
  dead: `${DEAD_LETTERS} AND d.seq >= ?1 AND (d.seq, d.plugin) > (?1, ?2) ORDER BY d.seq, d.plugin LIMIT ?3`,
  deadOf: `${DEAD_LETTERS} AND d.seq > ?2 AND p.name = ?1 ORDER BY d.seq LIMIT ?3`,
  server: "SELECT data FROM server WHERE id = ?",
} as const;
