import type { OrderHash } from "../order_hash.ts";
import type { PostgresClient, Queries, Row } from "./client.ts";
import { arrayOf, Columns, original, SEPARATOR, unnested } from "./columns.ts";
import { NUMBERED_THROUGH } from "./facts.ts";
import { lastingEvents } from "./lasting_events.ts";
import { LOCK_CHANGES, retryingDeadlocks } from "./operator_transaction.ts";
import { partitionsFrom } from "./partitions.ts";
import { PARTITION_EVENTS } from "./schema.ts";
import { readOrderHash } from "./order_seed.ts";

/** Rows that one transaction visits: some tens of milliseconds. */
const SLICE = 500;

/**
 * Deletes expired rows, a slice at a time: first events whose every delivery ended before the given
 * time, then notifications and deleted resources that nothing refers to. Unfinished deliveries,
 * dead letters and existing resources are never deleted, nor are the events that say what targets
 * hold of existing resources ({@linkcode lastingEvents}).
 */
export class Pruner {
  readonly #client: PostgresClient;
  #orderHash: OrderHash | null = null;
  #current = 0;
  #after = BEGINNING;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  /** Prunes one slice. Returns whether there may be more. */
  async slice(before: number): Promise<boolean> {
    const table = TABLES[this.#current]!;
    const { size = SLICE } = table;
    const orderHash = this.#orderHash ??= await readOrderHash(this.#client);
    const rows = await retryingDeadlocks(() =>
      this.#client.transaction(async (queries) => {
        await queries.rows(LOCK_CHANGES);
        const { at, id } = this.#after;
        const expired = await queries.rows(expiredRows(table), [before, at, id, size]);
        if (expired.length > 0) await table.remove(expired.filter((row) => row["stays"] !== true), queries, orderHash);
        return expired;
      })
    );
    const last = rows.at(-1);
    const more = rows.length === size;
    this.#after = more && last !== undefined ? { at: last["at"] as number, id: last["id"] as Id } : BEGINNING;
    if (!more) this.#current = (this.#current + 1) % TABLES.length;
    return more || this.#current > 0;
  }
}

type Id = number | string;

/** Before all ids: of texts and of numbers. */
const BEGINNING: { readonly at: number; readonly id: Id | null } = { at: -1, id: null };

/** A table with rows that expire. */
interface Table {
  readonly name: string;
  readonly id: "seq" | "id";
  /** The column with the time that counts. */
  readonly at: string;
  /** SQL: whether row `r` must stay. @default it need not */
  readonly stays?: string;
  /** SQL: further columns that `remove` needs. */
  readonly also?: string;
  /** Deletes rows, except for some. */
  readonly remove: (rows: readonly Row[], queries: Queries, orderHash: OrderHash) => Promise<unknown>;
  /** Rows that one transaction visits. @default 500 */
  readonly size?: number;
}

/**
 * SQL: at most $4 rows older than $1 that follow ($2, $3), and whether each must stay. An index
 * answers each of these queries.
 */
function expiredRows({ name, id, at, stays = "false", also = "" }: Table): string {
  const type = id === "seq" ? "bigint" : "text";
  const none = id === "seq" ? "-1" : "''";
  return `SELECT r.${id} AS id, r.${at} AS at, ${stays} AS stays${also} FROM ${name} AS r
    WHERE r.${at} < $1::bigint AND (r.${at}, r.${id}) > ($2::bigint, coalesce($3::${type}, ${none}))
    ORDER BY r.${at}, r.${id} LIMIT $4::integer`;
}

