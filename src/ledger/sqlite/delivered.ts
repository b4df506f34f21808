import type { Detail } from "../../model/detail.ts";
import type { DeliveredLedger, DeliveryRecord, Redelivery } from "../../model/delivered.ts";
import type { Subject } from "../../model/event.ts";
import type { OperatorResult } from "../../model/operations.ts";
import { type Database, openDatabase, prepareAll, type Statements } from "./database.ts";
import { serverOf } from "./lasting_events.ts";
import { SqliteMemory } from "./memory.ts";
import { PluginNumbers } from "./plugin_numbers.ts";
import { Redeliveries } from "./redelivery.ts";

type Row = Readonly<Record<string, unknown>>;

/** Deliveries of one page. */
const PAGE = 1000;

/** Opens a ledger for `audit`. Safe beside a running service. */
export function openDelivered(file: string): DeliveredLedger {
  return new SqliteDelivered(openDatabase(file, { create: false }));
}

class SqliteDelivered implements DeliveredLedger {
  readonly memory: SqliteMemory;
  readonly #database: Database;
  readonly #plugins: PluginNumbers;
  readonly #redeliveries: Redeliveries;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#database = database;
    this.memory = new SqliteMemory(database);
    this.#plugins = new PluginNumbers(database);
    this.#redeliveries = new Redeliveries(database, this.#plugins);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  *deliveries(plugin: string): Iterable<readonly DeliveryRecord[]> {
    for (let after = 0;;) {
      const rows = this.#sql.deliveries.all(this.#plugins.of(plugin), after, PAGE);
      yield rows.map(recordOf);
      after = Number(rows.at(-1)?.["seq"]);
      if (rows.length < PAGE) return;
    }
  }

  details(seqs: readonly number[]): ReadonlyMap<number, Detail> {
    return this.#values(seqs, "detail") as ReadonlyMap<number, Detail>;
  }

  orderKeys(seqs: readonly number[]): ReadonlyMap<number, readonly number[]> {
    return this.#values(seqs, "order_keys") as ReadonlyMap<number, readonly number[]>;
  }

  redeliver(redelivery: Redelivery): readonly OperatorResult[] {
    return this.#redeliveries.redeliver(redelivery);
  }

  #values(seqs: readonly number[], column: "detail" | "order_keys"): ReadonlyMap<number, unknown> {
    return new Map(seqs.flatMap((seq) => {
      const text = this.#sql[column].get(seq)?.["value"] ?? null;
      return text === null ? [] : [[seq, JSON.parse(text as string)] as const];
    }));
  }
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
  detail: `SELECT detail AS value FROM event WHERE seq = ?`,
  order_keys: `SELECT order_keys AS value FROM event WHERE seq = ?`,
} as const;
