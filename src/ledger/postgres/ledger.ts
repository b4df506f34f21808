import type { Gap } from "../../model/gap.ts";
import {
  type AnnouncedUpdates,
  type Arrival,
  type CreationFate,
  type Decider,
  type Delivery,
  type DetailRecord,
  type FollowOptions,
  type ImmediateMaker,
  type Ledger,
  type LedgerEvent,
  LISTINGS,
  type Primer,
  type PrimingProgress,
  type ReadyQuery,
  type Settlement,
} from "../../model/ledger.ts";
import type { Memory } from "../../model/memory.ts";
import type { TargetOutage } from "../../model/outage.ts";
import type { PauseState, PluginPause } from "../../model/pause.ts";
import { pluginLease } from "../../model/tenancy.ts";
import { type OrderHash, orderHash } from "../order_hash.ts";
import { Batcher } from "./batcher.ts";
import type { Queries } from "./client.ts";
import { original, plain } from "./columns.ts";
import { Dispatching } from "./dispatching.ts";
import { Facts } from "./facts.ts";
import { FactsCalls } from "./facts_calls.ts";
import type { Committed } from "./facts_transaction.ts";
import { gapOf } from "./gaps.ts";
import type { HeldLeases } from "./held_leases.ts";
import { look } from "./lease_table.ts";
import { Recorded } from "./notifications.ts";
import { Plugins } from "./plugins.ts";
import type { WindowState } from "./window.ts";

/** The longest that an outcome waits for a statement to share, if it blocks no later delivery. */
const SETTLE_WITHIN_MS = 10;

/** Messages that one statement records. */
const MAX_RECORDED = 500;
/** Outcomes of attempts that one statement settles. */
const MAX_SETTLED = 500;
/** Half of what a lane may have without a record, so that it goes on meanwhile. */
const ENOUGH_SETTLED = 32;

export interface PostgresLedgerOptions {
  readonly queries: Queries;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly leases: HeldLeases;
  /** Whether there are other processes. @default there are none */
  readonly hasOthers?: () => boolean;
  /** Called when decisions are committed: deliveries may have become ready. */
  readonly onCommitted?: () => void;
}

/**
 * The ledger on PostgreSQL, for the stages of one of several processes. A call that changes what is
 * decided, or a plugin's deliveries, needs the lease of that: see `docs/decisions/0024-postgresql.md`.
 */
export class PostgresLedger implements Ledger {
  readonly #options: PostgresLedgerOptions;
  readonly #recorded = new Recorded();
  readonly #recordings: Batcher<{ readonly arrivals: readonly Arrival[]; count: number }>;
  readonly #plugins: Plugins;
  readonly #dispatching: Dispatching;
  readonly #orderHash: OrderHash;
  readonly #lastRunAt: number | null;
  #follow: FollowOptions | null = null;
  readonly #facts: FactsCalls;

