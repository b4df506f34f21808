// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import { UserError } from "../../model/errors.ts";
import {
  COPYING,
  type CopyMark,
  type CopySource,
  type CopyTarget,
  type Page,
  PAGE_CHARACTERS,
  PAGE_ROWS,
  type Place,
  type SourceState,
} from "../copy/copy_store.ts";
import { shortHash } from "../copy/digest.ts";
import {
  columnsOf,
  type ColumnType,
  type CopiedRow,
  isOfPlace,
  type TableName,
  TABLES,
  type Value,
} from "../copy/tables.ts";
import { ORDER_SEED } from "../order_hash.ts";
import { orderOf, readingOf, writingOf, writtenColumns } from "./copy_tables.ts";
import { type Database, prepareAll, reading, type Statement, type Statements, transaction } from "./database.ts";
import { type OwnedLedger, ownLedger } from "./open.ts";
import { Queues } from "./queues.ts";
import { isRestored, settleIn } from "./restored.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** Open deliveries whose states one transaction finds out. */
const SLICE = 1000;

/**
 * Opens a file to copy from. Until it is closed, nobody else writes to it.
 *
 * @throws {UserError} when a service or a command uses it, or it cannot be opened.
 */
export function openCopySource(file: string): CopySource {
  if (!isThere(file)) throw new UserError(`Cannot open the ledger "${file}": it is not there. Is the path right?`);
  const owned = ownLedger(file, { create: false, isCopied: true });
  try {
    // The write lock: operators' commands are refused, and all is read as of one moment.
    owned.database.prepare("BEGIN IMMEDIATE").run();
    return new SqliteCopyStore(file, owned);
  } catch (error) {
    owned[Symbol.dispose]();
    throw error;
  }
}

/**
 * Opens a file to copy to, which is made where it is missing.
 *
 * @throws {UserError} when a service uses it, or it cannot be opened.
 */
export function openCopyTarget(file: string): CopyTarget {
  return new SqliteCopyStore(file, ownLedger(file, { create: true, isCopied: true }));
}

