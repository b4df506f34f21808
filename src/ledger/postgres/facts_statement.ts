import { told } from "./channel.ts";
import { type Columns, unnested } from "./columns.ts";

const texts = (...names: readonly string[]) => names.map((name) => [name, "text"] as const);
const bigints = (...names: readonly string[]) => names.map((name) => [name, "bigint"] as const);

/** The columns of each kind of rows that the holder of lease `facts` writes, in the order of the parameters. */
const COLUMNS = {
  changed: [...texts("id", "data"), ...bigints("deleted_at")],
  learned: texts("id", "data"),
  ports: [...texts("id", "server_id"), ...bigints("changed"), ...texts("data"), ...bigints("deleted_at")],
  floatingIps: [
    ...texts("id", "port_id", "server_id"),
    ...bigints("changed"),
    ...texts("data"),
    ...bigints("deleted_at"),
  ],
  events: [
    ...bigints("seq"),
    ...texts("key"),
    ...bigints("notification", "decided_at"),
    ...texts("data", "order_keys", "plugins", "detail", "missing"),
  ],
  orderKeys: bigints("span", "order_key", "seq"),
  details: [...bigints("seq"), ...texts("detail", "missing")],
  filled: [...bigints("seq"), ...texts("data")],
  marked: [...texts("server_id"), ...bigints("due_at", "notification"), ...texts("cause")],
  superseded: [...bigints("seq"), ...texts("reason")],
  priming: [...texts("listing", "next"), ["done", "boolean"] as const, ...bigints("count")],
} as const;

export type FactsRows = keyof typeof COLUMNS;

/** Kinds of rows, in the order of the parameters. */
export const KINDS = Object.keys(COLUMNS) as FactsRows[];

/** Single values and lists, behind the rows. */
const SINGLE = [
  "epoch",
  "holder",
  "writes",
  "decidedFrom",
  "decidedThrough",
  "decided",
  "beganAt",
  "removed",
  "idle",
  "bodiless",
  "tellsOthers",
] as const;

const FIRST = new Map<string, number>();
let next = 1;
for (const name of SINGLE) FIRST.set(name, next++);
for (const kind of KINDS) {
  FIRST.set(kind, next);
  next += COLUMNS[kind].length;
}

const parameter = (name: typeof SINGLE[number]) => `$${FIRST.get(name)}`;
const list = (name: typeof SINGLE[number]) => `string_to_array(${parameter(name)}::text, E'\\x1e')`;

/** SQL: rows of a kind, if the epoch was proven. */
function from(kind: FactsRows): string {
  const columns = COLUMNS[kind];
  const types = columns.map(([, type]) => type);
  return `fence, ${unnested(FIRST.get(kind) as number, types)} AS r (${columns.map(([name]) => name).join(", ")})`;
}

/** SQL: inserts rows, or replaces the columns of those with the same key. */
function upsert(kind: FactsRows, table: string, key: string): string {
  const names = COLUMNS[kind].map(([name]) => name as string);
  const replaced = names.filter((name) => name !== key).map((name) => `${name} = excluded.${name}`);
  return `INSERT INTO ${table} (${names.join(", ")}) SELECT ${names.map((name) => `r.${name}`).join(", ")} FROM ${
    from(kind)
  } ON CONFLICT (${key}) DO UPDATE SET ${replaced.join(", ")}`;
}

const IS_OURS = `name = 'facts' AND epoch = ${parameter("epoch")}::bigint
      AND holder IS NOT DISTINCT FROM ${parameter("holder")}::text AND writes = ${parameter("writes")}::bigint`;

/** Whether the notifications that were decided are all that there are: others may have recorded some between them. */
const HAS_ALL = `(${parameter("decided")}::bigint IS NULL OR ${parameter("decided")}::bigint = (SELECT count(*)
      FROM notification WHERE seq > ${parameter("decidedFrom")}::bigint AND seq <= ${
  parameter("decidedThrough")
}::bigint))`;

/**
 * One transaction of the holder of lease `facts`, in one statement. It writes nothing unless the
 * lease has this epoch and holder, and was written by it this many times: a statement that comes late, when its
 * effects were concluded from the tables already, is without effect. Nor does it write anything when others have
 * recorded notifications between those that were decided.
 */
export const WRITE_FACTS = `WITH fence AS (
    UPDATE lease SET writes = writes + 1 WHERE ${IS_OURS} AND ${HAS_ALL} RETURNING 1),
  changed AS (${upsert("changed", "server", "id")}),
  learned AS (${upsert("learned", "server", "id")}),
  ports AS (${upsert("ports", "port", "id")}),
  floating_ips AS (${upsert("floatingIps", "floatingip", "id")}),
  added AS (INSERT INTO event (seq, key, notification, decided_at, data, order_keys, plugins, detail, missing)
    SELECT r.seq, r.key, r.notification, r.decided_at, r.data, r.order_keys::bigint[], r.plugins::integer[], r.detail, r.missing
    FROM ${from("events")} ON CONFLICT (key) DO NOTHING RETURNING seq),
  ordered AS (INSERT INTO event_order (span, order_key, seq)
    SELECT r.span, r.order_key, r.seq FROM ${from("orderKeys")} WHERE r.seq IN (SELECT seq FROM added)),
  detailed AS (UPDATE event AS e SET detail = r.detail, missing = r.missing FROM ${
  from("details")
} WHERE e.seq = r.seq),
  filled AS (UPDATE event AS e SET data = r.data FROM ${from("filled")} WHERE e.seq = r.seq),
  marked AS (${upsert("marked", "pending_update", "server_id")}),
  removed AS (DELETE FROM pending_update USING fence WHERE server_id = ANY(${list("removed")})),
  superseded AS (UPDATE notification AS n SET outcome = 'superseded', reason = r.reason
    FROM ${from("superseded")} WHERE n.seq = r.seq),
  idle AS (DELETE FROM notification USING fence WHERE seq = ANY(${list("idle")}::bigint[])),
  bodiless AS (UPDATE notification SET body = NULL FROM fence WHERE seq = ANY(${list("bodiless")}::bigint[])),
  primed AS (${upsert("priming", "priming", "listing")}),
  began AS (INSERT INTO fact (name, value) SELECT 'began_at', ${parameter("beganAt")}::text FROM fence
    WHERE ${parameter("beganAt")}::text IS NOT NULL ON CONFLICT (name) DO NOTHING),
  decided AS (UPDATE fact SET value = ${parameter("decidedThrough")}::text FROM fence
    WHERE name = 'decided_through' AND ${parameter("decidedThrough")}::text IS NOT NULL)
  SELECT (SELECT count(*) FROM fence) AS proven, EXISTS (SELECT 1 FROM lease WHERE ${IS_OURS}) AS ours,
    (SELECT count(*) FROM added) AS added,
    CASE WHEN ${parameter("tellsOthers")}::boolean THEN ${told("events")} END AS told`;

/** Values of {@linkcode WRITE_FACTS}: single ones in the order of its parameters. */
export function singleValues(values: Readonly<Record<typeof SINGLE[number], string | number | boolean | null>>) {
  return SINGLE.map((name) => values[name]);
}

/** The columns of all kinds of rows, in the order of the parameters; a kind that is left out has no rows. */
export function rowValues(rows: { readonly [kind in FactsRows]?: Columns }): readonly string[] {
  return KINDS.flatMap((kind) => rows[kind]?.texts ?? COLUMNS[kind].map(() => ""));
}
