import { columnsOf, NUMBERED, type TableName, TABLES } from "../copy/tables.ts";
import { RESTORED_AT } from "./restored.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** How a table of the neutral form is read, where it is not a table of the file with the same columns. */
interface Reading {
  /** SQL: rows `t`. @default the table of the same name */
  readonly from?: string;
  /** SQL: which rows. @default all */
  readonly where?: string;
  /** The columns that order it. @default its key */
  readonly order?: readonly string[];
  /** SQL of columns. @default the columns of the same names */
  readonly columns?: Readonly<Record<string, string>>;
}

/** SQL: delivery `t` was never attempted, and no operator has touched it. */
const WAITS = `t.finished_at IS NULL
  AND (t.state = 'queued' OR (t.attempts = 0 AND t.repair = 0 
    AND t.due_at = (SELECT decided_at FROM event AS e WHERE e.seq = t.seq)))`;

/** SQL: the last number of a table. Those of events are above all that came before a restore. */
function lastNumber(table: string): string {
  const restored = `(SELECT CAST(value AS INTEGER) FROM fact WHERE name = '${RESTORED_AT}')`;
  const last = `coalesce((SELECT seq FROM sqlite_sequence WHERE name = '${table}'), 0)`;
  return `SELECT '${table}' AS name, ${table === "event" ? `max(${last}, coalesce(${restored}, 0))` : last} AS value`;
}

const READINGS: { readonly [table in TableName]?: Reading } = {
  event: {
    columns: {
      is_findable: `json_array_length(t.order_keys) = 0 OR EXISTS (SELECT 1 FROM event_order AS o
        WHERE o.span = t.seq / ${PARTITION_EVENTS} AND o.order_key = t.order_keys ->> 0 AND o.seq = t.seq)`,
      plugins:
        "(SELECT json_group_array(plugin) FROM (SELECT plugin FROM delivery AS d WHERE d.seq = t.seq ORDER BY plugin))",
    },
  },
  delivery: {
    where: `NOT (${WAITS})`,
    columns: { state: "iif(t.finished_at IS NULL, 'open', t.state)" },
  },
  failure: { order: ["plugin", "seq", "attempt"] },
  notification: {
    columns: {
      outcome:
        "CASE WHEN t.outcome IS NULL THEN 'undecided' WHEN t.outcome = 'superseded' THEN t.outcome ELSE 'decided' END",
      reason: "iif(t.outcome = 'superseded', t.reason, NULL)",
    },
  },
  // The report is divided by whoever reads it.
  comparison: { columns: { is_by_hand: "t.data ->> '$.isByHand'", differences: "NULL" } },
  number: { from: `(${NUMBERED.map(lastNumber).join(" UNION ALL ")}) AS t` },
};

/** The columns that order a table. */
export function orderOf(table: TableName): readonly string[] {
  return READINGS[table]?.order ?? TABLES[table].key;
}

/**
 * SQL: rows of a table in its order; with `isNext`, those behind a place. Texts of strangers are read as
 * bytes: read as text, they would end at the first NUL.
 */
export function readingOf(table: TableName, { isNext }: { readonly isNext: boolean }): string {
  const { from = `${table} AS t`, where = "true", columns = {} } = READINGS[table] ?? {};
  const order = orderOf(table).map((name) => `t.${name}`).join(", ");
  const selected = columnsOf(table).map(([name, type]) => {
    const value = columns[name] ?? `t.${name}`;
    return `${type === "text" ? `CAST(${value} AS BLOB)` : value} AS ${name}`;
  });
  const next = isNext ? `(${order}) > (${orderOf(table).map(() => "?").join(", ")})` : "true";
  return `SELECT ${selected.join(", ")} FROM ${from} WHERE ${where} AND ${next} ORDER BY ${order} LIMIT ?`;
}

/** How a table of the neutral form is written, where it is not a table of the file with the same columns. */
const WRITTEN: { readonly [table in TableName]?: Readonly<Record<string, string | null>> } = {
  plugin: { queued_from: "1" },
  event: { is_findable: null, plugins: null },
  // Which are blocked is found out when all are there.
  delivery: { state: "iif(:state = 'open', 'blocked', :state)" },
  notification: {
    outcome: `CASE :outcome WHEN 'undecided' THEN NULL WHEN 'superseded' THEN :outcome
      ELSE iif(EXISTS (SELECT 1 FROM event WHERE notification = :seq), 'event', 'remembered') END`,
  },
  comparison: { is_by_hand: null, differences: null },
};

/** SQL: inserts a row of the neutral form, its columns by their names, or replaces it. */
export function writingOf(table: Exclude<TableName, "number">): string {
  const given = Object.fromEntries(columnsOf(table).map(([name]) => [name, `:${name}`]));
  const columns = Object.entries<string | null>({ ...given, ...WRITTEN[table] }).filter(([, value]) => value !== null);
  const key: readonly string[] = TABLES[table].key;
  const replaced = columns.filter(([name]) => !key.includes(name)).map(([name]) => `${name} = excluded.${name}`);
  return `INSERT INTO ${table} (${columns.map(([name]) => name).join(", ")})
    VALUES (${columns.map(([, value]) => value).join(", ")})
    ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${replaced.join(", ")}`;
}

/** The columns of the neutral form that {@linkcode writingOf} takes. */
export function writtenColumns(table: TableName): readonly string[] {
  return columnsOf(table).map(([name]) => name).filter((name) => WRITTEN[table]?.[name] !== null);
}
