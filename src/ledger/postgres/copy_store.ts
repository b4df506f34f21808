import type { PostgresOptions } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import { postgresAddress } from "../../model/postgres_address.ts";
import {
  COPYING,
  type CopyMark,
  type CopySource,
  type CopyTarget,
  type OpenCopyOptions,
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
import type { Parameter, PostgresClient } from "./client.ts";
import { arrayOf, Columns, numbersOf, original, plain } from "./columns.ts";
import { CopyLease, holdsCopyLease } from "./copy_lease.ts";
import { readingOf, writingOf } from "./copy_tables.ts";
import { NUMBERED_THROUGH } from "./facts.ts";
import { migrate } from "./migrate.ts";
import { COMMAND_ANSWER_MS, openClient, placeOf, unopenable, whyOtherVersion } from "./open_client.ts";
import { saveQueueStarts } from "./queue_starts.ts";
import { isRestored } from "./restored.ts";

/** Connections: the rows, and the lease. */
const CONNECTIONS = 2;

/**
 * Opens a ledger to copy from. Until it is closed, no service works with it.
 *
 * @throws {UserError} when a service runs with it, or it cannot be opened.
 */
export async function openCopySource(postgres: PostgresOptions, options: OpenCopyOptions): Promise<CopySource> {
  return await open(postgres, { ...options, prepare: async () => {} });
}

/**
 * Opens a ledger to copy to. Makes the schema and its tables where they are missing.
 *
 * @throws {UserError} when a service runs with it, or it cannot be opened.
 */
export async function openCopyTarget(postgres: PostgresOptions, options: OpenCopyOptions): Promise<CopyTarget> {
  const { schema } = postgresAddress(postgres);
  const prepare = (client: PostgresClient) => migrate(client, { schema, place: placeOf(postgres) });
  return await open(postgres, { ...options, prepare });
}

async function open(
  postgres: PostgresOptions,
  { prepare, onWait = () => {} }: OpenCopyOptions & { readonly prepare: (client: PostgresClient) => Promise<void> },
): Promise<PostgresCopyStore> {
  const place = placeOf(postgres);
  const client = await openClient(postgres, { connections: CONNECTIONS, answerMs: COMMAND_ANSWER_MS });
  const lease = new CopyLease(client, place);
  try {
    await prepare(client);
    const why = await whyOtherVersion(client);
    if (why !== null) throw new UserError(`Cannot open the ledger ${place}: ${why}`);
    await lease.take(onWait);
    return new PostgresCopyStore({ place, client, lease });
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    throw unopenable(place, error);
  }
}

interface Parts {
  readonly place: string;
  readonly client: PostgresClient;
  readonly lease: CopyLease;
}

class PostgresCopyStore implements CopySource, CopyTarget {
  readonly place: string;
  readonly #client: PostgresClient;
  readonly #lease: CopyLease;

  constructor({ place, client, lease }: Parts) {
    this.place = place;
    this.#client = client;
    this.#lease = lease;
  }

  async page(table: TableName, after: Place | null): Promise<Page> {
    this.#lease.check();
    const columns = columnsOf(table);
    const { key } = TABLES[table];
    const types = new Map(columns);
    const from = (after ?? []).map((value, index) => storedKey(value, types.get(key[index]!)!));
    const sql = readingOf(table, { isNext: after !== null });
    const found = await this.#client.rows(sql, [PAGE_ROWS, PAGE_CHARACTERS, ...from]);
    const rows: CopiedRow[] = found.map((stored) => {
      const row: Record<string, Value> = {};
      for (const [name, type] of columns) row[name] = neutral(stored[name], type);
      return row;
    });
    const last = rows.at(-1);
    return {
      rows: table === "fact" ? rows.filter(({ name }) => !isOfPlace(String(name))) : rows,
      last: last === undefined ? null : key.map((name) => last[name] ?? null),
    };
  }

  async range(table: TableName): Promise<readonly [number, number] | null> {
    if (TABLES[table].key[0] !== "seq") return null;
    const [row] = await this.#client.rows(`SELECT min(seq) AS least, max(seq) AS most FROM ${table}`);
    return row === undefined || row["least"] === null ? null : [Number(row["least"]), Number(row["most"])];
  }

  async mark(): Promise<CopyMark | null> {
    const [row] = await this.#client.rows("SELECT value FROM fact WHERE name = $1", [COPYING]);
    return row === undefined ? null : JSON.parse(row["value"] as string);
  }

  async state(): Promise<SourceState> {
    const facts = await this.#client.rows("SELECT name, value FROM fact ORDER BY name");
    const plugins = await this.#client.rows("SELECT id, changes, paused_at, resumed_at FROM plugin ORDER BY id");
    const { rows: numbers } = await this.page("number", null);
    const seed = facts.find(({ name }) => name === ORDER_SEED)?.["value"];
    return {
      source: shortHash(String(seed)),
      state: shortHash(JSON.stringify([facts, plugins, numbers])),
      isRestored: await isRestored(this.#client),
    };
  }

  confirm(): Promise<void> {
    return this.#lease.confirm();
  }

  async begin(mark: CopyMark): Promise<void> {
    const { id } = this.#lease;
    await this.#client.transaction(async (queries) => {
      await this.#proven(queries.rows(holdsCopyLease("$1"), [id]));
      await queries.rows(`TRUNCATE ${EMPTIED.join(", ")}`);
      await queries.rows("INSERT INTO fact (name, value) VALUES ('decided_through', '0'), ($1, $2)", [
        COPYING,
        JSON.stringify(mark),
      ]);
    });
  }

  async write(table: TableName, rows: readonly CopiedRow[], mark: CopyMark): Promise<void> {
    const common = [this.#lease.id, JSON.stringify(mark)];
    if (table === "number") return await this.#writeNumbers(rows, common);
    const types = columnsOf(table);
    const columns = new Columns(types.length);
    for (const row of rows) columns.add(...types.map(([name, type]) => stored(row[name] ?? null, type)));
    await this.#proven(this.#client.rows(writingOf(table), [...common, ...columns.texts]));
  }

  async complete(): Promise<void> {
    await this.#client.rows("SELECT setval(pg_get_serial_sequence('plugin', 'id'), greatest(max(id), 1)) FROM plugin");
    // Statistics first: the server has none of so many new rows.
    for (const table of EMPTIED) await this.#client.rows(`ANALYZE ${table}`);
    await saveQueueStarts(this.#client);
  }

  async finish(): Promise<void> {
    await this.#proven(
      this.#client.rows(
        "DELETE FROM fact WHERE name = $1 AND EXISTS (SELECT 1 FROM lease WHERE name = 'copy' AND holder = $2) RETURNING 1",
        [COPYING, this.#lease.id],
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease[Symbol.asyncDispose]();
    await this.#client[Symbol.asyncDispose]();
  }

  async #writeNumbers(rows: readonly CopiedRow[], common: readonly Parameter[]): Promise<void> {
    const numberOf = (wanted: string) => Number(rows.find(({ name }) => name === wanted)?.["value"] ?? 0);
    for (const { name, value } of rows) {
      if (name === "event") continue;
      const sequence = `pg_get_serial_sequence('${name}', 'seq')`;
      const [last, isGiven] = [Math.max(Number(value), 1), Number(value) > 0];
      await this.#client.rows(`SELECT setval(${sequence}, $1::bigint, $2::boolean)`, [last, isGiven]);
    }
    const facts = new Columns(2);
    if (rows.length > 0) facts.add(NUMBERED_THROUGH, numberOf("event"));
    await this.#proven(this.#client.rows(writingOf("fact"), [...common, ...facts.texts]));
  }

  async #proven(answer: Promise<readonly unknown[]>): Promise<void> {
    if ((await answer).length === 0) throw this.#lease.lost();
  }
}

/** A value of the tables in the neutral form. */
function neutral(value: unknown, type: ColumnType): Value {
  if (value === null || value === undefined) return null;
  switch (type) {
    case "number":
      return Number(value);
    case "text":
      return original(value as string);
    case "numbers":
      return numbersOf(value);
    case "bytes":
      // Not a Buffer.
      return new Uint8Array(value as Uint8Array);
    default:
      return value as string | boolean;
  }
}

function storedKey(value: Value, type: ColumnType): string | number {
  return type === "text" ? plain(String(value)) : value as string | number;
}

/** A value of the neutral form, as text of a column. */
function stored(value: Value, type: ColumnType): string | number | boolean | null {
  if (value instanceof Uint8Array) return `\\x${value.toHex()}`;
  if (typeof value === "string") return type === "text" ? plain(value) : value;
  return typeof value === "object" && value !== null ? arrayOf(value) : value;
}

const EMPTIED = [
  "notification",
  "rejection",
  "server",
  "port",
  "floatingip",
  "plugin",
  "event",
  "event_order",
  "delivery",
  "failure",
  "pending_update",
  "gap",
  "comparison",
  "audit_trail",
  "priming",
  "fact",
] as const;
