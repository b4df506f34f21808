import type { Selection } from "../../model/operations.ts";
import type { Queries, Row } from "./client.ts";
import { arrayOf, original, plain, SEPARATOR } from "./columns.ts";
import { DELIVERIES } from "./delivery_states.ts";

/** A delivery that an operator's command acts on. */
export interface SelectedDelivery {
  readonly seq: number;
  readonly plugin: number;
  /** The event's key. */
  readonly key: string;
  readonly name: string;
  readonly decidedAt: number;
  /** Of its row; `waiting`: it has none. */
  readonly state: "waiting" | "open" | "done" | "dead" | "dropped";
  readonly attempts: number;
}

/** Deliveries, or events, of one page. */
const PAGE = 5000;

/** Whether a delivery in this state can be replayed or dropped. */
export function appliesTo(action: "replay" | "drop", { state }: SelectedDelivery): boolean {
  return action === "replay" ? state === "dead" || state === "dropped" : state !== "done" && state !== "dropped";
}

/** The deliveries that a command acts on, in the order of their events, in pages. */
export async function* selectedDeliveries(
  queries: Queries,
  { keys = [], plugin, dead = false }: Selection,
  action: "replay" | "drop",
): AsyncGenerator<readonly SelectedDelivery[]> {
  if (keys.length > 0) return yield await ofKeys(queries, { keys, plugin, action });
  yield* dead ? deadOnes(queries, plugin) : unfinishedOnes(queries, plugin);
}

async function* deadOnes(
  queries: Queries,
  plugin: string | undefined,
): AsyncGenerator<readonly SelectedDelivery[]> {
  for (let [seq, number] = [0, 0];;) {
    const rows = await queries.rows(DEAD, [seq, number, plugin === undefined ? null : plain(plugin)]);
    if (rows.length > 0) yield rows.map(deliveryOf);
    if (rows.length < PAGE) return;
    [seq, number] = [Number(rows.at(-1)?.["seq"]), Number(rows.at(-1)?.["plugin"])];
  }
}

/** Goes through the events, as far as there are any at the beginning. */
async function* unfinishedOnes(
  queries: Queries,
  plugin: string | undefined,
): AsyncGenerator<readonly SelectedDelivery[]> {
  const name = plugin === undefined ? null : plain(plugin);
  const [{ start, newest } = {}] = await queries.rows(RANGE, [name]);
  for (let from = Number(start ?? Infinity); from <= Number(newest);) {
    const [{ beyond } = {}] = await queries.rows(BEYOND, [from, newest as number]);
    const rows = await queries.rows(UNFINISHED, [from, beyond as number, name]);
    if (rows.length > 0) yield rows.map(deliveryOf);
    from = Number(beyond);
  }
}

/** Reads deliveries of one plugin by the numbers of their events, in their order. */
export async function deliveriesOf(
  queries: Queries,
  plugin: number,
  seqs: readonly number[],
): Promise<readonly SelectedDelivery[]> {
  return (await queries.rows(BY_NUMBERS, [plugin, arrayOf(seqs)])).map(deliveryOf);
}

async function ofKeys(
  queries: Queries,
  { keys, plugin, action }: {
    readonly keys: readonly string[];
    readonly plugin: string | undefined;
    readonly action: "replay" | "drop";
  },
): Promise<readonly SelectedDelivery[]> {
  const rows = (await queries.rows(BY_KEYS, [keys.map(plain).join(SEPARATOR)])).map(deliveryOf);
  return keys.flatMap((key) => {
    const named = rows.filter((row) => row.key === key && (plugin === undefined || row.name === plugin));
    // A key selects its deliveries that the action applies to. If there are none, it selects all,
    // so that the reason is shown for each.
    const fitting = named.filter((row) => appliesTo(action, row));
    return fitting.length > 0 ? fitting : named;
  });
}

function deliveryOf(row: Row): SelectedDelivery {
  return {
    seq: Number(row["seq"]),
    plugin: Number(row["plugin"]),
    key: original(row["key"] as string),
    name: original(row["name"] as string),
    decidedAt: Number(row["decided_at"]),
    state: (row["state"] ?? "waiting") as SelectedDelivery["state"],
    attempts: Number(row["attempts"] ?? 0),
  };
}

const COLUMNS = "e.seq, e.key, e.decided_at, p.id AS plugin, p.name, d.state, d.attempts";

const BY_KEYS = `SELECT ${COLUMNS} FROM ${DELIVERIES} JOIN plugin AS p ON p.id = w.plugin
  WHERE e.key = ANY(string_to_array($1, E'\\x1e')) ORDER BY e.seq, p.name`;

const BY_NUMBERS = `SELECT ${COLUMNS} FROM ${DELIVERIES} JOIN plugin AS p ON p.id = w.plugin
  WHERE w.plugin = $1::integer AND e.seq = ANY($2::text::bigint[]) ORDER BY e.seq`;

const NAMED = "SELECT id FROM plugin WHERE $1::text IS NULL OR name = $1";

/** The first event that may have an unfinished delivery, and the newest event. */
const RANGE = `SELECT least((SELECT min(queued_from) FROM plugin WHERE id IN (${NAMED})),
    (SELECT min(seq) FROM delivery WHERE state = 'open' AND plugin IN (${NAMED}))) AS start,
  (SELECT coalesce(max(seq), 0) FROM event) AS newest`;

/** Where the page that begins with event $1 ends. */
const BEYOND = `SELECT coalesce((SELECT seq FROM event WHERE seq >= $1::bigint AND seq <= $2::bigint
  ORDER BY seq OFFSET ${PAGE} LIMIT 1), $2::bigint + 1) AS beyond`;

const UNFINISHED = `SELECT ${COLUMNS} FROM ${DELIVERIES} JOIN plugin AS p ON p.id = w.plugin
  WHERE e.seq >= $1::bigint AND e.seq < $2::bigint AND (d.seq IS NULL OR d.state = 'open')
    AND ($3::text IS NULL OR p.name = $3) ORDER BY e.seq, p.name`;

const DEAD = `WITH picked AS (SELECT d.seq, d.plugin FROM delivery AS d JOIN plugin AS p ON p.id = d.plugin
    WHERE d.state = 'dead' AND (d.seq, d.plugin) > ($1::bigint, $2::integer) AND ($3::text IS NULL OR p.name = $3)
    ORDER BY d.seq, d.plugin LIMIT ${PAGE})
  SELECT ${COLUMNS} FROM picked AS k JOIN event AS e ON e.seq = k.seq JOIN plugin AS p ON p.id = k.plugin
    JOIN delivery AS d ON d.seq = k.seq AND d.plugin = k.plugin ORDER BY k.seq, k.plugin`;
