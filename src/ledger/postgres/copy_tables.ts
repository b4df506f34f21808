import { columnsOf, type ColumnType, NUMBERED, type TableName, TABLES } from "../copy/tables.ts";
import { holdsCopyLease } from "./copy_lease.ts";
import { unnested } from "./columns.ts";
import { NUMBERED_THROUGH } from "./facts.ts";
import { RESTORED_AT } from "./restored.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** How a table of the neutral form is read, where it is not a table of the schema with the same columns. */
interface Reading {
  /** SQL: rows `t`. @default the table of the same name */
  readonly from?: string;
  /** SQL: which rows. @default all */
  readonly where?: string;
  /** SQL of columns. @default the columns of the same names */
  readonly columns?: Readonly<Record<string, string>>;
}

/** SQL: row `t` of table `delivery` says what none would say: the lane has written it to shorten its queue. */
const WAITS = `t.state = 'open' AND t.attempts = 0 AND NOT t.repair
  AND t.due_at = (SELECT decided_at FROM event AS e WHERE e.seq = t.seq)`;

/** SQL: the last number that the server has given to a row. */
function lastNumber(table: string): string {
  return `SELECT '${table}' AS name, CASE WHEN is_called THEN last_value ELSE 0 END AS value FROM ${table}_seq_seq`;
}

/** SQL: the last number of an event, as whoever holds lease `facts` finds it. */
const LAST_EVENT = `SELECT 'event' AS name, greatest((SELECT max(seq) FROM event),
  (SELECT max(value::bigint) FROM fact WHERE name IN ('${RESTORED_AT}', '${NUMBERED_THROUGH}')), 0) AS value`;

const READINGS: { readonly [table in TableName]?: Reading } = {
  event: {
    columns: {
      plugins: "ARRAY(SELECT w.plugin FROM unnest(t.plugins) AS w (plugin) ORDER BY 1)",
      is_findable: `(cardinality(t.order_keys) = 0 OR EXISTS (SELECT 1 FROM event_order AS o
        WHERE o.span = t.seq / ${PARTITION_EVENTS} AND o.order_key = t.order_keys[1] AND o.seq = t.seq))`,
    },
  },
  delivery: { where: `NOT (${WAITS})` },
  notification: {
    columns: {
      outcome: `CASE WHEN t.outcome = 'superseded' THEN t.outcome
        WHEN t.seq > (SELECT value::bigint FROM fact WHERE name = 'decided_through') THEN 'undecided' ELSE 'decided' END`,
      // An empty one may be stored as NULL.
      reason: "CASE WHEN t.outcome = 'superseded' THEN coalesce(t.reason, '') END",
    },
  },
  number: {
    from: `(${
      [LAST_EVENT, ...NUMBERED.filter((table) => table !== "event").map(lastNumber)].join(" UNION ALL ")
    }) AS t`,
  },
};

/** The columns whose texts may be long. */
function longOf(table: TableName): readonly string[] {
  return columnsOf(table).filter(([, type]) => type === "plain" || type === "bytes").map(([name]) => name);
}

/**
 * SQL: rows of a table by its key, $1 at most, of $2 characters together and one row more; with
 * `isNext`, those behind the key $3, and following.
 */
export function readingOf(table: TableName, { isNext }: { readonly isNext: boolean }): string {
  const { from = `${table} AS t`, where = "true", columns = {} } = READINGS[table] ?? {};
  const types: Readonly<Record<string, ColumnType>> = TABLES[table].columns;
  const { key } = TABLES[table];
  const order = key.map((name) => `t.${name}`).join(", ");
  const selected = columnsOf(table).map(([name, type]) => {
    const value = columns[name] ?? `t.${name}`;
    return `${type === "numbers" ? `${value}::text` : value} AS ${name}`;
  });
  const lengths = longOf(table).map((name) => `coalesce(octet_length(r.${name}), 0)`);
  const after = key.map((name, index) => `$${3 + index}::${types[name] === "number" ? "bigint" : "text"}`);
  const next = isNext ? `(${order}) > (${after.join(", ")})` : "true";
  return `SELECT * FROM (SELECT r.*, sum(${["0", ...lengths].join(" + ")}) OVER (ORDER BY ${key.join(", ")}
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (SELECT ${
    selected.join(", ")
  } FROM ${from} WHERE ${where} AND ${next} ORDER BY ${order} LIMIT $1::integer) AS r
  ) AS p WHERE before IS NULL OR before < $2::bigint ORDER BY ${key.join(", ")}`;
}