function isThere(file: string): boolean {
  try {
    return Deno.statSync(file).size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

class SqliteCopyStore implements CopySource, CopyTarget {
  readonly place: string;
  readonly #file: string;
  readonly #owned: OwnedLedger;
  readonly #database: Database;
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #prepared = new Map<string, Statement>();

  constructor(file: string, owned: OwnedLedger) {
    this.place = `"${file}"`;
    this.#file = file;
    this.#owned = owned;
    this.#database = owned.database;
    this.#sql = prepareAll(owned.database, STATEMENTS);
  }

  async page(table: TableName, after: Place | null): Promise<Page> {
    return reading(() => this.#page(table, after));
  }

  async range(table: TableName): Promise<readonly [number, number] | null> {
    if (TABLES[table].key[0] !== "seq" || orderOf(table)[0] !== "seq") return null;
    // Two look-ups: for both at once, SQLite would read the table.
    const row = this.#prepare(
      `SELECT (SELECT min(seq) FROM ${table}) AS least, (SELECT max(seq) FROM ${table}) AS most`,
    )
      .get();
    return row?.["least"] === null ? null : [Number(row?.["least"]), Number(row?.["most"])];
  }

  async mark(): Promise<CopyMark | null> {
    const value = this.#sql.fact.get(COPYING)?.["value"];
    return value === undefined ? null : JSON.parse(value as string);
  }

  async state(): Promise<SourceState> {
    const seed = this.#sql.fact.get(ORDER_SEED)?.["value"];
    const state = ["SELECT * FROM fact", "SELECT * FROM sqlite_sequence", "SELECT * FROM plugin"].map((sql) =>
      this.#prepare(sql).all()
    );
    return {
      source: shortHash(String(seed)),
      state: shortHash(JSON.stringify(state)),
      isRestored: isRestored(this.#database, this.#file),
    };
  }

  /** The locks are held until it is closed. */
  async confirm(): Promise<void> {}

  async begin(mark: CopyMark): Promise<void> {
    transaction(this.#database, () => {
      for (const table of EMPTIED) this.#prepare(`DELETE FROM ${table}`).run();
      this.#sql.putFact.run(COPYING, JSON.stringify(mark));
    });
  }

  async write(table: TableName, rows: readonly CopiedRow[], mark: CopyMark): Promise<void> {
    transaction(this.#database, () => {
      if (table === "number") this.#writeNumbers(rows);
      else this.#writeRows(table, rows);
      this.#sql.putFact.run(COPYING, JSON.stringify(mark));
    });
  }

  async complete(): Promise<void> {
    transaction(this.#database, () => {
      this.#sql.saveStarts.run();
      settleIn(this.#database, this.#file);
    });
    for (let after: readonly [number, number] = [0, 0];;) {
      const rows = this.#sql.open.all(...after, SLICE);
      transaction(this.#database, () => this.#findStates(rows));
      if (rows.length < SLICE) break;
      after = [Number(rows.at(-1)?.["seq"]), Number(rows.at(-1)?.["plugin"])];
    }
  }

  async finish(): Promise<void> {
    transaction(this.#database, () => this.#sql.forgetFact.run(COPYING));
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#database.exec("PRAGMA optimize");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isTransaction) this.#database.prepare("ROLLBACK").run();
    this.#owned[Symbol.dispose]();
  }

  #page(table: TableName, after: Place | null): Page {
    const columns = columnsOf(table);
    const statement = this.#prepare(readingOf(table, { isNext: after !== null }));
    const rows: CopiedRow[] = [];
    let characters = 0;
    let isEnd = true;
    for (const stored of statement.iterate(...(after ?? []) as string[], PAGE_ROWS)) {
      const row: Record<string, Value> = {};
      for (const [name, type] of columns) {
        const value = row[name] = neutral(stored[name], type);
        if (type === "plain" || type === "bytes") characters += lengthOf(value);
      }
      rows.push(table === "comparison" ? divided(row) : row);
      isEnd = rows.length < PAGE_ROWS && characters < PAGE_CHARACTERS;
      if (!isEnd) break;
    }
    const last = isEnd ? null : orderOf(table).map((name) => rows.at(-1)?.[name] ?? null);
    return { rows: table === "fact" ? rows.filter(({ name }) => !isOfPlace(String(name))) : rows, last };
  }

  #writeNumbers(rows: readonly CopiedRow[]): void {
    for (const { name, value } of rows) {
      this.#sql.forgetNumber.run(name as string);
      this.#sql.putNumber.run(name as string, value as number);
    }
  }

  #writeRows(table: Exclude<TableName, "number">, rows: readonly CopiedRow[]): void {
    const [statement, names] = [this.#prepare(writingOf(table)), writtenColumns(table)];
    for (const row of rows) {
      const written = table === "comparison" ? joined(row) : row;
      const values: Record<string, ReturnType<typeof stored>> = {};
      for (const name of names) values[name] = stored(written[name] ?? null);
      statement.run(values);
      if (table === "event") this.#writeOrder(row);
      if (table === "delivery" && row["state"] === "open") {
        this.#sql.hold.run(row["plugin"] as number, row["seq"] as number);
      }
    }
  }

  /** Writes the order keys of an event, and its deliveries, all of which wait at first. */
  #writeOrder(event: CopiedRow): void {
    const { seq, decided_at: decidedAt } = event as { readonly seq: number; readonly decided_at: number };
    const keys = event["is_findable"] === true ? event["order_keys"] as readonly number[] : [];
    for (const key of keys) this.#sql.addKey.run(Math.trunc(seq / PARTITION_EVENTS), key, seq);
    for (const plugin of event["plugins"] as readonly number[]) this.#sql.queue.run(seq, plugin, decidedAt);
  }

  /** Whether open deliveries lack their detail, are blocked by an earlier one, or are ready. */
  #findStates(rows: readonly Readonly<Record<string, unknown>>[]): void {
    const queues = new Queues(this.#database);
    queues.begin();
    for (const row of rows) {
      const [plugin, seq] = [Number(row["plugin"]), Number(row["seq"])];
      const orderKeys: readonly number[] = JSON.parse(row["order_keys"] as string);
      const isDetailed = row["detailed"] === 1;
      const state = !isDetailed ? "new" : queues.isBlocked({ plugin, seq, orderKeys }) ? "blocked" : "ready";
      this.#sql.setState.run(state, seq, plugin);
    }
  }

  #prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}

const UTF8 = new TextDecoder();

/** A value of the file in the neutral form. */
function neutral(value: unknown, type: ColumnType): Value {
  if (value === null || value === undefined) return null;
  switch (type) {
    case "number":
      return Number(value);
    case "boolean":
      return Number(value) === 1;
    case "numbers":
      return JSON.parse(value as string);
    case "text":
      return UTF8.decode(value as Uint8Array);
    default:
      return value as string | Uint8Array;
  }
}

/** A value of the neutral form in the file. */
function stored(value: Value): string | number | Uint8Array | null {
  if (typeof value === "boolean") return Number(value);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return JSON.stringify(value);
}

function lengthOf(value: Value): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 0;
}

