import type { Decision } from "../model/decision.ts";
import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type { Arrival, Decider, Delivery, DetailRecord, Ledger, LedgerEvent } from "../model/ledger.ts";
import { LISTINGS, type Primer, type PrimingProgress, type ReadyQuery, type Settlement } from "../model/ledger.ts";
import { learnedMemory } from "./learn.ts";
import { type Database, prepareAll, reading, type Statements, transaction } from "./sqlite.ts";
import { Deliveries } from "./sqlite_deliveries.ts";
import { SqliteMemory } from "./sqlite_memory.ts";

/** The ledger in one SQLite file: each call is one transaction, on disk when the promise resolves. */
export class SqliteLedger implements Ledger {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #memory: SqliteMemory;
  readonly #deliveries: Deliveries;
  readonly #sql: Statements<typeof STATEMENTS>;
  #plugins: readonly number[] = [];

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#memory = new SqliteMemory(database);
    this.#deliveries = new Deliveries(database);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  // deno-lint-ignore require-await -- async turns what SQLite throws into a rejection
  async record(arrivals: readonly Arrival[]): Promise<number> {
    return transaction(this.#database, () => {
      let recorded = 0;
      for (const arrival of arrivals) recorded += this.#record(arrival);
      return recorded;
    });
  }

  // deno-lint-ignore require-await -- as above
  async decide(limit: number, decider: Decider): Promise<number> {
    const rows = reading(() => this.#sql.undecided.all(limit));
    if (rows.length === 0) return 0;
    return transaction(this.#database, () => {
      for (const [decided, row] of rows.entries()) {
        const decision = decider(JSON.parse(row["body"] as string), this.#memory);
        if (decision === null) return decided;
        this.#apply(Number(row["seq"]), decision);
      }
      return rows.length;
    });
  }

  // deno-lint-ignore require-await -- as above
  async priming(): Promise<readonly PrimingProgress[]> {
    return reading(() =>
      LISTINGS.flatMap((listing) => {
        const row = this.#sql.priming.get(listing);
        if (row === undefined) return [];
        return [{ listing, next: row["next"] as string | null, done: row["done"] === 1, count: Number(row["count"]) }];
      })
    );
  }

  // deno-lint-ignore require-await -- as above
  async prime(primer: Primer): Promise<void> {
    transaction(this.#database, () => {
      const { changes, progress } = primer(this.#memory);
      const { listing, next, done, count } = progress;
      this.#memory.prime(changes, this.#now());
      this.#sql.putPriming.run(listing, next, done ? 1 : 0, count);
    });
  }

  // deno-lint-ignore require-await -- as above
  async undetailed(limit: number, after = 0): Promise<readonly LedgerEvent[]> {
    return reading(() =>
      this.#sql.undetailed.all(after, limit).map((row) => {
        const event = JSON.parse(row["data"] as string) as WatcherEvent;
        const remembered = event.server.id === null ? undefined : this.#memory.server(event.server.id);
        return { seq: Number(row["seq"]), event, remembered: remembered?.snapshot ?? null };
      })
    );
  }

  // deno-lint-ignore require-await -- as above
  async storeDetails(details: readonly DetailRecord[]): Promise<void> {
    transaction(this.#database, () => {
      for (const record of details) {
        const { seq, detail, missing } = record;
        this.#sql.storeDetail.run(JSON.stringify(detail), JSON.stringify(missing), seq);
        this.#deliveries.detailed(seq);
        if (record.learned !== null) this.#learn(record);
      }
    });
  }

  // deno-lint-ignore require-await -- as above
  async activate(plugins: readonly string[]): Promise<void> {
    this.#plugins = transaction(this.#database, () => plugins.map((name) => this.#deliveries.addPlugin(name)));
  }

  // deno-lint-ignore require-await -- as above
  async ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    return reading(() => this.#deliveries.ready(query));
  }

  // deno-lint-ignore require-await -- as above
  async nextDueAt(plugin: string): Promise<number | null> {
    return reading(() => this.#deliveries.nextDueAt(plugin));
  }

  // deno-lint-ignore require-await -- as above
  async settle(settlements: readonly Settlement[]): Promise<void> {
    transaction(this.#database, () => {
      for (const settlement of settlements) this.#deliveries.settle(settlement);
    });
  }

  #learn(record: DetailRecord): void {
    const row = this.#sql.event.get(record.seq);
    if (row === undefined) return;
    const event = JSON.parse(row["data"] as string) as WatcherEvent;
    const server = learnedMemory(record, { event, memory: this.#memory });
    if (server !== null) this.#memory.learn(server);
  }

  #record(arrival: Arrival): number {
    if ("rejection" in arrival) {
      const { reason, size, sha256, exchange, routingKey, body } = arrival.rejection;
      this.#sql.reject.run(arrival.receivedAt, reason, size, sha256, exchange, routingKey, body);
      return 1;
    }
    const { messageId, eventType, time } = arrival.notification;
    const body = JSON.stringify(arrival.notification);
    return Number(this.#sql.record.run(messageId, eventType, time, arrival.receivedAt, body).changes);
  }

  #apply(notification: number, { outcome, reason, events, fill, changes }: Decision): void {
    const now = this.#now();
    this.#memory.apply(changes, { seq: notification, now });
    if (fill !== null) this.#fill(fill);
    for (const event of events) {
      const orderKeys = JSON.stringify(event.orderKeys);
      const added = this.#sql.addEvent.run(event.key, notification, now, JSON.stringify(event), orderKeys);
      // The same fact is one event, even if a decision forgot that it was known: failing here would fail for ever.
      if (Number(added.changes) === 0) continue;
      const seq = Number(added.lastInsertRowid);
      for (const key of event.orderKeys) this.#sql.addOrderKey.run(key, seq);
      for (const plugin of this.#plugins) this.#deliveries.add({ plugin, seq, dueAt: now, orderKeys: event.orderKeys });
    }
    const keepBody = outcome === "event" || outcome === "superseded" ? 1 : 0;
    this.#sql.decided.run(outcome, reason, keepBody, notification);
  }

  #fill({ key, server }: { readonly key: string; readonly server: ServerSnapshot }): void {
    const row = this.#sql.unstoredEvent.get(key);
    if (row === undefined) return;
    const event: WatcherEvent = { ...JSON.parse(row["data"] as string), server };
    this.#sql.replaceEvent.run(JSON.stringify(event), Number(row["seq"]));
  }
}

