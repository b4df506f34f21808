import type { Detail } from "../../model/detail.ts";
import type { WatcherEvent } from "../../model/event.ts";
import type { Listed, ListedState, ListFilter } from "../../model/operations.ts";
import type { OrderHash } from "../order_hash.ts";
import type { Queries, Row } from "./client.ts";
import { original, plain } from "./columns.ts";
import { DELIVERIES, listedState } from "./delivery_states.ts";
import { ResourceFilter, serversNamed } from "./resource_filter.ts";
import { Values } from "./values.ts";

/** Rows of one page, each of which is one statement. */
const PAGE = 500;

/** The last row of the previous page; the next page is older. */
interface Cursor {
  readonly seq: number;
  readonly plugin: number;
}

interface PageQuery extends Omit<ListFilter, "resource"> {
  readonly resource: string | undefined;
  readonly events: ResourceFilter | null;
  readonly queue: Queue;
  readonly before: Cursor;
}

/** Whose deliveries are listed. */
interface Queue {
  /** `null`: all plugins'. */
  readonly plugin: number | null;
  /** No delivery before this event waits without a row. */
  readonly from: number;
}

type PageRow = Cursor & { readonly listed: Listed };

/**
 * Lists the entries that pass a filter, newest first, a page at a time. Indexes answer every
 * filter.
 */
export async function* listPages(
  queries: Queries,
  { resource, ...filter }: ListFilter,
  orderHash: OrderHash,
): AsyncGenerator<readonly Listed[]> {
  const pageOf = PAGES[filter.state ?? ""] ?? listDeliveries;
  const isOfEvents = pageOf === listDeliveries && resource !== undefined;
  const events = isOfEvents
    ? new ResourceFilter(resource, { servers: await serversNamed(queries, resource), orderHash })
    : null;
  const queue = await queueOf(queries, filter.plugin);
  let before: Cursor = { seq: Number.MAX_SAFE_INTEGER, plugin: 0 };
  for (let left = filter.limit; left > 0;) {
    const limit = Math.min(left, PAGE);
    const rows = await pageOf(queries, { ...filter, resource, events, queue, limit, before });
    yield rows.map(({ listed }) => listed);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    before = last;
    left -= limit;
  }
}

const PAGES: Readonly<Record<string, (queries: Queries, query: PageQuery) => Promise<readonly PageRow[]>>> = {
  rejected: listRejected,
  superseded: listSuperseded,
};

/** Read beforehand: PostgreSQL plans well with known numbers. */
async function queueOf(queries: Queries, name: string | undefined): Promise<Queue> {
  const [row] = await queries.rows(QUEUE, [name === undefined ? null : plain(name)]);
  const plugin = name === undefined ? null : Number(row?.["plugin"] ?? UNKNOWN);
  return { plugin, from: Number(row?.["queued_from"] ?? 0) };
}

/** The number of a plugin that is not known: no row has it. */
const UNKNOWN = 0;

const QUEUE = `SELECT min(id) AS plugin, min(queued_from) AS queued_from FROM plugin
  WHERE $1::text IS NULL OR name = $1`;

async function listDeliveries(queries: Queries, filter: PageQuery): Promise<readonly PageRow[]> {
  const values = new Values();
  const sources = filter.state === undefined ? [ALL] : SOURCES[filter.state] ?? [];
  const common = commonConditions(filter, values);
  const limit = `ORDER BY seq DESC, plugin DESC LIMIT ${filter.limit}`;
  const parts = sources.map(({ from, plugin, where, isQueued }) => {
    const conditions = [...common, `(e.seq, ${plugin}) < (${before(filter, values)})`, ...where];
    const { plugin: number, from: start } = filter.queue;
    if (number !== null) conditions.push(`${plugin} = ${number}`, `${number} = ANY(e.plugins)`);
    if (isQueued) conditions.push(`e.seq >= ${start}`);
    return `(SELECT e.seq, ${plugin} AS plugin, d.state, d.attempts, coalesce(d.due_at, e.decided_at) AS due_at
      FROM ${from} WHERE ${conditions.join(" AND ")} ${limit})`;
  });
  const found = filter.events === null ? "" : `found AS MATERIALIZED (${filter.events.candidates(values)}),`;
  // One statement: a delivery that changes state between two statements would be in neither.
  const sql = `WITH ${found} picked AS (SELECT * FROM (${parts.join(" UNION ALL ")}) AS u ${limit})
    SELECT k.*, e.key, e.decided_at, e.data, e.detail, p.name, p.paused_at,
      (SELECT f.error FROM failure AS f WHERE f.seq = k.seq AND f.plugin = k.plugin ORDER BY f.attempt DESC LIMIT 1) AS error
    FROM picked AS k JOIN event AS e ON e.seq = k.seq JOIN plugin AS p ON p.id = k.plugin
    ORDER BY k.seq DESC, k.plugin DESC`;
  return (await queries.rows(sql, values.all)).map(deliveryOf);
}

