import type { Decision } from "../../model/decision.ts";
import type { WatcherEvent } from "../../model/event.ts";
import type { Decider, DetailRecord, FollowOptions, ImmediateMaker, LedgerEvent, Primer } from "../../model/ledger.ts";
import { type Memory, MemoryNotRead } from "../../model/memory.ts";
import type { Notification } from "../../model/notification.ts";
import { LeaseLost } from "../../model/tenancy.ts";
import { Announcer, type WriteOptions } from "../announcer.ts";
import { learnedMemory } from "../learned_memory.ts";
import type { NewEvent } from "../new_event.ts";
import { PendingUpdates } from "../pending_updates.ts";
import { AnnouncedEvents } from "./announced_events.ts";
import { original, SEPARATOR } from "./columns.ts";
import {
  type Committed,
  type FactsChanges,
  FactsTransaction,
  type FactsTransactionOptions,
} from "./facts_transaction.ts";
import { Journal, RevertibleMap } from "./journal.ts";
import { PostgresMemory } from "./memory.ts";
import type { Recorded, Undecided } from "./notifications.ts";
import { noticeRestore, RESTORED_AT } from "./restored.ts";

export interface FactsOptions extends FactsTransactionOptions {
  readonly hashesOf: (orderKeys: readonly string[]) => readonly number[];
  readonly pluginName: (plugin: number) => string;
  readonly recorded: Recorded;
  readonly follow: FollowOptions | null;
  readonly onCommitted: (committed: Committed) => void;
}

/** Notifications that were decided, and are to be committed. */
export interface Decided {
  readonly count: number;
  /** The number of the last one. */
  readonly through: number;
  /** Numbers of those that led to nothing. */
  readonly idle: readonly number[];
  /** Numbers of those whose bodies nobody needs. */
  readonly bodiless: readonly number[];
  /** Whether the next one was not decided because that has to wait. */
  readonly isBlocked: boolean;
}

/** Undecided notifications of one transaction. */
const READ_AT_ONCE = 250;

/**
 * The writing side of lease `facts`, from when its tables were read until the lease, or a statement,
 * is lost: then another begins anew. Its calls must not overlap.
 */
export class Facts {
  readonly #options: FactsOptions;
  readonly #journal = new Journal();
  readonly #memory = new PostgresMemory(this.#journal);
  readonly #announced: AnnouncedEvents;
  readonly #updates: PendingUpdates;
  readonly #announcer: Announcer;
  /** Whether what is in memory is not what the tables have: it has to be read anew. */
  isOutdated = false;
  readonly #transaction: FactsTransaction;
  /** Notifications up to this number are decided. */
  #decidedThrough: number;
  /** The newest event without a detail; 0: there is none. */
  #newestUndetailed: number;

