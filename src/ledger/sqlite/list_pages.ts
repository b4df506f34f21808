import type { Listed, ListedState, ListFilter } from "../../model/operations.ts";
import type { Database } from "./database.ts";
import { FQDN, type NamedServers, NO_SERVERS, ofResource, serversNamed } from "./resource_filter.ts";
import { listedState, OPEN, QUEUED } from "./delivery_states.ts";

type Row = Readonly<Record<string, unknown>>;
type Value = string | number;

/**
 * Rows of one page. Each page is one statement: a reader that pauses between two pages does not
 * stop the write-ahead log from being checkpointed.
 */
const PAGE = 1000;

/** The last row of the previous page; the next page is older. */
interface Cursor {
  readonly seq: number;
  readonly plugin: number;
}

/**
 * Lists the entries that pass a filter, newest first, a page at a time. Indexes answer every
 * filter.
 */
export function* listPages(database: Database, filter: ListFilter): Generator<readonly Listed[]> {
  const pageOf = PAGES[filter.state ?? ""] ?? listDeliveries;
  const servers = filter.resource === undefined ? NO_SERVERS : serversNamed(database, filter.resource);
  let before: Cursor = { seq: Number.MAX_SAFE_INTEGER, plugin: 0 };
  for (let left = filter.limit; left > 0;) {
    const limit = Math.min(left, PAGE);
    const rows = pageOf(database, { ...filter, servers, limit, before });
    yield rows.map(({ listed }) => listed);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    before = last;
    left -= limit;
  }
}

interface PageQuery extends ListFilter {
  /** The servers that `resource` names. */
  readonly servers: NamedServers;
  readonly before: Cursor;
}

type PageRow = Cursor & { readonly listed: Listed };

const PAGES: Readonly<Record<string, (database: Database, query: PageQuery) => readonly PageRow[]>> = {
  rejected: listRejected,
  superseded: listSuperseded,
};

function listDeliveries(database: Database, filter: PageQuery): readonly PageRow[] {
  const conditions = filter.state === undefined ? [[]] : (CONDITIONS[filter.state] ?? []).map((each) => [each]);
  const queries = conditions.map((condition) => deliveryQuery(filter, condition));
  // One statement: a delivery that changes state between two statements would be in neither.
  const sql = `${
    queries.map((query) => `SELECT * FROM (${query.sql})`).join(" UNION ALL ")
  } ORDER BY seq DESC, plugin DESC LIMIT ?`;
  const values = [...queries.flatMap((query) => query.values), filter.limit];
  return database.prepare(sql).all(...values).map((row: Row) => {
    const state = listedState(String(row["state"]), Number(row["attempts"]));
    const isOpen = state === "waiting" || state === "retrying";
    return {
      seq: Number(row["seq"]),
      plugin: Number(row["plugin"]),
      listed: {
        key: String(row["key"]),
        state,
        name: textOrNull(row["server_name"]),
        address: textOrNull(row["address"]),
        origin: row["origin"] === "reconcile" ? "reconcile" : "bus",
        plugin: String(row["name"]),
        at: Number(row["decided_at"]),
        attempts: Number(row["attempts"]),
        dueAt: isOpen ? Number(row["due_at"]) : null,
        reason: row["error"] === null || state === "done" || state === "skipped" ? null : String(row["error"]),
        ...(isOpen && row["paused_at"] !== null ? { isPaused: true } : {}),
      },
    };
  });
}

function deliveryQuery(
  { state, plugin, resource, servers, since, limit, before }: PageQuery,
  condition: readonly string[],
): { sql: string; values: Value[] } {
  const where = [...condition];
  const values: Value[] = [];
  const also = (condition: string, ...given: Value[]) => {
    where.push(condition);
    values.push(...given);
  };
  also("(d.seq, d.plugin) < (?, ?)", before.seq, before.plugin);
  // Few deliveries are in most states: an index on the state finds them ("+" keeps SQLite from
  // another one). Otherwise the walk goes back from the newest, past the deliveries of other
  // plugins.
  const byState = state !== undefined && state !== "done" && state !== "skipped";
  if (plugin !== undefined) also(`${byState ? "+" : ""}d.plugin = (SELECT id FROM plugin WHERE name = ?)`, plugin);
  if (since !== undefined) {
    also("e.decided_at >= ?", since);
    // Ends the walk: without it, a short time would cost a walk through the whole ledger.
    also("d.seq >= (SELECT seq FROM event WHERE decided_at >= ? ORDER BY decided_at LIMIT 1)", since);
  }
  if (resource !== undefined) {
    const { sql, values: given } = ofResource(resource, servers);
    also(sql, ...given);
  }
  const sql = `SELECT d.seq, d.plugin, e.key, e.decided_at, d.state, d.attempts, d.due_at, p.name, p.paused_at,
      coalesce(${FQDN}, json_extract(e.data, '$.server.hostname')) AS server_name,
      coalesce(json_extract(e.detail, '$.IP'), json_extract(e.data, '$.floatingIp.address'),
        json_extract(e.data, '$.server.addresses[0].address')) AS address,
      json_extract(e.data, '$.origin') AS origin,
      (SELECT error FROM failure AS f WHERE f.plugin = d.plugin AND f.seq = d.seq ORDER BY attempt DESC LIMIT 1) AS error
    FROM delivery AS d JOIN event AS e ON e.seq = d.seq JOIN plugin AS p ON p.id = d.plugin
    WHERE ${where.join(" AND ")} ORDER BY d.seq DESC, d.plugin DESC LIMIT ?`;
  return { sql, values: [...values, limit] };
}

/** SQL: the conditions of each state. Several are united: an index of its own answers each. */
export const CONDITIONS: Readonly<Partial<Record<ListedState, readonly string[]>>> = {
  waiting: [`${OPEN} AND d.attempts = 0`, QUEUED],
  retrying: [`${OPEN} AND d.attempts > 0`],
  done: ["d.state = 'done' AND d.attempts > 0"],
  skipped: ["d.state = 'done' AND d.attempts = 0"],
  dead: ["d.state = 'dead'"],
  dropped: ["d.state = 'dropped'"],
};

function listSuperseded(
  database: Database,
  { resource, since = 0, limit, before }: PageQuery,
): readonly PageRow[] {
  const rows = database.prepare(
    `SELECT seq, event_type || ' ' || message_id AS key, received_at, reason FROM notification
      WHERE outcome = 'superseded' AND seq < ? AND received_at >= ? AND (? IS NULL OR instr(body, ?) > 0)
      ORDER BY seq DESC LIMIT ?`,
  ).all(before.seq, since, resource ?? null, resource ?? null, limit);
  return rows.map((row) => undelivered("superseded", row));
}

function listRejected(database: Database, { since = 0, limit, before }: PageQuery): readonly PageRow[] {
  const rows = database.prepare(
    `SELECT seq, routing_key AS key, received_at, reason || ' (' || size || ' bytes, sha256 ' || substr(sha256, 1, 12) || '…)' AS reason
      FROM rejection WHERE seq < ? AND received_at >= ? ORDER BY seq DESC LIMIT ?`,
  ).all(before.seq, since, limit);
  return rows.map((row) => undelivered("rejected", row));
}

function undelivered(state: ListedState, { seq, key, received_at: at, reason }: Row): PageRow {
  return {
    seq: Number(seq),
    plugin: 0,
    listed: {
      key: String(key),
      state,
      name: null,
      address: null,
      origin: "bus",
      plugin: null,
      at: Number(at),
      attempts: 0,
      dueAt: null,
      reason: String(reason),
    },
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