  private constructor(
    options: PostgresLedgerOptions,
    { plugins, orderSeed, lastRunAt }: {
      readonly plugins: Plugins;
      readonly orderSeed: string;
      readonly lastRunAt: number | null;
    },
  ) {
    const { queries, leases } = options;
    this.#options = options;
    this.#plugins = plugins;
    this.#orderHash = orderHash(orderSeed);
    this.#lastRunAt = lastRunAt;
    this.#dispatching = new Dispatching({ queries, leases, plugins, most: MAX_SETTLED, enough: ENOUGH_SETTLED });
    this.#facts = new FactsCalls({
      begin: () => this.#beginFacts(),
      recorded: this.#recorded,
      onCommitted: () => options.onCommitted?.(),
      onOutdated: () => this.#dispatching.notice(),
    });
    this.#recordings = new Batcher(async (batch) => {
      const tellsOthers = options.hasOthers?.() ?? false;
      const count = await this.#recorded.record(batch.flatMap(({ arrivals }) => arrivals), { queries, tellsOthers });
      // Copies within a batch are rare: who counts them makes no difference.
      if (batch[0] !== undefined) batch[0].count = count;
    }, { most: MAX_RECORDED });
  }

  static async open(options: PostgresLedgerOptions): Promise<PostgresLedger> {
    const rows = await options.queries.rows("SELECT name, value FROM fact WHERE name IN ('order_seed', 'last_seen')");
    const facts = new Map(rows.map(({ name, value }) => [name, String(value)]));
    const plugins = new Plugins(options.queries);
    await plugins.read();
    const lastSeen = facts.get("last_seen");
    const { processes } = await look(options.queries);
    // Another process has been listening: this is no new run.
    const isAlone = !processes.some(({ isLiving }) => isLiving);
    return new PostgresLedger(options, {
      plugins,
      orderSeed: facts.get("order_seed") ?? "",
      lastRunAt: lastSeen === undefined || !isAlone ? null : Number(lastSeen),
    });
  }

  async record(arrivals: readonly Arrival[]): Promise<number> {
    if (arrivals.length === 0) return 0;
    const recording = { arrivals, count: 0 };
    await this.#recordings.add(recording, 0);
    return recording.count;
  }

  async decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    return await this.#facts.decide(limit, decider, make);
  }

  async priming(): Promise<readonly PrimingProgress[]> {
    const rows = await this.#options.queries.rows("SELECT listing, next, done, count FROM priming");
    return LISTINGS.flatMap((listing) => {
      const row = rows.find((each) => each["listing"] === listing);
      if (row === undefined) return [];
      const next = row["next"] === null ? null : original(row["next"] as string);
      return [{ listing, next, done: row["done"] === true, count: Number(row["count"]) }];
    });
  }

  async prime(primer: Primer): Promise<void> {
    await this.#facts.run((facts) => facts.prime(primer));
  }

  async undetailed(limit: number, after = 0): Promise<readonly LedgerEvent[]> {
    const mayBe = await this.#facts.peek((facts) => Promise.resolve(facts.mayHaveUndetailed(after)));
    return mayBe ? await this.#facts.run((facts) => facts.undetailed(limit, after)) : [];
  }

  async storeDetails(details: readonly DetailRecord[]): Promise<void> {
    if (details.length > 0) await this.#facts.run((facts) => facts.storeDetails(details));
  }

  async activate(plugins: readonly string[]): Promise<void> {
    await this.#plugins.activate(plugins);
  }

  follow(options: FollowOptions): Promise<void> {
    this.#follow = options;
    this.#facts.drop();
    return Promise.resolve();
  }

  async announceUpdates(limit: number, make?: ImmediateMaker): Promise<AnnouncedUpdates> {
    if (this.#follow === null) return { settled: 0, nextDueAt: null };
    const due = await this.#facts.peek((facts) => facts.due(limit));
    const settled = due.length === 0 ? 0 : await this.#facts.run((facts) => facts.announce(due, make));
    return { settled, nextDueAt: await this.#facts.peek((facts) => facts.nextDueAt()) };
  }

  async ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    return await this.#dispatching.ready(query);
  }

  async nextDueAt(plugin: string): Promise<number | null> {
    return await this.#dispatching.nextDueAt(plugin);
  }

  creationFate(plugin: string, event: { readonly seq: number; readonly key: string }): Promise<CreationFate> {
    return this.#dispatching.creationFate(plugin, event);
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    await this.#dispatching.settle(settlements, SETTLE_WITHIN_MS);
  }

  async noteOutage(plugin: string, outage: TargetOutage | null): Promise<void> {
    const { name, epoch, holder } = this.#options.leases.require(pluginLease(plugin));
    const said = outage === null ? null : JSON.stringify(outage);
    await this.#options.queries.rows(NOTE_OUTAGE, [plain(plugin), said, plain(name), epoch, holder]);
  }

  async probeRequests(plugin: string): Promise<number> {
    const rows = await this.#options.queries.rows("SELECT probe_requests FROM plugin WHERE name = $1", [plain(plugin)]);
    return Number(rows[0]?.["probe_requests"] ?? 0);
  }

  /** As the last look at the leases has found it: each second, and when a command says so. */
  pauseOf(plugin: string): Promise<PauseState> {
    return Promise.resolve(this.#plugins.pauseOf(plugin));
  }

  /** The plugins that are paused, by name, as of the same look. */
  pauses(): ReadonlyMap<string, PluginPause> {
    return this.#plugins.pauses();
  }

  async recordGap({ source, exchange, from, to, certainty }: Gap): Promise<void> {
    const { queue, brokers } = source;
    await this.#options.queries.rows(PUT_GAP, [
      plain(queue),
      plain(brokers),
      plain(exchange ?? ""),
      from,
      to,
      certainty,
    ]);
  }

  async openGaps(): Promise<readonly Gap[]> {
    const rows = await this.#options.queries.rows("SELECT * FROM gap WHERE to_at IS NULL ORDER BY from_at, seq");
    return rows.map(gapOf);
  }

  lastRunAt(): Promise<number | null> {
    return Promise.resolve(this.#lastRunAt);
  }

  /** Calls back with memory as it is; needs the lease `facts`. */
  look<Result>(reader: (memory: Memory) => Result): Promise<Result> {
    return this.#facts.run((facts) => facts.look(reader));
  }

  /** In-memory state of one plugin's deliveries; `null`: its lease is not ours. */
  stateOf(plugin: string): WindowState | null {
    return this.#dispatching.stateOf(plugin);
  }

  /** A lease was taken: what is known in memory of its work is read anew. */
  begin(name: string): void {
    if (name !== "facts") return this.#dispatching.begin(name);
    this.#facts.drop();
    this.#recorded.isDeciding = true;
    // What the holder before has announced last: we may hear of it only after our own first event.
    this.notice();
  }

  /** A lease ends. Saves what spares the next holder work. */
  async end(name: string): Promise<void> {
    if (name !== "facts") return await this.#dispatching.end(name);
    await this.#facts.end();
    this.#recorded.isDeciding = false;
    this.#recorded.forget();
  }

  /** The tables may not have what was committed last: all that is in memory is read anew. */
  restored(): void {
    this.#facts.drop();
    this.#recorded.forget();
    this.#dispatching.reload();
    this.notice();
  }

  /** Another process says that it has recorded notifications, or announced events. */
  notice(): void {
    this.#recorded.notice();
    this.#dispatching.notice();
  }

  /**
   * Learns what operators' commands have changed, and which plugins all processes have. Returns whether
   * they have changed anything.
   */
  async refresh(activePlugins: readonly string[]): Promise<boolean> {
    const before = JSON.stringify([...this.#plugins.pauses()]);
    const changes = await this.#plugins.read();
    this.#plugins.setActive(activePlugins);
    const hasPaused = JSON.stringify([...this.#plugins.pauses()]) !== before;
    return this.#dispatching.changed(changes) || hasPaused;
  }

  async #beginFacts(): Promise<Facts> {
    const { queries, now, leases } = this.#options;
    const facts = await Facts.begin({
      queries,
      lease: leases.require("facts"),
      now,
      hashesOf: (orderKeys) => [...new Set(orderKeys.map(this.#orderHash))],
      pluginName: (plugin) => this.#plugins.nameOf(plugin),
      active: () => this.#plugins.active,
      recorded: this.#recorded,
      follow: this.#follow,
      tellsOthers: this.#options.hasOthers ?? (() => false),
      onCommitted: (committed) => this.#onCommitted(committed),
    });
    // A statement whose answer was lost may have announced events that no window has.
    this.#dispatching.notice();
    return facts;
  }

  #onCommitted(committed: Committed): void {
    this.#dispatching.committed(committed);
  }
}

const PUT_GAP = `INSERT INTO gap (queue, brokers, exchange, from_at, to_at, certainty) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (queue, brokers, exchange, from_at) DO UPDATE SET to_at = excluded.to_at, certainty = excluded.certainty`;

const NOTE_OUTAGE = `WITH proven AS (SELECT 1 FROM lease WHERE name = $3 AND epoch = $4 AND holder = $5 FOR SHARE)
  UPDATE plugin SET outage = $2 FROM proven WHERE name = $1`;