  private constructor(options: FactsOptions, start: Readonly<Record<string, unknown>>) {
    const { now, hashesOf, pluginName, follow } = options;
    this.#options = options;
    this.#announced = new AnnouncedEvents(this.#journal, { pluginName, isFollowed: follow !== null });
    this.#transaction = new FactsTransaction(options, {
      memory: this.#memory,
      announced: this.#announced,
      writes: Number(start["writes"]),
      nextSeq: Number(start["newest"]) + 1,
    });
    this.#decidedThrough = Number(start["decided_through"]);
    this.#newestUndetailed = Number(start["undetailed"]);
    const common = { memory: this.#memory, now, hashesOf };
    this.#updates = new PendingUpdates({ store: this.#announced, ...common });
    if (follow !== null) this.#updates.follow(follow);
    this.#announcer = new Announcer({
      updates: this.#updates,
      fill: (fill) => this.#announced.fill(fill),
      write: (event, how) => this.#write(event, how),
      ...common,
    });
  }

  /** @throws {LeaseLost} when the lease is another's. */
  static async begin(options: FactsOptions): Promise<Facts> {
    // Before numbers are given: the server may have failed over since the last look.
    await noticeRestore(options.queries, options.now());
    const [start] = await options.queries.rows(START, [options.lease.epoch, options.lease.holder]);
    if (start === undefined) throw new LeaseLost('The lease "facts" was taken by another process');
    const facts = new Facts(options, start);
    await facts.#announced.load(options.queries);
    return facts;
  }

  /**
   * As {@linkcode Ledger.decide}, but for the commit, for which {@linkcode take} is to be called.
   * `null`: there is nothing to decide. May run while what was taken before is committed.
   */
  async decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<Decided | null> {
    const { recorded, queries } = this.#options;
    const undecided = await recorded.after(this.#decidedThrough, Math.min(limit, READ_AT_ONCE), queries);
    if (undecided.length === 0) return null;
    const added = new RevertibleMap<string, NewEvent>(this.#journal);
    const [idle, bodiless]: [number[], number[]] = [[], []];
    let [decided, isBlocked] = [0, false];
    for (const [index, { seq, notification }] of undecided.entries()) {
      if (added.size >= limit) break;
      const decision = await this.#decideOne(notification, { decider, rest: () => undecided.slice(index) });
      isBlocked = decision === null;
      if (decision === null) break;
      await this.#known(() => this.#announcer.apply({ seq, notification }, decision, added));
      if (decision.isIdle) idle.push(seq);
      else if (decision.outcome === "superseded") this.#transaction.supersede(seq, decision.reason);
      else if (decision.outcome !== "event" && (decision.changedServers ?? []).length === 0) bodiless.push(seq);
      decided++;
    }
    if (decided === 0) return null;
    for (const event of added.values()) await this.#known(() => this.#announcer.writeOne(event, make));
    return { count: decided, through: (undecided[decided - 1] as Undecided).seq, idle, bodiless, isBlocked };
  }

  /** Takes what was decided, and returns what commits it, as {@linkcode FactsTransaction.take} does. */
  take({ count, through, idle, bodiless }: Decided): () => Promise<void> {
    const from = this.#decidedThrough;
    this.#decidedThrough = through;
    this.#options.recorded.decided(through);
    return this.#taken({ decided: { from, through, count }, idle, bodiless });
  }

  /** Whether the cache has more than it should: {@linkcode forget} is to be called when all is committed. */
  get isLarge(): boolean {
    return this.#memory.isLarge || this.#announced.isLarge;
  }

  /** Empties the cache. */
  forget(): void {
    if (this.#memory.isLarge) this.#memory.forget();
    if (this.#announced.isLarge) this.#announced.forget();
  }

  /** Servers whose changes have settled, at most `limit`. */
  due(limit: number): Promise<readonly string[]> {
    return this.#known(() => this.#updates.due(limit));
  }

  nextDueAt(): Promise<number | null> {
    return this.#known(() => this.#updates.nextDueAt());
  }

  /** Announces the updates of servers. Returns of how many. */
  async announce(due: readonly string[], make?: ImmediateMaker): Promise<number> {
    const added = new RevertibleMap<string, NewEvent>(this.#journal);
    const settled = await this.#known(() => this.#announcer.settleAll(due, added));
    for (const event of added.values()) await this.#known(() => this.#announcer.writeOne(event, make));
    await this.#commit({});
    return settled;
  }

  /** Whether there may be events without a detail behind this number. */
  mayHaveUndetailed(after: number): boolean {
    return after < this.#newestUndetailed;
  }

  /** As {@linkcode Ledger.undetailed}. */
  async undetailed(limit: number, after: number): Promise<readonly LedgerEvent[]> {
    const rows = await this.#options.queries.rows(UNDETAILED, [after, limit]);
    if (rows.length === 0 && limit > 0) this.#newestUndetailed = after;
    const events = rows.map((row) => ({
      seq: Number(row["seq"]),
      event: JSON.parse(row["data"] as string) as WatcherEvent,
    }));
    return await this.#known(() =>
      events.map(({ seq, event }) => {
        const { id } = event.server;
        return { seq, event, remembered: id === null ? null : this.#memory.server(id)?.snapshot ?? null };
      })
    );
  }

  /** As {@linkcode Ledger.storeDetails}. */
  async storeDetails(details: readonly DetailRecord[]): Promise<void> {
    const seqs = details.map(({ seq }) => seq).join(SEPARATOR);
    const rows = await this.#options.queries.rows(
      "SELECT seq, key, data FROM event WHERE seq = ANY(string_to_array($1, E'\\x1e')::bigint[])",
      [seqs],
    );
    const found = new Map(rows.map((row) => [Number(row["seq"]), row]));
    for (const record of details) {
      const row = found.get(record.seq);
      if (row === undefined) continue;
      const detail = JSON.stringify(record.detail);
      this.#transaction.addDetail(record, detail);
      this.#announced.detailed(original(row["key"] as string), detail);
      if (record.learned === null) continue;
      const event = JSON.parse(row["data"] as string) as WatcherEvent;
      await this.#known(() => {
        const server = learnedMemory(record, { event, memory: this.#memory });
        if (server !== null) this.#memory.learn(server);
      });
    }
    await this.#commit({});
  }

  /** As {@linkcode Ledger.prime}. */
  async prime(primer: Primer): Promise<void> {
    const now = this.#options.now();
    await this.#readFor(primer);
    await this.#known(() => {
      const { changes, progress } = primer(this.#memory);
      this.#memory.apply(changes, { seq: 0, now });
      this.#transaction.setProgress(progress);
    });
    await this.#commit({ beganAt: now });
  }

  /** Calls back with memory as it is. */
  async look<Result>(reader: (memory: Memory) => Result): Promise<Result> {
    await this.#readFor(reader);
    return await this.#known(() => reader(this.#memory));
  }

  /** Decides one notification; reads what that, and the decisions behind it, ask of memory. */
  async #decideOne(
    notification: Notification,
    { decider, rest }: { readonly decider: Decider; readonly rest: () => readonly Undecided[] },
  ): Promise<Decision | null> {
    for (let isFirst = true;; isFirst = false) {
      try {
        return decider(notification, this.#memory);
      } catch (error) {
        if (!(error instanceof MemoryNotRead)) throw error;
        // What the first one asks for, the others are likely to ask for, too: one query for all.
        if (isFirst) this.#probe(rest(), decider);
        await this.#read();
      }
    }
  }

  /** Reads most of what a reader asks of memory, in one query. */
  async #readFor(reader: (memory: Memory) => unknown): Promise<void> {
    this.#memory.askFor(reader);
    await this.#read();
  }

  #probe(undecided: readonly Undecided[], decider: Decider): void {
    const { probe } = this.#memory;
    for (const { notification } of undecided) {
      try {
        decider(notification, probe, true);
      } catch {
        // The decision itself will tell.
      }
    }
  }

  /** Runs what reads memory, again after reading what it asked for. */
  async #known<Result>(action: () => Result): Promise<Result> {
    const { mark } = this.#journal;
    for (;;) {
      try {
        return action();
      } catch (error) {
        if (!(error instanceof MemoryNotRead)) throw error;
        this.#journal.revert(mark);
        this.#updates.rolledBack();
        await this.#read();
      }
    }
  }

  async #read(): Promise<void> {
    const { queries } = this.#options;
    const [memory, announced] = [this.#memory, this.#announced];
    await Promise.all([
      memory.wantsMore ? memory.read(queries) : undefined,
      announced.wantsMore ? announced.read(queries) : undefined,
    ]);
  }

  /** Adds an event, and its deliveries, to the transaction. */
  #write(event: NewEvent, how: WriteOptions): void {
    const seq = this.#transaction.addEvent(event, how);
    if (how.immediate === null) this.#newestUndetailed = seq;
  }

  #commit(changes: FactsChanges): Promise<void> {
    return this.#taken(changes)();
  }

  #taken(changes: FactsChanges): () => Promise<void> {
    const commit = this.#transaction.take(changes);
    this.#journal.clear();
    return async () => {
      const committed = await commit();
      if (committed === null) this.isOutdated = true;
      else this.#options.onCommitted(committed);
    };
  }
}

/** Row of table `fact`: events that are pruned, or were before the ledger was copied, have had numbers up to this one. */
export const NUMBERED_THROUGH = "numbered_through";

/** After a restore, receivers may know numbers of events that are lost. Events come less than once a millisecond. */
const START = `SELECT l.writes,
    greatest((SELECT max(seq) FROM event),
      (SELECT max(value::bigint) FROM fact WHERE name IN ('${RESTORED_AT}', '${NUMBERED_THROUGH}')), 0) AS newest,
    (SELECT value FROM fact WHERE name = 'decided_through') AS decided_through,
    (SELECT coalesce(max(seq), 0) FROM event WHERE detail IS NULL) AS undetailed
  FROM lease AS l WHERE l.name = 'facts' AND l.epoch = $1 AND l.holder = $2`;

const UNDETAILED = "SELECT seq, data FROM event WHERE detail IS NULL AND seq > $1 ORDER BY seq LIMIT $2";