/** In the order of their references: an event keeps its notification and its resources. */
const TABLES: readonly Table[] = [
  {
    name: "event",
    id: "seq",
    at: "decided_at",
    stays: `EXISTS (SELECT 1 FROM unnest(r.plugins) AS w (plugin)
      LEFT JOIN delivery AS d ON d.seq = r.seq AND d.plugin = w.plugin
      WHERE d.seq IS NULL OR d.state IN ('open', 'dead') OR d.finished_at >= $1::bigint)`,
    also: ", r.key, r.data",
    remove: removeEvents,
  },
  {
    name: "notification",
    id: "seq",
    at: "received_at",
    stays: `r.seq > (SELECT value::bigint FROM fact WHERE name = 'decided_through')
      OR EXISTS (SELECT 1 FROM event AS e WHERE e.notification = r.seq)`,
    remove: removeBySeq("notification"),
  },
  { name: "rejection", id: "seq", at: "received_at", remove: removeBySeq("rejection") },
  { name: "gap", id: "seq", at: "to_at", remove: removeBySeq("gap") },
  {
    name: "comparison",
    id: "seq",
    at: "ended_at",
    stays: `r.seq IN (SELECT max(seq) FROM comparison WHERE complete AND NOT is_full
      UNION ALL SELECT max(seq) FROM comparison WHERE complete AND is_full)`,
    remove: removeBySeq("comparison"),
  },
  // Each server is searched for in every partition of `event_order`.
  { name: "server", id: "id", at: "deleted_at", remove: removeServers, size: 50 },
  { name: "port", id: "id", at: "deleted_at", remove: removeById("port") },
  {
    name: "floatingip",
    id: "id",
    at: "deleted_at",
    stays: `EXISTS (SELECT 1 FROM event AS e
      WHERE e.key >= 'floatingip/' || r.id || '/' AND e.key < 'floatingip/' || r.id || '0')`,
    remove: removeById("floatingip"),
  },
];

function removeBySeq(table: string): Table["remove"] {
  return (rows, queries) =>
    queries.rows(`DELETE FROM ${table} WHERE seq = ANY($1::text::bigint[])`, [arrayOf(numbers(rows))]);
}

/** One that came back meanwhile stays. */
function removeById(table: string): Table["remove"] {
  return (rows, queries) =>
    queries.rows(
      `DELETE FROM ${table} WHERE id = ANY(string_to_array($1, E'\\x1e')) AND deleted_at IS NOT NULL`,
      [rows.map(({ id }) => id).join(SEPARATOR)],
    );
}

/** Lasting events only lose their order keys: finished events block none. */
async function removeEvents(rows: readonly Row[], queries: Queries): Promise<void> {
  const ended = rows.map(({ id, key, data }) => ({
    seq: id as number,
    key: original(key as string),
    data: data as string,
  }));
  const lasting = await lastingEvents(queries, ended);
  await queries.rows(FORGET_ORDER_KEYS, [arrayOf(numbers(rows))]);
  await queries.rows(DELETE_EVENTS, [arrayOf(numbers(rows).filter((seq) => !lasting.has(seq)))]);
}

/** Servers that an event is about stay. */
async function removeServers(rows: readonly Row[], queries: Queries, orderHash: OrderHash): Promise<void> {
  if (rows.length === 0) return;
  const hashes = new Columns(2);
  for (const { id } of rows) hashes.add(id as string, orderHash(`server/${original(id as string)}`));
  const found = await queries.rows(WITH_EVENTS, hashes.texts);
  const stay = new Set(found.map(({ id }) => id));
  await removeById("server")(rows.filter(({ id }) => !stay.has(id)), queries, orderHash);
}

function numbers(rows: readonly Row[]): readonly number[] {
  return rows.map(({ id }) => id as number);
}

const FORGET_ORDER_KEYS = `DELETE FROM event_order AS o USING event AS e, unnest(e.order_keys) AS k (order_key)
  WHERE e.seq = ANY($1::text::bigint[]) AND o.span = e.seq / ${PARTITION_EVENTS} AND o.order_key = k.order_key AND o.seq = e.seq`;

/** No later event gets the number of one that is gone. */
const DELETE_EVENTS = `WITH numbered AS (INSERT INTO fact (name, value)
    SELECT '${NUMBERED_THROUGH}', max(seq)::text FROM event WHERE seq = ANY($1::text::bigint[]) HAVING count(*) > 0
    ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE fact.value::bigint < excluded.value::bigint),
  failures AS (DELETE FROM failure WHERE seq = ANY($1::text::bigint[])),
  deliveries AS (DELETE FROM delivery WHERE seq = ANY($1::text::bigint[]))
  DELETE FROM event WHERE seq = ANY($1::text::bigint[])`;

const WITH_EVENTS = `SELECT DISTINCT r.id FROM ${unnested(1, ["text", "bigint"])} AS r (id, order_key)
  JOIN (${partitionsFrom("0::bigint")}) AS s
    ON EXISTS (SELECT 1 FROM event_order AS o WHERE o.span = s.span AND o.order_key = r.order_key)`;