/** A report without its differences, and these. */
function divided(row: CopiedRow): CopiedRow {
  const { differences, ...report } = JSON.parse(row["data"] as string);
  return { ...row, data: JSON.stringify({ ...report, differences: [] }), differences: JSON.stringify(differences) };
}

function joined(row: CopiedRow): CopiedRow {
  const report = JSON.parse(row["data"] as string);
  return { ...row, data: JSON.stringify({ ...report, differences: JSON.parse(row["differences"] as string) }) };
}

/** All tables with rows, but not those of the schema. */
const EMPTIED = [
  "failure",
  "delivery",
  "held",
  "event_order",
  "event",
  "notification",
  "rejection",
  "server",
  "port",
  "floatingip",
  "pending_update",
  "gap",
  "comparison",
  "priming",
  "plugin",
  "fact",
  "sqlite_sequence",
] as const;

const STATEMENTS = {
  fact: "SELECT value FROM fact WHERE name = ?",
  putFact: "INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)",
  forgetFact: "DELETE FROM fact WHERE name = ?",
  forgetNumber: "DELETE FROM sqlite_sequence WHERE name = ?",
  putNumber: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
  addKey: "INSERT OR IGNORE INTO event_order (span, order_key, seq) VALUES (?, ?, ?)",
  queue: "INSERT OR IGNORE INTO delivery (seq, plugin, state, due_at) VALUES (?, ?, 'queued', ?)",
  hold: `INSERT OR IGNORE INTO held (plugin, order_key, seq)
    SELECT ?1, k.value, e.seq FROM event AS e CROSS JOIN json_each(e.order_keys) AS k WHERE e.seq = ?2`,
  saveStarts: `UPDATE plugin SET queued_from = coalesce(
    (SELECT seq FROM delivery AS d WHERE d.plugin = plugin.id AND d.state = 'queued' ORDER BY d.seq LIMIT 1),
    (SELECT coalesce(max(seq), 0) + 1 FROM event))`,
  open: `SELECT d.seq, d.plugin, e.order_keys, e.detail IS NOT NULL AS detailed
    FROM delivery AS d INDEXED BY delivery_open CROSS JOIN event AS e ON e.seq = d.seq
    WHERE d.finished_at IS NULL AND d.state <> 'queued' AND (d.seq, d.plugin) > (?, ?) ORDER BY d.seq, d.plugin LIMIT ?`,
  setState: "UPDATE delivery SET state = ? WHERE seq = ? AND plugin = ?",
} as const;
