import type { SearchQuery } from "../../model/event_search.ts";
import type { ListedState } from "../../model/listed.ts";
import type { OrderHash } from "../order_hash.ts";
import type { SearchRow } from "../search/search_row.ts";
import type { EventsQuery, RowQuery, SearchSource } from "../search/search_walk.ts";
import type { TextQuery } from "../search/text_query.ts";
import type { Queries, Row } from "./client.ts";
import { original, plain } from "./columns.ts";
import { DELIVERIES, listedState } from "./delivery_states.ts";
import { readOrderHash } from "./order_seed.ts";
import { partitionsFrom } from "./partitions.ts";
import { PARTITION_EVENTS } from "./schema.ts";
import { Values } from "./values.ts";

/** More events whose keys begin with a text are looked for in slices. */
const MAX_KEYS = 2000;

/** What a search reads from a ledger on PostgreSQL. */
export class PostgresSearchSource implements SearchSource {
  readonly #queries: Queries;
  #orderHash: OrderHash | null = null;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async bounds({ since, until }: Pick<SearchQuery, "since" | "until">): Promise<{ from: number; to: number }> {
    const [from, to] = [
      since === undefined ? 0 : await this.#number(SINCE, since) ?? Number.MAX_SAFE_INTEGER,
      until === undefined ? Number.MAX_SAFE_INTEGER - 1 : await this.#number(UNTIL, until) ?? -1,
    ];
    return { from, to };
  }

  newestBelow(seq: number): Promise<number | null> {
    return this.#number("SELECT max(seq) AS number FROM event WHERE seq < $1", seq);
  }

  async candidates(
    text: Exclude<TextQuery, { readonly by: "content" }>,
    { from, below, limit }: { readonly from: number; readonly below: number; readonly limit: number },
  ): Promise<readonly number[] | null> {
    if (text.by === "id") {
      const orderHash = this.#orderHash ??= await readOrderHash(this.#queries);
      const [id, hash] = [plain(text.id), orderHash(`server/${text.id}`)];
      const rows = await this.#queries.rows(OF_ID, [id, hash, from, below, limit]);
      return rows.map(({ seq }) => Number(seq));
    }
    const seqs = new Set<number>();
    for (const prefix of text.prefixes) {
      const range = [plain(prefix), `${plain(prefix)}\u{10ffff}`];
      const rows = await this.#queries.rows(OF_KEY, [...range, from, below, MAX_KEYS + 1]);
      if (rows.length > MAX_KEYS) return null;
      for (const { seq } of rows) seqs.add(Number(seq));
    }
    return [...seqs].sort((one, other) => other - one).slice(0, limit);
  }

  async eventsWith({ from, below, limit, ...words }: EventsQuery): Promise<readonly number[]> {
    const values = new Values();
    const range = `e.seq >= ${values.number(from)} AND e.seq < ${values.number(below)}`;
    const where = [range, ...eventConditions(words, values)].join(" AND ");
    const sql = `SELECT e.seq FROM event AS e WHERE ${where} ORDER BY e.seq DESC LIMIT ${limit}`;
    return (await this.#queries.rows(sql, values.all)).map(({ seq }) => Number(seq));
  }

  async rows(query: RowQuery): Promise<readonly SearchRow[]> {
    const { state, plugin } = query.filter;
    const number = plugin === undefined ? null : await this.#number(PLUGIN, plain(plugin)) ?? 0;
    const values = new Values();
    const sources = state === undefined ? [ALL] : SOURCES[state] ?? [];
    const order = `ORDER BY seq DESC, plugin DESC LIMIT ${query.limit}`;
    const parts = sources.map((source) => `(${partOf(query, { source, values, number })} ${order})`);
    // One statement: a delivery that changes state between two statements would be in neither.
    const sql = `WITH picked AS MATERIALIZED (SELECT * FROM (${parts.join(" UNION ALL ")}) AS u ${order})
      SELECT k.*, e.key, e.decided_at, e.data, e.detail, p.name, p.paused_at,
        (SELECT f.error FROM failure AS f WHERE f.seq = k.seq AND f.plugin = k.plugin ORDER BY f.attempt DESC LIMIT 1) AS error
      FROM picked AS k JOIN event AS e ON e.seq = k.seq JOIN plugin AS p ON p.id = k.plugin
      ORDER BY k.seq DESC, k.plugin DESC`;
    return (await this.#queries.rows(sql, values.all)).map(rowOf);
  }

  decidedAt(from: number): Promise<number | null> {
    return this.#number("SELECT decided_at AS number FROM event WHERE seq >= $1 ORDER BY seq LIMIT 1", from);
  }

  async #number(sql: string, parameter: string | number): Promise<number | null> {
    const [row] = await this.#queries.rows(sql, [parameter]);
    return row === undefined || row["number"] === null ? null : Number(row["number"]);
  }
}

/** Where deliveries of a state are. */
interface Source {
  /** SQL: events `e` and deliveries `d`. */
  readonly from: string;
  /** SQL: the number of the plugin. */
  readonly plugin: string;
  readonly where: string;
}

const ALL: Source = { from: DELIVERIES, plugin: "w.plugin", where: "true" };

/** Never attempted. None is older than where its plugin's queue begins. */
const WITHOUT_ROW: Source = {
  from: DELIVERIES,
  plugin: "w.plugin",
  where: "d.seq IS NULL AND e.seq >= (SELECT min(queued_from) FROM plugin)",
};

function withRow(where: string): Source {
  return { from: "delivery AS d JOIN event AS e ON e.seq = d.seq", plugin: "d.plugin", where };
}