/** SQL of what is written to columns, where it is not what the neutral form has there; `null`: nothing. */
const WRITTEN: { readonly [table in TableName]?: Readonly<Record<string, string | null>> } = {
  plugin: { queued_from: "1" },
  event: { is_findable: null, plugins: "r.plugins::integer[]" },
  notification: { outcome: "CASE WHEN r.outcome = 'superseded' THEN r.outcome END" },
};

/** SQL: what else is written with rows `r` of a table. */
const ALSO: { readonly [table in TableName]?: string } = {
  event: `INSERT INTO event_order (span, order_key, seq)
    SELECT r.seq / ${PARTITION_EVENTS}, k.order_key, r.seq FROM r CROSS JOIN unnest(r.order_keys::bigint[]) AS k (order_key)
    WHERE r.is_findable ON CONFLICT DO NOTHING`,
  // Numbers ascend, and what is undecided comes last.
  notification: `UPDATE fact SET value = d.through::text
    FROM (SELECT max(seq) AS through FROM r WHERE outcome <> 'undecided') AS d
    WHERE name = 'decided_through' AND d.through > value::bigint`,
};

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  number: "bigint",
  text: "text",
  plain: "text",
  boolean: "boolean",
  bytes: "text",
  numbers: "text",
};

/** Columns of texts that are never NULL: an empty one may come out of a statement as NULL. */
const NULLABLE_TEXTS = new Set(["server_id", "port_id", "next", "reason", "paused_by"]);

function valueOf(table: TableName, name: string, type: ColumnType): string {
  if (type === "bytes") return `r.${name}::bytea`;
  if (type === "numbers") return `r.${name}::bigint[]`;
  const isKey = (TABLES[table].key as readonly string[]).includes(name);
  const isNever = type === "text" && (isKey || table === "rejection" || !NULLABLE_TEXTS.has(name));
  return isNever ? `coalesce(r.${name}, '')` : `r.${name}`;
}

/**
 * SQL: writes rows, their columns from $3 on, and the mark of the copy $2, if process $1 holds the lease
 * of the copy. Rows that are there are replaced. Returns a row if it was written.
 */
export function writingOf(table: Exclude<TableName, "number">): string {
  const given = columnsOf(table);
  const { key } = TABLES[table];
  const values = Object.fromEntries(given.map(([name, type]) => [name, valueOf(table, name, type)]));
  const columns = Object.entries<string | null>({ ...values, ...WRITTEN[table] }).filter(([, value]) => value !== null);
  const names = columns.map(([name]) => name);
  const replaced = names.filter((name) => !(key as readonly string[]).includes(name));
  const also = ALSO[table] === undefined ? "" : `also AS (${ALSO[table]}),`;
  return `WITH held AS MATERIALIZED (${holdsCopyLease("$1")}),
    r AS MATERIALIZED (SELECT r.* FROM held, ${unnested(3, given.map(([, type]) => SQL_TYPES[type]))}
      AS r (${given.map(([name]) => name).join(", ")})),
    written AS (INSERT INTO ${table} (${names.join(", ")}) SELECT ${columns.map(([, value]) => value).join(", ")} FROM r
      ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${replaced.map((name) => `${name} = excluded.${name}`).join(", ")}),
    ${also}
    marked AS (UPDATE fact SET value = $2 FROM held WHERE name = 'copying' RETURNING 1)
    SELECT 1 FROM marked`;
}
