import type { Listed, ListedState, ListFilter } from "../model/operations.ts";
import type { Database } from "./sqlite.ts";
import { ORDER_HASH, SPANS } from "./sqlite_spans.ts";
import { listedState, OPEN, QUEUED } from "./sqlite_states.ts";

type Row = Readonly<Record<string, unknown>>;
type Value = string | number;

/** The newest entries that a filter lets through, newest first. Each form of it is answered by an index. */
export function listLedger(database: Database, filter: ListFilter): readonly Listed[] {
  if (filter.state === "rejected") return listRejected(database, filter);
  if (filter.state === "superseded") return listSuperseded(database, filter);
  const conditions = filter.state === undefined ? [[]] : (CONDITIONS[filter.state] ?? []).map((each) => [each]);
  const servers = serversNamed(database, filter.resource);
  const queries = conditions.map((condition) => deliveryQuery(filter, { condition, servers }));
  // In one statement: what one of two just missed, the other would not find any more.
  const sql = `${queries.map((query) => `SELECT * FROM (${query.sql})`).join(" UNION ALL ")} ORDER BY seq DESC LIMIT ?`;
  const values = [...queries.flatMap((query) => query.values), filter.limit];
  return database.prepare(sql).all(...values).map((row: Row) => {
    const state = listedState(String(row["state"]), Number(row["attempts"]));
    return {
      key: String(row["key"]),
      state,
      name: textOrNull(row["server_name"]),
      address: textOrNull(row["address"]),
      plugin: String(row["name"]),
      at: Number(row["decided_at"]),
      attempts: Number(row["attempts"]),
      dueAt: state === "waiting" || state === "retrying" ? Number(row["due_at"]) : null,
      reason: row["error"] === null || state === "done" ? null : String(row["error"]),
    };
  });
}

function deliveryQuery(
  { state, plugin, resource, since, limit }: ListFilter,
  { condition, servers }: { readonly condition: readonly string[]; readonly servers: NamedServers },
): { sql: string; values: Value[] } {
  const where = [...condition];
  const values: Value[] = [];
  const also = (condition: string, ...given: Value[]) => {
    where.push(condition);
    values.push(...given);
  };
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
  const sql = `SELECT d.seq, e.key, e.decided_at, d.state, d.attempts, d.due_at, p.name,
      coalesce(${FQDN}, json_extract(e.data, '$.server.hostname')) AS server_name,
      coalesce(json_extract(e.detail, '$.IP'), json_extract(e.data, '$.floatingIp.address'),
        json_extract(e.data, '$.server.addresses[0].address')) AS address,
      (SELECT error FROM failure AS f WHERE f.plugin = d.plugin AND f.seq = d.seq ORDER BY attempt DESC LIMIT 1) AS error
    FROM delivery AS d JOIN event AS e ON e.seq = d.seq JOIN plugin AS p ON p.id = d.plugin
    ${where.length > 0 ? `WHERE ${where.join(" AND ")}` : ""} ORDER BY d.seq DESC LIMIT ?`;
  return { sql, values: [...values, limit] };
}

/** Servers that memory has by a name or a fixed address. */
interface NamedServers {
  /** By hostname, name in the DNS, or address. */
  readonly ids: readonly string[];
  /** By the first label of a name with a domain: their events count if the detail has the whole name. */
  readonly byLabel: readonly string[];
}

/** More are not looked for. */
const MAX_NAMED = 1000;

/** SQL: the name of the server that an event's detail gives. */
const FQDN = "json_extract(e.detail, '$.FQDN')";