const SOURCES: Readonly<Partial<Record<ListedState, readonly Source[]>>> = {
  waiting: [withRow("d.state = 'open' AND d.attempts = 0"), WITHOUT_ROW],
  retrying: [withRow("d.state = 'open' AND d.attempts > 0")],
  done: [withRow("d.state = 'done' AND d.attempts > 0")],
  skipped: [withRow("d.state = 'done' AND d.attempts = 0")],
  dead: [withRow("d.state = 'dead'")],
  dropped: [withRow("d.state = 'dropped'")],
};

/** SQL of the rows in one of the states of a query. */
function partOf(
  { from, before, filter, text, events }: RowQuery,
  { source, values, number }: {
    readonly source: Source;
    readonly values: Values;
    /** Of the plugin; `null`: all. */
    readonly number: number | null;
  },
): string {
  const { since, until, kind, subject } = filter;
  const words = { ...kind === undefined ? {} : { kind }, ...subject === undefined ? {} : { subject }, text };
  const [first, last, seq, plugin] = [from, before.seq, before.seq, before.plugin].map((each) => values.number(each));
  const own = source.plugin === "d.plugin" ? "d.seq" : "e.seq";
  const where = [
    source.where,
    `${own} >= ${first} AND ${own} <= ${last} AND (${own}, ${source.plugin}) < (${seq}, ${plugin})`,
    ...number === null ? [] : [`${source.plugin} = ${number} AND ${number} = ANY(e.plugins)`],
    ...events === undefined ? [] : [`${own} = ANY(${values.numbers(events)})`],
    ...since === undefined ? [] : [`e.decided_at + 0 >= ${values.number(since)}`],
    ...until === undefined ? [] : [`e.decided_at + 0 < ${values.number(until)}`],
    ...events === undefined ? eventConditions(words, values) : [],
  ];
  return `SELECT e.seq, ${source.plugin} AS plugin, d.state, d.attempts, coalesce(d.due_at, e.decided_at) AS due_at,
    d.finished_at FROM ${source.from} WHERE ${where.join(" AND ")}`;
}

/** SQL: what events `e` must say. What is found is looked at again: JSON may have it elsewhere. */
function eventConditions(
  { kind, subject, text }: Pick<EventsQuery, "kind" | "subject" | "text">,
  values: Values,
): readonly string[] {
  return [
    // Keys say it, and are shorter than what else an event has.
    ...kind === undefined ? [] : [`position('/${kind}' IN e.key) > 0`],
    ...subject === undefined ? [] : [`position('${subject}/' IN e.key) = 1`],
    ...text === null ? [] : [textCondition(text, values)],
  ];
}

function textCondition(text: TextQuery, values: Values): string {
  if (text.by === "content") {
    return `position(${values.text(text.pattern)} IN lower(coalesce(e.detail, e.data) COLLATE "C")) > 0`;
  }
  if (text.by === "id") return "true";
  const ranges = text.prefixes.map((prefix) =>
    `(e.key || '' >= ${values.text(plain(prefix))} AND e.key || '' < ${values.text(`${plain(prefix)}\u{10ffff}`)})`
  );
  return `(${ranges.join(" OR ")})`;
}

function rowOf(row: Row): SearchRow {
  return {
    seq: Number(row["seq"]),
    plugin: Number(row["plugin"]),
    name: original(row["name"] as string),
    state: listedState(row["state"], row["attempts"]),
    attempts: Number(row["attempts"] ?? 0),
    dueAt: Number(row["due_at"]),
    finishedAt: row["finished_at"] === null ? null : Number(row["finished_at"]),
    isPaused: row["paused_at"] !== null,
    key: original(row["key"] as string),
    decidedAt: Number(row["decided_at"]),
    data: row["data"] as string,
    detail: row["detail"] as string | null,
    error: row["error"] === null ? null : original(row["error"] as string),
  };
}

const PLUGIN = "SELECT id AS number FROM plugin WHERE name = $1";

/** A clock that was set back a little makes no difference. */
const NEAR = 1000;

const SINCE = `SELECT min(seq) AS number FROM (
  SELECT seq FROM event WHERE decided_at >= $1 ORDER BY decided_at, seq LIMIT ${NEAR}) AS e`;

const UNTIL = `SELECT max(seq) AS number FROM (
  SELECT seq FROM event WHERE decided_at < $1 ORDER BY decided_at DESC, seq DESC LIMIT ${NEAR}) AS e`;

/**
 * Events of a floating IP at most. Without a limit, the planner expects a ninth of all events, and
 * compiles the statement, which takes longer than running it.
 */
const MAX_OF_FLOATING_IP = 1000;

/** Order keys of old events are pruned: their own keys find these. */
const OF_ID = `SELECT seq FROM (
    SELECT o.seq FROM (${partitionsFrom("$3::bigint")}) AS s JOIN event_order AS o
      ON s.span <= $4::bigint / ${PARTITION_EVENTS} AND o.span = s.span AND o.order_key = $2::bigint
    UNION SELECT seq FROM event WHERE key >= 'server/' || $1::text || '/' AND key < 'server/' || $1::text || '0'
    UNION SELECT seq FROM event WHERE key >= 'floatingip/' || $1::text || '/' AND key < 'floatingip/' || $1::text || '0'
    UNION SELECT e.seq FROM floatingip AS f CROSS JOIN LATERAL (
      SELECT seq FROM event WHERE key >= 'floatingip/' || f.id || '/' AND key < 'floatingip/' || f.id || '0'
        ORDER BY key LIMIT ${MAX_OF_FLOATING_IP}) AS e
      WHERE f.server_id = $1::text) AS found
  WHERE seq >= $3::bigint AND seq < $4::bigint ORDER BY seq DESC LIMIT $5::integer`;

const OF_KEY = `SELECT seq FROM event WHERE key >= $1 AND key < $2 AND seq >= $3 AND seq < $4 LIMIT $5`;
