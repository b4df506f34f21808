import type { ShownAttempt, ShownDelivery, ShownEvent } from "../../model/operations.ts";
import { storedEvent } from "../recent_events.ts";
import type { Queries, Row } from "./client.ts";
import { original, plain } from "./columns.ts";
import { DELIVERIES, listedState, UNFINISHED } from "./delivery_states.ts";
import { partitionsFrom } from "./partitions.ts";
import { pauseStateOf } from "./pauses.ts";
import { ToldDetails } from "./told.ts";

/** Reads everything about one event. */
export async function showEvent(queries: Queries, key: string): Promise<ShownEvent | undefined> {
  const [row] = await queries.rows(EVENT, [plain(key)]);
  if (row === undefined) return undefined;
  const [body, detail] = [row["body"] as string | null, row["detail"] as string | null];
  return {
    event: storedEvent(row["data"]),
    decidedAt: Number(row["decided_at"]),
    notification: body === null ? null : JSON.parse(body),
    detail: detail === null ? null : JSON.parse(detail),
    deliveries: await shownDeliveries(queries, row),
  };
}

async function shownDeliveries(queries: Queries, event: Row): Promise<readonly ShownDelivery[]> {
  const seq = Number(event["seq"]);
  const [rows, failures] = [await queries.rows(OF_EVENT, [seq]), await queries.rows(FAILURES, [seq])];
  const shown: ShownDelivery[] = [];
  for (const row of rows) {
    const own = failures.filter(({ plugin }) => plugin === row["plugin"]);
    shown.push(await shownDelivery(queries, { row, event, failures: own.map(attemptOf) }));
  }
  return shown;
}

async function shownDelivery(queries: Queries, { row, event: stored, failures }: {
  readonly row: Row;
  readonly event: Row;
  readonly failures: readonly ShownAttempt[];
}): Promise<ShownDelivery> {
  const [seq, plugin, event] = [Number(stored["seq"]), Number(row["plugin"]), storedEvent(stored["data"])];
  const state = listedState(row["state"], row["attempts"]);
  const isOpen = state === "waiting" || state === "retrying";
  const paused = isOpen ? pauseStateOf(row).paused : null;
  const told = new ToldDetails(queries);
  const waitsFor = isOpen ? await queries.rows(WAITS_FOR, [plugin, seq]) : [];
  return {
    plugin: original(row["name"] as string),
    state,
    attempts: Number(row["attempts"] ?? 0),
    dueAt: isOpen ? Number(row["due_at"]) : null,
    finishedAt: row["finished_at"] === null ? null : Number(row["finished_at"]),
    ...(event.updates === undefined ? {} : { before: await told.before(plugin, { ...event, seq }) }),
    failures,
    waitsFor: waitsFor.map((earlier) => original(earlier["key"] as string)),
    ...(paused === null ? {} : { paused }),
  };
}

function attemptOf(row: Row): ShownAttempt {
  return {
    attempt: Number(row["attempt"]),
    startedAt: Number(row["started_at"]),
    endedAt: Number(row["ended_at"]),
    reason: row["reason"] as ShownAttempt["reason"],
    error: original(row["error"] as string),
  };
}

const EVENT = `SELECT e.seq, e.decided_at, e.data, e.detail, n.body FROM event AS e
  LEFT JOIN notification AS n ON n.seq = e.notification WHERE e.key = $1`;

const OF_EVENT =
  `SELECT w.plugin, p.name, d.state, d.attempts, d.finished_at, coalesce(d.due_at, e.decided_at) AS due_at,
    p.paused_at, p.paused_by
  FROM ${DELIVERIES} JOIN plugin AS p ON p.id = w.plugin WHERE e.seq = $1 ORDER BY p.name`;

const FAILURES =
  "SELECT plugin, attempt, started_at, ended_at, reason, error FROM failure WHERE seq = $1 ORDER BY plugin, attempt";

/** SQL: the earlier events that block the delivery of event $2 by plugin $1. */
export const WAITS_FOR = `WITH own AS MATERIALIZED (SELECT unnest(order_keys) AS order_key FROM event WHERE seq = $2),
    earlier AS MATERIALIZED (SELECT DISTINCT o.seq FROM (${partitionsFrom("0::bigint")}) AS s CROSS JOIN own
      JOIN event_order AS o ON o.span = s.span AND o.order_key = own.order_key AND o.seq < $2)
  SELECT e.key FROM earlier JOIN ${DELIVERIES.replace("event AS e", "event AS e ON e.seq = earlier.seq")}
    WHERE w.plugin = $1 AND ${UNFINISHED} ORDER BY e.seq LIMIT 20`;
