import type { Decision } from "../model/decision.ts";
import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type {
  Arrival,
  Decider,
  Delivery,
  DetailRecord,
  Ledger,
  LedgerEvent,
  PromptDetail,
  PromptMaker,
} from "../model/ledger.ts";
import { LISTINGS, type Primer, type PrimingProgress, type ReadyQuery, type Settlement } from "../model/ledger.ts";
import { learnedMemory } from "./learn.ts";
import { GroupCommit } from "./group_commit.ts";
import { type Database, prepareAll, reading, type Statements } from "./sqlite.ts";
import { Deliveries } from "./sqlite_deliveries.ts";
import { SqliteMemory } from "./sqlite_memory.ts";

/** The ledger in one SQLite file: each call is part of one transaction, on disk when the promise resolves. */
export class SqliteLedger implements Ledger {
  readonly #commits: GroupCommit;
  readonly #now: () => number;
  readonly #memory: SqliteMemory;
  readonly #deliveries: Deliveries;
  readonly #sql: Statements<typeof STATEMENTS>;
  #plugins: readonly number[] = [];

  constructor(database: Database, now: () => number) {
    this.#commits = new GroupCommit(database);
    this.#now = now;
    this.#memory = new SqliteMemory(database);
    this.#deliveries = new Deliveries(database);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  record(arrivals: readonly Arrival[]): Promise<number> {
    return this.#commits.run(() => {
      let recorded = 0;
      for (const arrival of arrivals) recorded += this.#record(arrival);
      return recorded;
    });
  }

  decide(limit: number, decider: Decider, make?: PromptMaker): Promise<number> {
    return this.#commits.run(() => {
      const events = new Map<string, NewEvent>();
      const rows = this.#sql.undecided.all(limit);
      const undecided = rows.findIndex((row) => {
        const decision = decider(JSON.parse(row["body"] as string), this.#memory);
        if (decision !== null) this.#apply(Number(row["seq"]), decision, events);
        return decision === null;
      });
      for (const event of events.values()) this.#announce(event, make?.(event.event) ?? null);
      return undecided === -1 ? rows.length : undecided;
    });
  }

  // deno-lint-ignore require-await -- async turns what SQLite throws into a rejection
  async priming(): Promise<readonly PrimingProgress[]> {
    return reading(() =>
      LISTINGS.flatMap((listing) => {
        const row = this.#sql.priming.get(listing);
        if (row === undefined) return [];
        return [{ listing, next: row["next"] as string | null, done: row["done"] === 1, count: Number(row["count"]) }];
      })
    );
  }

  async prime(primer: Primer): Promise<void> {
    await this.#commits.run(() => {
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

  async storeDetails(details: readonly DetailRecord[]): Promise<void> {
    await this.#commits.run(() => {
      for (const record of details) {
        const { seq, detail, missing } = record;
        this.#sql.storeDetail.run(JSON.stringify(detail), JSON.stringify(missing), seq);
        this.#deliveries.detailed(seq);
        if (record.learned !== null) this.#learn(record);
      }
    });
  }

  async activate(plugins: readonly string[]): Promise<void> {
    this.#plugins = await this.#commits.run(() => plugins.map((name) => this.#deliveries.addPlugin(name)));
  }

  // deno-lint-ignore require-await -- as above
  async ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    return reading(() => this.#deliveries.ready(query));
  }

  // deno-lint-ignore require-await -- as above
  async nextDueAt(plugin: string): Promise<number | null> {
    return reading(() => this.#deliveries.nextDueAt(plugin));
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    await this.#commits.run(() => {
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

  #apply(
    notification: number,
    { outcome, reason, events, fill, changes }: Decision,
    made: Map<string, NewEvent>,
  ): void {
    this.#memory.apply(changes, { seq: notification, now: this.#now() });
    if (fill !== null) this.#fill(fill, made);
    // The same fact is one event, even if a decision forgot that it was known: failing here would fail for ever.
    for (const event of events) if (!made.has(event.key)) made.set(event.key, { notification, event });
    const keepBody = outcome === "event" || outcome === "superseded" ? 1 : 0;
    this.#sql.decided.run(outcome, reason, keepBody, notification);
  }

  /** Once for all decisions of a transaction: by then they have filled what they can. */
  #announce({ notification, event }: NewEvent, made: PromptDetail | null): void {
    const now = this.#now();
    const { key, orderKeys } = event;
    const [detail, missing] = made === null
      ? [null, null]
      : [made.detail, made.missing].map((one) => JSON.stringify(one));
    const keys = JSON.stringify(orderKeys);
    const added = this.#sql.addEvent.run(key, notification, now, JSON.stringify(event), keys, detail, missing);
    if (Number(added.changes) === 0) return;
    const seq = Number(added.lastInsertRowid);
    for (const orderKey of orderKeys) this.#sql.addOrderKey.run(orderKey, seq);
    for (const plugin of this.#plugins) {
      this.#deliveries.add({ plugin, seq, dueAt: now, orderKeys, detailed: made !== null });
    }
  }

  #fill(
    { key, server }: { readonly key: string; readonly server: ServerSnapshot },
    made: Map<string, NewEvent>,
  ): void {
    const fresh = made.get(key);
    if (fresh !== undefined) {
      made.set(key, { ...fresh, event: { ...fresh.event, server } });
      return;
    }
    const row = this.#sql.unstoredEvent.get(key);
    if (row === undefined) return;
    const event: WatcherEvent = { ...JSON.parse(row["data"] as string), server };
    this.#sql.replaceEvent.run(JSON.stringify(event), Number(row["seq"]));
  }
}

/** An event that was decided and is not written yet. */
interface NewEvent {
  /** The notification that made it known. */
  readonly notification: number;
  readonly event: WatcherEvent;
}

const STATEMENTS = {
  record: `INSERT INTO notification (message_id, event_type, time, received_at, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (message_id) DO NOTHING`,
  reject:
    `INSERT INTO rejection (received_at, reason, size, sha256, exchange, routing_key, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  undecided: `SELECT seq, body FROM notification WHERE outcome IS NULL ORDER BY seq LIMIT ?`,
  decided: `UPDATE notification SET outcome = ?, reason = ?, body = iif(?, body, NULL) WHERE seq = ?`,
  addEvent:
    `INSERT INTO event (key, notification, decided_at, data, order_keys, detail, missing) VALUES (?, ?, ?, ?, ?, ?, ?)
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
