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

/** Deliveries of one page. */
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
  const [{ newest } = {}] = await queries.rows("SELECT coalesce(max(seq), 0) AS newest FROM event");
  const sql = dead ? DEAD : UNFINISHED;
  for (let [seq, number] = [0, 0];;) {
    const name = plugin === undefined ? null : plain(plugin);
    const rows = await queries.rows(sql, [seq, number, newest as number, name]);
    if (rows.length > 0) yield rows.map(deliveryOf);
    if (rows.length < PAGE) return;
    [seq, number] = [Number(rows.at(-1)?.["seq"]), Number(rows.at(-1)?.["plugin"])];
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

/** SQL: a page of deliveries, which `parts` select by number; $4 is a plugin's name, or NULL for all. */
function page(...parts: readonly string[]): string {
  const limited = parts.map((part) => `(${part} ORDER BY seq, plugin LIMIT ${PAGE})`);
  return `WITH picked AS (SELECT * FROM (${limited.join(" UNION ALL ")}) AS u ORDER BY seq, plugin LIMIT ${PAGE})
    SELECT k.seq, e.key, e.decided_at, k.plugin, p.name, k.state, k.attempts
    FROM picked AS k JOIN event AS e ON e.seq = k.seq JOIN plugin AS p ON p.id = k.plugin ORDER BY k.seq, p.name`;
}

const IS_NAMED = "($4::text IS NULL OR p.name = $4)";

function withState(state: string): string {
  return `SELECT d.seq, d.plugin, d.state, d.attempts FROM delivery AS d JOIN plugin AS p ON p.id = d.plugin
    WHERE d.state = '${state}' AND (d.seq, d.plugin) > ($1::bigint, $2::integer) AND d.seq <= $3::bigint AND ${IS_NAMED}`;
}

const DEAD = page(withState("dead"));

const UNFINISHED = page(
  withState("open"),
  `SELECT e.seq, w.plugin, d.state, d.attempts FROM ${DELIVERIES} JOIN plugin AS p ON p.id = w.plugin
    WHERE (e.seq, w.plugin) > ($1::bigint, $2::integer) AND e.seq >= $1::bigint AND e.seq <= $3::bigint
      AND e.seq >= p.queued_from AND d.seq IS NULL
      AND e.seq >= (SELECT min(queued_from) FROM plugin AS p WHERE ${IS_NAMED}) AND ${IS_NAMED}`,
);
