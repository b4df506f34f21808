import type { Listed, ListedState, ListFilter } from "../../model/operations.ts";
import type { Database } from "./database.ts";
import { FQDN, type NamedServers, NO_SERVERS, ofResource, serversNamed } from "./resource.ts";
import { listedState, OPEN, QUEUED } from "./states.ts";

type Row = Readonly<Record<string, unknown>>;
type Value = string | number;

/** Rows that are read at once. Each page is one statement, so that a reader who stops keeps no part of the write-ahead log. */
const PAGE = 1000;

/** The last row of the page before: what comes next is older. */
interface Cursor {
  readonly seq: number;
  readonly plugin: number;
}

/** The newest entries that a filter lets through, newest first, a page at a time. Each form of it is answered by an index. */
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
  /** Those that `resource` names. */
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
  // In one statement: what one of two just missed, the other would not find any more.
  const sql = `${
    queries.map((query) => `SELECT * FROM (${query.sql})`).join(" UNION ALL ")
  } ORDER BY seq DESC, plugin DESC LIMIT ?`;
  const values = [...queries.flatMap((query) => query.values), filter.limit];
  return database.prepare(sql).all(...values).map((row: Row) => {
    const state = listedState(String(row["state"]), Number(row["attempts"]));
    return {
      seq: Number(row["seq"]),
      plugin: Number(row["plugin"]),
      listed: {
        key: String(row["key"]),
        state,
        name: textOrNull(row["server_name"]),
        address: textOrNull(row["address"]),
        plugin: String(row["name"]),
        at: Number(row["decided_at"]),
        attempts: Number(row["attempts"]),
        dueAt: state === "waiting" || state === "retrying" ? Number(row["due_at"]) : null,
        reason: row["error"] === null || state === "done" ? null : String(row["error"]),
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
  // The few deliveries in a state are found by it; else the walk goes back from the newest, past those of other plugins.
  const byState = state !== undefined && state !== "done";
  if (plugin !== undefined) also(`${byState ? "+" : ""}d.plugin = (SELECT id FROM plugin WHERE name = ?)`, plugin);
  if (since !== undefined) {
    also("e.decided_at >= ?", since);
    // Where to stop walking back: without it a short time would cost a walk through the whole ledger.
    also("d.seq >= (SELECT seq FROM event WHERE decided_at >= ? ORDER BY decided_at LIMIT 1)", since);
  }
  if (resource !== undefined) {
    const { sql, values: given } = ofResource(resource, servers);
    also(sql, ...given);
  }
  const sql = `SELECT d.seq, d.plugin, e.key, e.decided_at, d.state, d.attempts, d.due_at, p.name,
      coalesce(${FQDN}, json_extract(e.data, '$.server.hostname')) AS server_name,
      coalesce(json_extract(e.detail, '$.IP'), json_extract(e.data, '$.floatingIp.address'),
        json_extract(e.data, '$.server.addresses[0].address')) AS address,
      (SELECT error FROM failure AS f WHERE f.plugin = d.plugin AND f.seq = d.seq ORDER BY attempt DESC LIMIT 1) AS error
    FROM delivery AS d JOIN event AS e ON e.seq = d.seq JOIN plugin AS p ON p.id = d.plugin
    WHERE ${where.join(" AND ")} ORDER BY d.seq DESC, d.plugin DESC LIMIT ?`;
  return { sql, values: [...values, limit] };
}

/** SQL: what is in a state, in one or several parts, each of which is answered by an index of its own. */
const CONDITIONS: Readonly<Partial<Record<ListedState, readonly string[]>>> = {
  waiting: [`${OPEN} AND d.attempts = 0`, QUEUED],
  retrying: [`${OPEN} AND d.attempts > 0`],
  done: ["d.state = 'done'"],
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
