/** What a column has. */
export type ColumnType =
  /** An integer below 2^53. */
  | "number"
  /** A text that strangers wrote: any characters. */
  | "text"
  /** JSON, or a word of ours: no control characters. */
  | "plain"
  | "boolean"
  | "bytes"
  /** A list of integers below 2^53. */
  | "numbers";

/** A value of the neutral form, by the type of its column; `null` where a ledger has none. */
export type Value = string | number | boolean | Uint8Array | readonly number[] | null;

/** A row of the neutral form, by the names of its columns. */
export type CopiedRow = Readonly<Record<string, Value>>;

/** A table of the neutral form. */
interface CopiedTable {
  /** The columns that tell its rows apart. */
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, ColumnType>>;
}

const MEMORY = { changed: "number", data: "plain", deleted_at: "number" } as const;

/**
 * The neutral form of a ledger: what its tables mean, whatever the engine. In the order in which they
 * are copied: the rows of one may need those of the tables before it.
 *
 * The columns are those of both schemas, except for:
 *
 * - `plugin` is without its outage, and without what is counted for a service that runs.
 * - `event.plugins`: the plugins that have a delivery of it; `event.is_findable`: whether table
 *   `event_order` has its order keys, which pruning takes from events that outlive `keepDays`.
 * - `delivery` has no row of one that waits: never attempted, and touched by no operator. `state` is
 *   `open`, `done`, `dead` or `dropped`; what blocks an open one is found out again.
 * - `notification.outcome`: `undecided`, `superseded` or `decided`.
 * - `comparison.data`: the report without its differences.
 * - `number`: the last number that was given to a row of a table; no later row gets it again.
 */
export const TABLES = {
  plugin: {
    key: ["id"],
    columns: { id: "number", name: "text", paused_at: "number", paused_by: "text", resumed_at: "number" },
  },
  event: {
    key: ["seq"],
    columns: {
      seq: "number",
      key: "text",
      notification: "number",
      decided_at: "number",
      data: "plain",
      order_keys: "numbers",
      is_findable: "boolean",
      plugins: "numbers",
      detail: "plain",
      missing: "plain",
    },
  },
  delivery: {
    key: ["seq", "plugin"],
    columns: {
      seq: "number",
      plugin: "number",
      state: "plain",
      due_at: "number",
      attempts: "number",
      tried_ms: "number",
      last_attempt_at: "number",
      finished_at: "number",
      repair: "boolean",
    },
  },
  failure: {
    key: ["seq", "plugin", "attempt"],
    columns: {
      seq: "number",
      plugin: "number",
      attempt: "number",
      started_at: "number",
      ended_at: "number",
      reason: "plain",
      error: "text",
      progress: "plain",
    },
  },
  notification: {
    key: ["seq"],
    columns: {
      seq: "number",
      message_id: "text",
      sent: "text",
      event_type: "text",
      received_at: "number",
      body: "plain",
      outcome: "plain",
      reason: "text",
    },
  },
  rejection: {
    key: ["seq"],
    columns: {
      seq: "number",
      received_at: "number",
      reason: "text",
      size: "number",
      sha256: "plain",
      exchange: "text",
      routing_key: "text",
      body: "bytes",
    },
  },
  server: { key: ["id"], columns: { id: "text", data: "plain", deleted_at: "number" } },
  port: { key: ["id"], columns: { id: "text", server_id: "text", ...MEMORY } },
  floatingip: { key: ["id"], columns: { id: "text", port_id: "text", server_id: "text", ...MEMORY } },
  pending_update: {
    key: ["server_id"],
    columns: { server_id: "text", due_at: "number", notification: "number", cause: "plain" },
  },
  gap: {
    key: ["seq"],
    columns: {
      seq: "number",
      queue: "text",
      brokers: "text",
      exchange: "text",
      from_at: "number",
      to_at: "number",
      certainty: "plain",
    },
  },
  comparison: {
    key: ["seq"],
    columns: {
      seq: "number",
      started_at: "number",
      ended_at: "number",
      complete: "boolean",
      is_full: "boolean",
      is_by_hand: "boolean",
      data: "plain",
      differences: "plain",
    },
  },
  audit_trail: {
    key: ["seq"],
    columns: { seq: "number", at: "number", who: "text", action: "plain", what: "text", details: "plain" },
  },
  priming: { key: ["listing"], columns: { listing: "plain", next: "text", done: "boolean", count: "number" } },
  fact: { key: ["name"], columns: { name: "plain", value: "plain" } },
  number: { key: ["name"], columns: { name: "plain", value: "number" } },
} as const satisfies Readonly<Record<string, CopiedTable>>;

export type TableName = keyof typeof TABLES;

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

/** Tables that have rows as soon as a service was started, without a message. */
const ALWAYS_FILLED: readonly TableName[] = ["plugin", "fact", "number"];

/** The tables of a ledger that is empty have none. */
export const TABLES_OF_CONTENT = TABLE_NAMES.filter((name) => !ALWAYS_FILLED.includes(name));

export function columnsOf(table: TableName): readonly (readonly [name: string, type: ColumnType])[] {
  return Object.entries(TABLES[table].columns);
}

/** The tables whose rows have numbers that are never given again: the names of `number`. */
export const NUMBERED = ["event", "notification", "rejection", "gap", "comparison", "audit_trail"] as const;

/** When a restore of the ledger was noticed: its name in the neutral form, as in both ledgers. */
export const RESTORED_AT = "restored_at";

/**
 * Facts that belong to a place alone, and are not copied. All others are, also those that are not
 * known yet.
 */
export function isOfPlace(fact: string): boolean {
  return OF_PLACE.includes(fact) || OF_PLACE_PREFIXES.some((prefix) => fact.startsWith(prefix));
}

const OF_PLACE: readonly string[] = [
  "copying", // the mark of an unfinished copy
  "copied_at", // of a backup: noticed as a restore, which is copied
  "file_number", // of the file in its file system
  "starts", // of the service with the file: the lock file beside it has them, too
  "cluster", // the server of PostgreSQL
  "decided_through", // PostgreSQL's form of `notification.outcome`
  "numbered_through", // PostgreSQL's form of `number`
  "configured_plugins", // of the service's last run with the file
  "test", // what tests whether there is space for writing
];

/** Outages are forgotten at each start. Requests to try a target are for a service that runs. */
const OF_PLACE_PREFIXES: readonly string[] = ["outage/", "probe_requests/"];