const STATEMENTS = {
  record: `INSERT INTO notification (message_id, event_type, time, received_at, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (message_id) DO NOTHING`,
  reject:
    `INSERT INTO rejection (received_at, reason, size, sha256, exchange, routing_key, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  undecided: `SELECT seq, body FROM notification WHERE outcome IS NULL ORDER BY seq LIMIT ?`,
  decided: `UPDATE notification SET outcome = ?, reason = ?, body = iif(?, body, NULL) WHERE seq = ?`,
  addEvent: `INSERT INTO event (key, notification, decided_at, data, order_keys) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO NOTHING`,
  addOrderKey: `INSERT INTO event_order (order_key, seq) VALUES (?, ?)`,
  unstoredEvent: `SELECT seq, data FROM event WHERE key = ? AND detail IS NULL`,
  replaceEvent: `UPDATE event SET data = ? WHERE seq = ?`,
  undetailed: `SELECT seq, data FROM event WHERE detail IS NULL AND seq > ? ORDER BY seq LIMIT ?`,
  event: `SELECT data FROM event WHERE seq = ?`,
  priming: `SELECT next, done, count FROM priming WHERE listing = ?`,
  putPriming: `INSERT OR REPLACE INTO priming (listing, next, done, count) VALUES (?, ?, ?, ?)`,
  storeDetail: `UPDATE event SET detail = ?, missing = ? WHERE seq = ?`,
} as const;
