import type { Decision } from "../../model/decision.ts";
import type { ServerSnapshot, WatcherEvent } from "../../model/event.ts";
import type { Gap } from "../../model/gap.ts";
import type {
  Arrival,
  Decider,
  Delivery,
  DetailRecord,
  ImmediateDetail,
  ImmediateMaker,
  Ledger,
  LedgerEvent,
} from "../../model/ledger.ts";
import { LISTINGS, type Primer, type PrimingProgress, type ReadyQuery, type Settlement } from "../../model/ledger.ts";
import type { TargetOutage } from "../../model/outage.ts";
import { type Arrived, sentOf } from "../identity.ts";
import { learnedMemory } from "../learn.ts";
import { GroupCommit } from "./group_commit.ts";
import { type Database, prepareAll, reading, type Statements } from "./database.ts";
import { PARTITION_EVENTS } from "./schema.ts";
import { RecentEvents } from "./recent_events.ts";
import { Deliveries } from "./deliveries.ts";
import { Outages } from "./outages.ts";
import { PluginNumbers } from "./plugins.ts";
import { Queues, type QueuesOptions, type QueueState } from "./queues.ts";
import { announced, NONE, ReadyDeliveries } from "./ready.ts";
import { SqliteGaps } from "./gaps.ts";
import { SqliteMemory } from "./memory.ts";

/** So many more of a queue are looked at for as many as asked for: thousands may wait for the first of them. */
const MANY = 1000;

/** What waits to be decided is read so many at a time: each may be a mebibyte. */
const READ_AT_ONCE = 16;

/** A transaction that has read so much decides nothing more: it would keep the event loop for too long. */
const ENOUGH_CHARACTERS = 2_097_152;

/** The longest that an outcome waits for others to share its transaction, where no later event waits for it. */
const SETTLE_WITHIN_MS = 10;

/** The ledger in one SQLite file: each call is part of one transaction, on disk when the promise resolves. */
export class SqliteLedger implements Ledger {
  readonly #commits: GroupCommit;
  readonly #now: () => number;
  readonly #memory: SqliteMemory;
  readonly #gaps: SqliteGaps;
  readonly #plugins: PluginNumbers;
  /** What need not be read to attempt a delivery of one of the newest events. */
  readonly #recent = new RecentEvents();
  readonly #queues: Queues;
  readonly #deliveries: Deliveries;
  readonly #ready: ReadyDeliveries;
  readonly #outages: Outages;
  readonly #sql: Statements<typeof STATEMENTS>;
  /** The plugins that get a delivery of every event. */
  #active: readonly number[] = [];
  /** Recorded in the transaction under way and not written yet: what is decided in the same one is written once, as what it became. */
  #arrived: Arrived[] = [];
  readonly #arrivedIds = new Set<string>();
  /** Whether the file may hold some that wait to be decided. */
  #mayHoldUndecided = true;

