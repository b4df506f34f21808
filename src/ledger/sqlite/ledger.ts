import type { Gap } from "../../model/gap.ts";
import type {
  AnnouncedUpdates,
  Arrival,
  CreationFate,
  Decider,
  Delivery,
  DetailRecord,
  FollowOptions,
  ImmediateMaker,
  Ledger,
  LedgerEvent,
} from "../../model/ledger.ts";
import { LISTINGS, type Primer, type PrimingProgress, type ReadyQuery, type Settlement } from "../../model/ledger.ts";
import type { TargetOutage } from "../../model/outage.ts";
import type { PauseState, PluginPause } from "../../model/pause.ts";
import { type AddedEvents, Announcer, type WriteOptions } from "../announcer.ts";
import type { NewEvent } from "../new_event.ts";
import { PendingUpdates } from "../pending_updates.ts";
import { BEGAN_AT } from "./comparisons.ts";
import { CreationFates } from "./creation_fates.ts";
import { ConsistentReads } from "./consistent_reads.ts";
import { type Database, prepareAll, reading, type Statements } from "./database.ts";
import { Deliveries } from "./deliveries.ts";
import { Events } from "./events.ts";
import { SqliteGaps } from "./gaps.ts";
import { GroupCommit } from "./group_commit.ts";
import { LAST_SEEN } from "./housekeeping.ts";
import { SqliteMemory } from "./memory.ts";
import { Notifications } from "./notifications.ts";
import { Outages } from "./outages.ts";
import { Pauses } from "./pauses.ts";
import type { QueueState } from "./plugin_queue.ts";
import { PluginNumbers } from "./plugin_numbers.ts";
import { Queues, type QueuesOptions } from "./queues.ts";
import { ReadyDeliveries } from "./ready_deliveries.ts";
import { RecentEvents } from "../recent_events.ts";
import { SqliteUpdateStore } from "./update_store.ts";

/** The longest that an outcome waits for a transaction to share, if it blocks no later delivery. */
const SETTLE_WITHIN_MS = 10;

/**
 * The ledger in one SQLite file. Each call joins a group commit; its promise resolves when the
 * transaction is on disk. `src/ledger/README.md` has the tables and the life of a notification.
 */
export class SqliteLedger implements Ledger {
  readonly #commits: GroupCommit;
  readonly #now: () => number;
  readonly #lastRunAt: number | null;
  readonly #memory: SqliteMemory;
  readonly #gaps: SqliteGaps;
  readonly #plugins: PluginNumbers;
  readonly #recent = new RecentEvents();
  readonly #queues: Queues;
  readonly #notifications: Notifications;
  readonly #events: Events;
  readonly #deliveries: Deliveries;
  readonly #ready: ReadyDeliveries;
  readonly #consistent: ConsistentReads;
  readonly #outages: Outages;
  readonly #pauses: Pauses;
  readonly #updates: PendingUpdates;
  readonly #announcer: Announcer;
  readonly #database: Database;
  /** Few plugins have a filter. */
  #fates: CreationFates | undefined;
  readonly #sql: Statements<typeof STATEMENTS>;
  /** The numbers of the plugins that get a delivery of every event. */
  #active: readonly number[] = [];

