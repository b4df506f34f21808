// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import { orderHashOf } from "./order_hash.ts";
import type { OrderHash } from "../order_hash.ts";
import type { SearchQuery } from "../../model/event_search.ts";
import type { SearchRow } from "../search/search_row.ts";
import type { EventsQuery, RowQuery, SearchSource } from "../search/search_walk.ts";
import type { TextQuery } from "../search/text_query.ts";
import { type Database, prepareAll, reading, type Statement, type Statements } from "./database.ts";
import { listedState } from "./delivery_states.ts";
import { CONDITIONS } from "./list_pages.ts";
import { PARTITIONS } from "./partitions.ts";
import { PARTITION_EVENTS } from "./schema.ts";

type Value = string | number;

/** Adds a condition with its values. */
type Also = (condition: string, ...given: readonly Value[]) => void;

/** More events whose keys begin with a text are looked for in slices. */
const MAX_KEYS = 2000;

/** What a search reads from a ledger on SQLite. */
export class SqliteSearchSource implements SearchSource {
  readonly #database: Database;
  readonly #orderHash: OrderHash;
  readonly #sql: Statements<typeof STATEMENTS>;
  /** By their texts, of which there are a few dozen. */
  readonly #prepared = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
    this.#orderHash = orderHashOf(database);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  async bounds({ since, until }: Pick<SearchQuery, "since" | "until">): Promise<{ from: number; to: number }> {
    return reading(() => {
      const from = since === undefined ? 0 : this.#sql.since.get(since)?.["seq"] ?? Number.MAX_SAFE_INTEGER;
      const to = until === undefined ? Number.MAX_SAFE_INTEGER - 1 : this.#sql.until.get(until)?.["seq"] ?? -1;
      return { from: Number(from), to: Number(to) };
    });
  }

  async newestBelow(seq: number): Promise<number | null> {
    return reading(() => numberOrNull(this.#sql.newestBelow.get(seq)?.["seq"]));
  }

  async candidates(
    text: Exclude<TextQuery, { readonly by: "content" }>,
    { from, below, limit }: { readonly from: number; readonly below: number; readonly limit: number },
  ): Promise<readonly number[] | null> {
    if (text.by === "id") {
      const { id } = text;
      const hash = this.#orderHash(`server/${id}`);
      return reading(() => this.#sql.ofId.all(id, hash, from, below, limit).map(({ seq }) => Number(seq)));
    }
    const seqs = new Set<number>();
    for (const prefix of text.prefixes) {
      const rows = reading(() => this.#sql.ofKey.all(prefix, `${prefix}\u{10ffff}`, from, below, MAX_KEYS + 1));
      if (rows.length > MAX_KEYS) return null;
      for (const { seq } of rows) seqs.add(Number(seq));
    }
    return [...seqs].sort((one, other) => other - one).slice(0, limit);
  }

  async eventsWith({ from, below, limit, ...words }: EventsQuery): Promise<readonly number[]> {
    const where = ["e.seq >= ? AND e.seq < ?"];
    const values: Value[] = [from, below];
    eventConditions(words, (condition, ...given) => {
      where.push(condition);
      values.push(...given);
    });
    const sql = `SELECT e.seq FROM event AS e WHERE ${where.join(" AND ")} ORDER BY e.seq DESC LIMIT ${limit}`;
    return reading(() => this.#prepare(sql).all(...values).map(({ seq }) => Number(seq)));
  }

  async rows(query: RowQuery): Promise<readonly SearchRow[]> {
    const { state } = query.filter;
    const conditions = state === undefined ? [""] : CONDITIONS[state] ?? [];
    const parts = conditions.map((condition) => partOf(query, condition));
    const sql = parts.length === 1
      ? parts[0]!.sql
      : `${
        parts.map((part) => `SELECT * FROM (${part.sql})`).join(" UNION ALL ")
      } ORDER BY seq DESC, plugin DESC LIMIT ${query.limit}`;
    return reading(() => this.#prepare(sql).all(...parts.flatMap(({ values }) => values))).map((row) => ({
      seq: Number(row["seq"]),
      plugin: Number(row["plugin"]),
      name: String(row["name"]),
      state: listedState(String(row["state"]), Number(row["attempts"])),
      attempts: Number(row["attempts"]),
      dueAt: Number(row["due_at"]),
      finishedAt: numberOrNull(row["finished_at"]),
      isPaused: row["paused_at"] !== null,
      key: String(row["key"]),
      decidedAt: Number(row["decided_at"]),
      data: String(row["data"]),
      detail: row["detail"] as string | null,
      error: row["error"] as string | null,
    }));
  }

  async decidedAt(from: number): Promise<number | null> {
    return reading(() => numberOrNull(this.#sql.decidedAt.get(from)?.["decided_at"]));
  }

  #prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}

/** SQL of the rows in one of the states of a query, with its values. */
function partOf(
  { from, before, filter, text, events, limit }: RowQuery,
  condition: string,
): { readonly sql: string; readonly values: readonly Value[] } {
  const { plugin, state, since, until, kind, subject } = filter;
  const where: string[] = [];
  const values: Value[] = [];
  const also: Also = (condition, ...given) => {
    where.push(condition);
    values.push(...given);
  };
  if (condition !== "") also(condition);
  also("d.seq >= ? AND d.seq <= ? AND (d.seq, d.plugin) < (?, ?)", from, before.seq, before.seq, before.plugin);
  // An index on the state finds deliveries in most states.
  const byState = state !== undefined && state !== "done" && state !== "skipped";
  if (plugin !== undefined) also(`${byState ? "+" : ""}d.plugin = (SELECT id FROM plugin WHERE name = ?)`, plugin);
  if (events !== undefined) also("d.seq IN (SELECT value FROM json_each(?))", JSON.stringify(events));
  if (since !== undefined) also("+e.decided_at >= ?", since);
  if (until !== undefined) also("+e.decided_at < ?", until);
  if (events === undefined) {
    const words = { ...kind === undefined ? {} : { kind }, ...subject === undefined ? {} : { subject }, text };
    eventConditions(words, also);
  }
  const sql = `SELECT d.seq, d.plugin, d.state, d.attempts, d.due_at, d.finished_at, p.name, p.paused_at,
      e.key, e.decided_at, e.data, e.detail,
      (SELECT error FROM failure AS f WHERE f.plugin = d.plugin AND f.seq = d.seq ORDER BY attempt DESC LIMIT 1) AS error
    FROM delivery AS d CROSS JOIN event AS e ON e.seq = d.seq CROSS JOIN plugin AS p ON p.id = d.plugin
    WHERE ${where.join(" AND ")} ORDER BY d.seq DESC, d.plugin DESC LIMIT ${limit}`;
  return { sql, values };
}

/** SQL of what events `e` must say. What is found is looked at again: JSON may have it elsewhere. */
function eventConditions({ kind, subject, text }: Pick<EventsQuery, "kind" | "subject" | "text">, also: Also): void {
  // Keys say it, and stand before all else in a row.
  if (kind !== undefined) also("instr(e.key, ?) > 0", `/${kind}`);
  if (subject !== undefined) also("instr(e.key, ?) = 1", `${subject}/`);
  if (text === null || text.by === "id") return;
  if (text.by === "content") {
    const has = text.pattern.length > MAX_LIKE ? "instr(lower(%), ?) > 0" : "% LIKE ? ESCAPE '!'";
    const pattern = text.pattern.length > MAX_LIKE ? text.pattern : likePattern(text.pattern);
    return also(`(${has.replace("%", "iif(e.detail IS NULL, e.data, e.detail)")})`, pattern);
  }
  const ranges = text.prefixes.map(() => "(+e.key >= ? AND +e.key < ?)");
  also(`(${ranges.join(" OR ")})`, ...text.prefixes.flatMap((prefix) => [prefix, `${prefix}\u{10ffff}`]));
}

/** SQLite refuses long ones. */
const MAX_LIKE = 1000;

/** LIKE takes a third of the time of `instr(lower(…))`. */
function likePattern(text: string): string {
  return `%${text.replace(/[!%_]/g, "!$&")}%`;
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** A clock that was set back a little makes no difference. */
const NEAR = 1000;

const STATEMENTS = {
  since: `SELECT min(seq) AS seq FROM (SELECT seq FROM event WHERE decided_at >= ? ORDER BY decided_at LIMIT ${NEAR})`,
  until:
    `SELECT max(seq) AS seq FROM (SELECT seq FROM event WHERE decided_at < ? ORDER BY decided_at DESC LIMIT ${NEAR})`,
  newestBelow: `SELECT max(seq) AS seq FROM event WHERE seq < ?`,
  decidedAt: `SELECT decided_at FROM event WHERE seq >= ? ORDER BY seq LIMIT 1`,
  // Order keys of old events are pruned: their own keys find these.
  ofId: `SELECT seq FROM (
      SELECT o.seq FROM (${PARTITIONS}) AS s CROSS JOIN event_order AS o
        ON s.span <= ?4 / ${PARTITION_EVENTS} AND o.span = s.span AND o.order_key = ?2
      UNION SELECT seq FROM event WHERE key >= 'server/' || ?1 || '/' AND key < 'server/' || ?1 || '0'
      UNION SELECT seq FROM event WHERE key >= 'floatingip/' || ?1 || '/' AND key < 'floatingip/' || ?1 || '0'
      UNION SELECT e.seq FROM floatingip AS f CROSS JOIN event AS e
        ON e.key >= 'floatingip/' || f.id || '/' AND e.key < 'floatingip/' || f.id || '0' WHERE f.server_id = ?1)
    WHERE +seq >= ?3 AND +seq < ?4 ORDER BY seq DESC LIMIT ?5`,
  ofKey: `SELECT seq FROM event WHERE key >= ?1 AND key < ?2 AND +seq >= ?3 AND +seq < ?4 LIMIT ?5`,
} as const;