  constructor(database: Database, now: () => number, options: QueuesOptions = {}) {
    this.#commits = new GroupCommit(database, {
      onBegin: () => this.#queues.begin(),
      onCommit: () => this.#writeArrived(),
      onRolledBack: () => this.#forgetArrived(),
    });
    this.#now = now;
    this.#memory = new SqliteMemory(database);
    this.#gaps = new SqliteGaps(database);
    this.#plugins = new PluginNumbers(database);
    this.#queues = new Queues(database, options);
    const known = { plugins: this.#plugins, queues: this.#queues, recent: this.#recent };
    this.#deliveries = new Deliveries(database, known);
    this.#ready = new ReadyDeliveries(database, known);
    this.#outages = new Outages(database);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  record(arrivals: readonly Arrival[]): Promise<number> {
    return this.#commits.run(() => {
      let recorded = 0;
      for (const arrival of arrivals) recorded += this.#record(arrival);
      return recorded;
    });
  }

  decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    // What is recorded with it is written once, and not read again.
    return this.#commits.runLast(() => {
      const made = new Map<string, NewEvent>();
      const deciding = { decider, made, mostEvents: limit };
      const { decided, isLast } = this.#decideWritten(limit, deciding);
      const arrived = isLast ? this.#decideArrived(limit - decided, deciding) : 0;
      for (const event of made.values()) this.#announce(event, make?.(event.event) ?? null);
      return decided + arrived;
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
    this.#active = await this.#commits.run(() => {
      this.#outages.begin(plugins);
      return this.#plugins.activate(plugins);
    });
    this.#queues.shareAmong(plugins.length);
  }

  async ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    return await this.#atOneMoment(query, () => this.#ready.ready(query));
  }

  async nextDueAt(plugin: string): Promise<number | null> {
    return await this.#atOneMoment({ plugin, limit: 1 }, () => this.#ready.nextDueAt(plugin));
  }

  recordGap(gap: Gap): Promise<void> {
    return this.#commits.run(() => this.#gaps.put(gap));
  }

  // deno-lint-ignore require-await -- as above
  async openGaps(): Promise<readonly Gap[]> {
    return reading(() => this.#gaps.open());
  }

  /** What the file does not say of a plugin's queue. */
  async queueOf(plugin: string): Promise<QueueState> {
    return await this.#atOneMoment({ plugin, limit: 1 }, () => this.#queues.stateOf(this.#plugins.of(plugin)));
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    const settle = () => {
      for (const settlement of settlements) this.#deliveries.settle(settlement);
    };
    const isAwaited = reading(() => settlements.some((settlement) => this.#deliveries.isAwaited(settlement)));
    await (isAwaited ? this.#commits.run(settle) : this.#commits.runWithin(SETTLE_WITHIN_MS, settle));
  }

  async noteOutage(plugin: string, outage: TargetOutage | null): Promise<void> {
    await this.#commits.runWithin(SETTLE_WITHIN_MS, () => this.#outages.note(plugin, outage));
  }

  // deno-lint-ignore require-await -- as above
  async probeRequests(plugin: string): Promise<number> {
    return reading(() => this.#outages.probeRequests(plugin));
  }

  /**
   * What file and memory say together, once so many deliveries of a plugin are in memory that are ready, or all are; when many had to be looked at, fewer
   * will do. That they belong together is looked at last: another process may write between two statements, and what was read by then would be of
   * before and after.
   */
  async #atOneMoment<Result>(
    { plugin, limit, busy = NONE }: Pick<ReadyQuery, "plugin" | "limit" | "busy">,
    read: () => Result,
  ): Promise<Result> {
    const number = reading(() => this.#plugins.of(plugin));
    for (let looked = 0;;) {
      const wanted = looked < limit + MANY ? limit : Math.min(limit, 1);
      if (reading(() => this.#queues.lacks(number, { limit: wanted, busy }))) {
        looked += await this.#commits.run(() => this.#queues.readOn(number));
        continue;
      }
      const result = reading(read);
      if (reading(() => this.#queues.isCurrent())) return result;
      // It begins with what is true.
      await this.#commits.run(() => {});
    }
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
    const { messageId } = arrival.notification;
    const sent = sentOf(arrival);
    const id = `${sent} ${messageId}`;
    if (this.#arrivedIds.has(id) || this.#sql.known.get(sent, messageId) !== undefined) return 0;
    this.#arrivedIds.add(id);
    this.#arrived.push(arrival);
    return 1;
  }

  /** Decides what earlier transactions wrote. `isLast`: nothing of that is left, and there is time for more. */
  #decideWritten(
    limit: number,
    { decider, made, mostEvents }: Deciding,
  ): { readonly decided: number; readonly isLast: boolean } {
    let [decided, characters] = [0, 0];
    while (this.#mayHoldUndecided) {
      const wanted = Math.min(limit - decided, READ_AT_ONCE);
      const rows = wanted > 0 ? this.#sql.undecided.all(wanted) : [];
      for (const row of rows) {
        const body = row["body"] as string;
        if (made.size >= mostEvents || characters >= ENOUGH_CHARACTERS) return { decided, isLast: false };
        const decision = decider(JSON.parse(body), this.#memory);
        if (decision === null) return { decided, isLast: false };
        const seq = Number(row["seq"]);
        this.#sql.decided.run(decision.outcome, decision.reason, keepsBody(decision) ? 1 : 0, seq);
        this.#apply(seq, decision, made);
        characters += body.length;
        decided++;
      }
      if (wanted === 0) return { decided, isLast: false };
      this.#mayHoldUndecided = rows.length === wanted;
    }
    return { decided, isLast: true };
  }

  /** Decides what this transaction recorded. */
  #decideArrived(limit: number, { decider, made, mostEvents }: Deciding): number {
    let decided = 0;
    for (const arrived of this.#arrived.slice(0, limit)) {
      if (made.size >= mostEvents) break;
      const decision = decider(arrived.notification, this.#memory);
      if (decision === null) break;
      this.#apply(this.#write(arrived, decision), decision, made);
      decided++;
    }
    this.#arrived.splice(0, decided);
    return decided;
  }

  #write(arrived: Arrived, decision: Decision | null): number {
    const { notification, receivedAt } = arrived;
    const { messageId, eventType } = notification;
    const body = decision === null || keepsBody(decision) ? JSON.stringify(notification) : null;
    const [outcome, reason] = decision === null ? [null, null] : [decision.outcome, decision.reason];
    const sent = sentOf(arrived);
    return Number(this.#sql.record.run(messageId, sent, eventType, receivedAt, body, outcome, reason).lastInsertRowid);
  }

  #writeArrived(): void {
    for (const arrived of this.#arrived) this.#write(arrived, null);
    if (this.#arrived.length > 0) this.#mayHoldUndecided = true;
    this.#arrived = [];
    this.#arrivedIds.clear();
  }

  #forgetArrived(): void {
    this.#mayHoldUndecided = true;
    this.#arrived = [];
    this.#arrivedIds.clear();
    this.#recent.clear();
    this.#queues.rolledBack();
  }

  #apply(notification: number, { events, fill, changes }: Decision, made: Map<string, NewEvent>): void {
    this.#memory.apply(changes, { seq: notification, now: this.#now() });
    if (fill !== null) this.#fill(fill, made);
    // The same fact is one event, even if a decision forgot that it was known: failing here would fail for ever.
    for (const event of events) if (!made.has(event.key)) made.set(event.key, { notification, event });
  }

  /** Once for all decisions of a transaction: by then they have filled what they can. */
  #announce({ notification, event }: NewEvent, made: ImmediateDetail | null): void {
    const now = this.#now();
    const orderKeys = this.#deliveries.numbersOf(event.orderKeys);
    const keys = JSON.stringify(orderKeys);
    const detail = made === null ? null : JSON.stringify(made.detail);
    const missing = made === null ? null : JSON.stringify(made.missing);
    const told = announced(event);
    // What else there is to an event is for its detail.
    const data = JSON.stringify(made === null ? event : told);
    const added = this.#sql.addEvent.run(event.key, notification, now, data, keys, detail, missing);
    if (Number(added.changes) === 0) return;
    const seq = Number(added.lastInsertRowid);
    for (const orderKey of orderKeys) this.#sql.addOrderKey.run(Math.trunc(seq / PARTITION_EVENTS), orderKey, seq);
    let inMemory = 0;
    for (const plugin of this.#active) {
      if (this.#deliveries.add({ plugin, seq, dueAt: now, orderKeys, detailed: made !== null })) inMemory++;
    }
    if (detail !== null && missing !== null && inMemory > 0) {
      this.#recent.add(seq, { event: told, detail, missing, orderKeys }, inMemory);
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

interface Deciding {
  readonly decider: Decider;
  /** The events that this transaction has made so far, by their keys. */
  readonly made: Map<string, NewEvent>;
  /** With so many events nothing more is decided. */
  readonly mostEvents: number;
}

/** An event that was decided and is not written yet. */
interface NewEvent {
  /** The notification that made it known. */
  readonly notification: number;
  readonly event: WatcherEvent;
}

/** The notification stays for whom it led to something, or was to be. */
function keepsBody({ outcome }: Decision): boolean {
  return outcome === "event" || outcome === "superseded";
}

const STATEMENTS = {
  known: `SELECT 1 FROM notification WHERE sent = ? AND message_id = ?`,
  record: `INSERT INTO notification (message_id, sent, event_type, received_at, body, outcome, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  reject:
    `INSERT INTO rejection (received_at, reason, size, sha256, exchange, routing_key, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  undecided: `SELECT seq, body FROM notification WHERE outcome IS NULL ORDER BY seq LIMIT ?`,
  decided: `UPDATE notification SET outcome = ?, reason = ?, body = iif(?, body, NULL) WHERE seq = ?`,
  addEvent:
    `INSERT INTO event (key, notification, decided_at, data, order_keys, detail, missing) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO NOTHING`,
  addOrderKey: `INSERT INTO event_order (span, order_key, seq) VALUES (?, ?, ?)`,
  unstoredEvent: `SELECT seq, data FROM event WHERE key = ? AND detail IS NULL`,
  replaceEvent: `UPDATE event SET data = ? WHERE seq = ?`,
  undetailed: `SELECT seq, data FROM event WHERE detail IS NULL AND seq > ? ORDER BY seq LIMIT ?`,
  event: `SELECT data FROM event WHERE seq = ?`,
  priming: `SELECT next, done, count FROM priming WHERE listing = ?`,
  putPriming: `INSERT OR REPLACE INTO priming (listing, next, done, count) VALUES (?, ?, ?, ?)`,
  storeDetail: `UPDATE event SET detail = ?, missing = ? WHERE seq = ?`,
} as const;