/** SQL: what each state has in common. */
function commonConditions({ since, before, events }: PageQuery, values: Values): string[] {
  const conditions: string[] = [];
  // An index knows it, beside the pair of columns.
  conditions.push(`e.seq <= ${values.number(before.seq)}`);
  if (since !== undefined) {
    const at = values.number(since);
    // The second ends the walk: without it, a short time would cost a walk through all events.
    conditions.push(`e.decided_at >= ${at}`);
    conditions.push(`e.seq >= (SELECT seq FROM event WHERE decided_at >= ${at} ORDER BY decided_at, seq LIMIT 1)`);
  }
  if (events !== null) conditions.push("e.seq IN (SELECT seq FROM found)", events.condition(values));
  return conditions;
}

function before({ before: { seq, plugin } }: PageQuery, values: Values): string {
  return `${values.number(seq)}, ${values.number(plugin)}`;
}

/** Where deliveries of a state are. */
interface Source {
  /** SQL: events `e` and deliveries `d`. */
  readonly from: string;
  /** SQL: the number of the plugin. */
  readonly plugin: string;
  readonly where: readonly string[];
  /** Whether they are in the queues. @default false */
  readonly isQueued?: boolean;
}

const ALL: Source = { from: DELIVERIES, plugin: "w.plugin", where: [] };

/** Never attempted. */
const WITHOUT_ROW: Source = { from: DELIVERIES, plugin: "w.plugin", where: ["d.seq IS NULL"], isQueued: true };

function withRow(...where: readonly string[]): Source {
  return { from: "delivery AS d JOIN event AS e ON e.seq = d.seq", plugin: "d.plugin", where };
}

const SOURCES: Readonly<Partial<Record<ListedState, readonly Source[]>>> = {
  waiting: [withRow("d.state = 'open'", "d.attempts = 0"), WITHOUT_ROW],
  retrying: [withRow("d.state = 'open'", "d.attempts > 0")],
  done: [withRow("d.state = 'done'", "d.attempts > 0")],
  skipped: [withRow("d.state = 'done'", "d.attempts = 0")],
  dead: [withRow("d.state = 'dead'")],
  dropped: [withRow("d.state = 'dropped'")],
};

function deliveryOf(row: Row): PageRow {
  const state = listedState(row["state"], row["attempts"]);
  const isOpen = state === "waiting" || state === "retrying";
  const event: Partial<WatcherEvent> = JSON.parse(row["data"] as string);
  const detail: Detail | null = row["detail"] === null ? null : JSON.parse(row["detail"] as string);
  const error = row["error"] === null ? null : original(row["error"] as string);
  return {
    seq: Number(row["seq"]),
    plugin: Number(row["plugin"]),
    listed: {
      key: original(row["key"] as string),
      state,
      name: detail?.FQDN ?? event.server?.hostname ?? null,
      address: detail?.IP ?? event.floatingIp?.address ?? event.server?.addresses[0]?.address ?? null,
      origin: event.origin === "reconcile" ? "reconcile" : "bus",
      plugin: original(row["name"] as string),
      at: Number(row["decided_at"]),
      attempts: Number(row["attempts"] ?? 0),
      dueAt: isOpen ? Number(row["due_at"]) : null,
      reason: state === "done" || state === "skipped" ? null : error,
      ...(isOpen && row["paused_at"] !== null ? { isPaused: true } : {}),
    },
  };
}

async function listSuperseded(
  queries: Queries,
  { resource, since = 0, limit, before }: PageQuery,
): Promise<readonly PageRow[]> {
  // As JSON has it in its strings.
  const named = resource === undefined ? null : JSON.stringify(resource).slice(1, -1);
  const rows = await queries.rows(SUPERSEDED, [before.seq, since, named, limit]);
  return rows.map(({ event_type, message_id, reason, ...row }) =>
    undelivered("superseded", row, {
      key: `${original(event_type as string)} ${original(message_id as string)}`,
      reason: original(reason as string),
    })
  );
}

async function listRejected(
  queries: Queries,
  { since = 0, limit, before }: PageQuery,
): Promise<readonly PageRow[]> {
  const rows = await queries.rows(REJECTED, [before.seq, since, limit]);
  return rows.map(({ routing_key, reason, size, sha256, ...row }) => {
    const told = `${original(reason as string)} (${size} bytes, sha256 ${(sha256 as string).slice(0, 12)}…)`;
    return undelivered("rejected", row, { key: original(routing_key as string), reason: told });
  });
}

function undelivered(state: ListedState, row: Row, { key, reason }: Pick<Listed, "key" | "reason">): PageRow {
  const none = { name: null, address: null, origin: "bus", plugin: null, attempts: 0, dueAt: null } as const;
  const at = Number(row["received_at"]);
  return { seq: Number(row["seq"]), plugin: 0, listed: { ...none, key, state, at, reason } };
}

const SUPERSEDED = `SELECT seq, event_type, message_id, received_at, reason FROM notification
  WHERE outcome = 'superseded' AND seq < $1 AND received_at >= $2 AND ($3::text IS NULL OR position($3 IN body) > 0)
  ORDER BY seq DESC LIMIT $4`;

const REJECTED = `SELECT seq, routing_key, received_at, reason, size, sha256 FROM rejection
  WHERE seq < $1 AND received_at >= $2 ORDER BY seq DESC LIMIT $3`;