  constructor(database: Database, now: () => number, options: QueuesOptions = {}) {
    this.#commits = new GroupCommit(database, {
      onBegin: () => {
        if (this.#queues.begin()) this.#othersWrote();
      },
      onCommit: () => this.#notifications.writeRest(),
      onRolledBack: () => this.#rolledBack(),
    });
    this.#now = now;
    this.#database = database;
    this.#memory = new SqliteMemory(database);
    this.#gaps = new SqliteGaps(database);
    this.#plugins = new PluginNumbers(database);
    this.#queues = new Queues(database, options);
    this.#notifications = new Notifications(database);
    this.#events = new Events(database);
    const inMemory = { plugins: this.#plugins, queues: this.#queues, recent: this.#recent };
    this.#deliveries = new Deliveries(database, inMemory);
    this.#ready = new ReadyDeliveries(database, inMemory);
    this.#consistent = new ConsistentReads({ commits: this.#commits, ...inMemory });
    this.#outages = new Outages(database);
    this.#pauses = new Pauses(database);
    const hashesOf = (orderKeys: readonly string[]) => this.#deliveries.hashesOf(orderKeys);
    const common = { memory: this.#memory, now, hashesOf };
    this.#updates = new PendingUpdates({ store: new SqliteUpdateStore(database), ...common });
    this.#announcer = new Announcer({
      updates: this.#updates,
      fill: (fill) => this.#events.fill(fill),
      write: (event, options) => this.#write(event, options),
      ...common,
    });
    this.#sql = prepareAll(database, STATEMENTS);
    const lastRunAt = this.#sql.fact.get(LAST_SEEN)?.["value"];
    this.#lastRunAt = lastRunAt === undefined ? null : Number(lastRunAt);
  }

  record(arrivals: readonly Arrival[]): Promise<number> {
    return this.#commits.run(() => arrivals.filter((arrival) => this.#notifications.record(arrival)).length);
  }

  decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    // Runs after record(): a notification that is decided in the same turn is written only once.
    return this.#commits.runLast(() => {
      const events: AddedEvents = new Map();
      const decided = this.#notifications.decide(limit, {
        decide: (notification) => events.size < limit ? decider(notification, this.#memory) : null,
        apply: (decided, decision) => this.#announcer.apply(decided, decision, events),
      });
      this.#announcer.write(events, make);
      return decided;
    });
  }

  async follow(options: FollowOptions): Promise<void> {
    await this.#commits.run(() => this.#updates.follow(options));
    this.#memory.cacheServers();
  }

  async announceUpdates(limit: number, make?: ImmediateMaker): Promise<AnnouncedUpdates> {
    // Most calls find nothing: these need no transaction.
    const due = reading(() => this.#updates.due(limit));
    const settled = due.length === 0 ? 0 : await this.#commits.run(() => {
      const updates: AddedEvents = new Map();
      const settled = this.#announcer.settleAll(due, updates);
      this.#announcer.write(updates, make);
      return settled;
    });
    return { settled, nextDueAt: reading(() => this.#updates.nextDueAt()) };
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
      this.#sql.begin.run(BEGAN_AT, String(this.#now()));
    });
  }

  // deno-lint-ignore require-await -- as above
  async undetailed(limit: number, after = 0): Promise<readonly LedgerEvent[]> {
    return reading(() => this.#events.undetailed({ limit, after, memory: this.#memory }));
  }

  async storeDetails(details: readonly DetailRecord[]): Promise<void> {
    await this.#commits.run(() => {
      for (const record of details) {
        this.#events.storeDetail(record);
        this.#deliveries.detailStored(record.seq);
        const server = this.#events.learned(record, this.#memory);
        if (server !== null) this.#memory.learn(server);
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
    return await this.#consistent.read(query, () => this.#ready.ready(query));
  }

  async nextDueAt(plugin: string): Promise<number | null> {
    return await this.#consistent.read({ plugin, limit: 1 }, () => this.#ready.nextDueAt(plugin));
  }

  recordGap(gap: Gap): Promise<void> {
    return this.#commits.run(() => this.#gaps.put(gap));
  }

  // deno-lint-ignore require-await -- as above
  async openGaps(): Promise<readonly Gap[]> {
    return reading(() => this.#gaps.open());
  }

  lastRunAt(): Promise<number | null> {
    return Promise.resolve(this.#lastRunAt);
  }

  /** In-memory state of one plugin's delivery queue. */
  async queueOf(plugin: string): Promise<QueueState> {
    return await this.#consistent.read({ plugin, limit: 1 }, () => this.#queues.stateOf(this.#plugins.of(plugin)));
  }

  // deno-lint-ignore require-await -- as above
  async creationFate(plugin: string, event: { readonly seq: number; readonly key: string }): Promise<CreationFate> {
    return reading(() => (this.#fates ??= new CreationFates(this.#database, this.#plugins)).of(plugin, event));
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

  // deno-lint-ignore require-await -- as above
  async pauseOf(plugin: string): Promise<PauseState> {
    return reading(() => this.#pauses.of(plugin));
  }

  /** The plugins that are paused, by name. */
  // deno-lint-ignore require-await -- as above
  async pauses(): Promise<ReadonlyMap<string, PluginPause>> {
    return reading(() => this.#pauses.all());
  }

  /** Another process has written to the file. */
  #othersWrote(): void {
    this.#notifications.othersWrote();
    this.#memory.forgetCached();
  }

  #rolledBack(): void {
    this.#notifications.rolledBack();
    this.#memory.forgetCached();
    this.#recent.clear();
    this.#queues.rolledBack();
    this.#updates.rolledBack();
  }

  /** Writes an event, and a delivery of it for each active plugin that gets it. */
  #write(event: NewEvent, { orderKeys, followers, immediate }: WriteOptions): void {
    const now = this.#now();
    const added = this.#events.add(event, { decidedAt: now, orderKeys, immediate });
    if (added === null) return;
    const { seq, recent } = added;
    let inMemory = 0;
    for (const plugin of this.#active) {
      if (followers !== null && !followers.has(plugin)) continue;
      if (this.#deliveries.add({ plugin, seq, dueAt: now, orderKeys, detailed: immediate !== null })) inMemory++;
    }
    if (recent !== null && inMemory > 0) this.#recent.add(seq, recent, inMemory);
  }
}

const STATEMENTS = {
  priming: `SELECT next, done, count FROM priming WHERE listing = ?`,
  fact: `SELECT value FROM fact WHERE name = ?`,
  begin: `INSERT OR IGNORE INTO fact (name, value) VALUES (?, ?)`,
  putPriming: `INSERT OR REPLACE INTO priming (listing, next, done, count) VALUES (?, ?, ?, ?)`,
} as const;