/** Walks through all servers that are remembered: LIKE passes over the others in a microsecond each, and compares ASCII without case. */
function serversNamed(database: Database, resource: string | undefined): NamedServers {
  if (resource === undefined) return { ids: [], byLabel: [] };
  const statement = database.prepare(
    `SELECT id FROM server WHERE (data LIKE ?1 ESCAPE '!' OR data LIKE ?2 ESCAPE '!' OR data LIKE ?3 ESCAPE '!')
      AND (lower(json_extract(data, '$.snapshot.hostname')) = lower(?4) OR lower(json_extract(data, '$.snapshot.dnsName')) = lower(?4)
        OR EXISTS (SELECT 1 FROM json_each(data, '$.snapshot.addresses') AS a WHERE lower(json_extract(a.value, '$.address')) = lower(?4)))
      LIMIT ${MAX_NAMED}`,
  );
  const found = (name: string) =>
    statement.all(...["hostname", "dnsName", "address"].map((key) => containing(key, name)), name).map(({ id }) =>
      String(id)
    );
  const label = /^([^.]+)\.[^.].*[^.\d]$/.exec(resource)?.[1];
  return { ids: found(resource), byLabel: label === undefined ? [] : found(label) };
}

/** A pattern for LIKE: the JSON of an object with this key and text. */
function containing(key: string, text: string): string {
  const json = `${JSON.stringify(key)}:${JSON.stringify(text)}`;
  return `%${json.replace(/[!%_]/g, "!$&")}%`;
}

function ofResource(resource: string, { ids, byLabel }: NamedServers): { sql: string; values: Value[] } {
  const keys = [`server/${resource}`, `floating/${resource}`, ...ids.map((id) => `server/${id}`)];
  const ranges = [`floatingip/${resource}/`, `floatingip/${resource}0`];
  const whole = `e.seq IN (${withOrderKeys(keys.length)} UNION ALL SELECT seq FROM event WHERE key >= ? AND key < ?)`;
  if (byLabel.length === 0) return { sql: whole, values: [...keys, ...ranges] };
  const named = `(e.seq IN (${withOrderKeys(byLabel.length)}) AND lower(${FQDN}) = lower(?))`;
  return {
    sql: `(${whole} OR ${named})`,
    values: [...keys, ...ranges, ...byLabel.map((id) => `server/${id}`), resource],
  };
}

/** SQL: the events that have one of so many order keys. */
function withOrderKeys(count: number): string {
  return `SELECT o.seq FROM (${SPANS}) AS s CROSS JOIN event_order AS o
    ON o.span = s.span AND o.order_key IN (${Array(count).fill(ORDER_HASH).join(", ")})`;
}

/** SQL: what is in a state, in one or several parts, each of which is answered by an index of its own. */
const CONDITIONS: Readonly<Partial<Record<ListedState, readonly string[]>>> = {
  waiting: [`${OPEN} AND d.attempts = 0`, QUEUED],
  retrying: [`${OPEN} AND d.attempts > 0`],
  done: ["d.state = 'done'"],
  dead: ["d.state = 'dead'"],
  dropped: ["d.state = 'dropped'"],
};

function listSuperseded(database: Database, { resource, since = 0, limit }: ListFilter): readonly Listed[] {
  const rows = database.prepare(
    `SELECT event_type || ' ' || message_id AS key, received_at, reason FROM notification
      WHERE outcome = 'superseded' AND received_at >= ? AND (? IS NULL OR instr(body, ?) > 0) ORDER BY seq DESC LIMIT ?`,
  ).all(since, resource ?? null, resource ?? null, limit);
  return rows.map((row) =>
    undelivered("superseded", { key: row["key"], at: row["received_at"], reason: row["reason"] })
  );
}

function listRejected(database: Database, { since = 0, limit }: ListFilter): readonly Listed[] {
  const rows = database.prepare(
    `SELECT routing_key, received_at, reason || ' (' || size || ' bytes, sha256 ' || substr(sha256, 1, 12) || '…)' AS reason
      FROM rejection WHERE received_at >= ? ORDER BY seq DESC LIMIT ?`,
  ).all(since, limit);
  return rows.map((row) =>
    undelivered("rejected", { key: row["routing_key"], at: row["received_at"], reason: row["reason"] })
  );
}

function undelivered(
  state: ListedState,
  { key, at, reason }: Readonly<Record<"key" | "at" | "reason", unknown>>,
): Listed {
  return {
    ...{ key: String(key), state, name: null, address: null, plugin: null },
    ...{ at: Number(at), attempts: 0, dueAt: null, reason: String(reason) },
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
