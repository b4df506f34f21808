// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import type { Detail } from "../../model/detail.ts";
import type { DeliveredLedger, DeliveryRecord, Redelivery } from "../../model/delivered.ts";
import type { Subject } from "../../model/event.ts";
import { toldDetail } from "../../model/following.ts";
import type { FloatingIpMemory, ServerMemory } from "../../model/memory.ts";
import type { OperatorResult } from "../../model/operations.ts";
import { type Database, openDatabase, prepareAll, type Statements } from "./database.ts";
import { serverOf } from "./lasting_events.ts";
import { SqliteMemory } from "./memory.ts";
import { PluginNumbers } from "./plugin_numbers.ts";
import { storedEvent } from "../recent_events.ts";
import { Redeliveries } from "./redelivery.ts";
import { ToldDetails } from "./told_details.ts";

type Row = Readonly<Record<string, unknown>>;

/** Deliveries of one page. */
const PAGE = 1000;

/** Opens a ledger for `audit`. Safe beside a running service. */
export function openDelivered(file: string): DeliveredLedger {
  return new SqliteDelivered(openDatabase(file, { create: false }));
}

class SqliteDelivered implements DeliveredLedger {
  readonly #memory: SqliteMemory;
  readonly #database: Database;
  readonly #plugins: PluginNumbers;
  readonly #redeliveries: Redeliveries;
  readonly #told: ToldDetails;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#database = database;
    this.#memory = new SqliteMemory(database);
    this.#plugins = new PluginNumbers(database);
    this.#redeliveries = new Redeliveries(database, this.#plugins);
    this.#told = new ToldDetails(database, this.#plugins);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  async *deliveries(plugin: string): AsyncIterable<readonly DeliveryRecord[]> {
    for (let after = 0;;) {
      const rows = this.#sql.deliveries.all(this.#plugins.of(plugin), after, PAGE);
      yield rows.map(recordOf);
      after = Number(rows.at(-1)?.["seq"]);
      if (rows.length < PAGE) return;
    }
  }

  async details(plugin: string, seqs: readonly number[]): Promise<ReadonlyMap<number, Detail>> {
    return new Map(seqs.flatMap((seq) => {
      const row = this.#sql.detail.get(seq);
      const text = row?.["detail"] ?? null;
      if (row === undefined || text === null) return [];
      const event = storedEvent(row["data"]);
      const detail: Detail = JSON.parse(text as string);
      if (event.updates === undefined || event.updated) return [[seq, detail] as const];
      const before = this.#told.before(plugin, { ...event, seq });
      return [[seq, toldDetail({ detail, before }, { subject: event.subject, following: null })] as const];
    }));
  }

  async orderKeys(seqs: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>> {
    return new Map(seqs.flatMap((seq) => {
      const text = this.#sql.orderKeys.get(seq)?.["order_keys"] ?? null;
      return text === null ? [] : [[seq, JSON.parse(text as string)] as const];
    }));
  }

  async servers(ids: readonly string[]): Promise<ReadonlyMap<string, ServerMemory>> {
    return found(ids, (id) => this.#memory.server(id));
  }

  async floatingIps(ids: readonly string[]): Promise<ReadonlyMap<string, FloatingIpMemory>> {
    return found(ids, (id) => this.#memory.floatingIp(id));
  }

  async redeliver(redelivery: Redelivery): Promise<readonly OperatorResult[]> {
    return this.#redeliveries.redeliver(redelivery);
  }
}

/** What a lookup finds, by id. */
function found<Remembered>(
  ids: readonly string[],
  lookUp: (id: string) => Remembered | undefined,
): ReadonlyMap<string, Remembered> {
  return new Map(ids.flatMap((id) => {
    const remembered = lookUp(id);
    return remembered === undefined ? [] : [[id, remembered] as const];
  }));
}

function recordOf(row: Row): DeliveryRecord {
  const [key, finishedAt, serverId] = [String(row["key"]), row["finished_at"] ?? null, row["server_id"] ?? null];
  return {
    seq: Number(row["seq"]),
    key,
    subject: row["subject"] as Subject,
    created: row["created"] === 1,
    serverId: serverId === null ? null : String(serverId),
    state: finishedAt === null ? "unfinished" : row["state"] as DeliveryRecord["state"],
    finishedAt: finishedAt === null ? null : Number(finishedAt),
  };
}

const STATEMENTS = {
  deliveries: `SELECT e.seq, e.key, json_extract(e.data, '$.subject') AS subject,
      json_extract(e.data, '$.created') AS created, ${serverOf("e")} AS server_id, d.state, d.finished_at
    FROM event AS e CROSS JOIN delivery AS d ON d.seq = e.seq AND d.plugin = ?1
      AND NOT (d.state = 'done' AND d.attempts = 0) -- an update with nothing to tell
    WHERE e.seq > ?2 ORDER BY e.seq LIMIT ?3`,
  detail: `SELECT data, detail FROM event WHERE seq = ?`,
  orderKeys: `SELECT order_keys FROM event WHERE seq = ?`,
} as const;
