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
import { deliveredEvent, type RecentEvent } from "../recent_events.ts";
import { AnnouncedEvents } from "./announced_events.ts";
import type { Queries } from "./client.ts";
import { arrayOf, Columns, original, plain, SEPARATOR } from "./columns.ts";
import { type FactsRows, rowValues, singleValues, WRITE_FACTS } from "./facts_statement.ts";
import type { HeldLease } from "./held_leases.ts";
import { Journal, RevertibleMap } from "./journal.ts";
import { PostgresMemory } from "./memory.ts";
import type { Recorded, Undecided } from "./notifications.ts";
import { noticeRestore, RESTORED_AT } from "./restored.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** An event that was committed. */
export interface CommittedEvent {
  readonly seq: number;
  readonly orderKeys: readonly number[];
  readonly plugins: readonly number[];
  readonly decidedAt: number;
  /** `null` until its detail is stored. */
  readonly recent: RecentEvent | null;
}

/** What a transaction has changed that lanes wait for. */
export interface Committed {
  readonly events: readonly CommittedEvent[];
  /** Numbers of events that got their details. */
  readonly detailed: readonly number[];
}

export interface FactsOptions {
  readonly queries: Queries;
  readonly lease: HeldLease;
  readonly now: () => number;
  readonly hashesOf: (orderKeys: readonly string[]) => readonly number[];
  readonly pluginName: (plugin: number) => string;
  /** The numbers of the plugins that get a delivery of every event. */
  readonly active: () => readonly number[];
  readonly recorded: Recorded;
  readonly follow: FollowOptions | null;
  /** Whether there are other processes, whose lanes wait for events. */
  readonly tellsOthers: () => boolean;
  readonly onCommitted: (committed: Committed) => void;
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
  /** How often the epoch has written. */
  #writes: number;
  #nextSeq: number;
  /** Notifications up to this number are decided. */
  #decidedThrough: number;
  /** The newest event without a detail; 0: there is none. */
  #newestUndetailed: number;
  #rows = noRows();
  /** Of the transaction under way. */
  #events: CommittedEvent[] = [];
  #detailed: number[] = [];

  private constructor(options: FactsOptions, start: Readonly<Record<string, unknown>>) {
    const { now, hashesOf, pluginName, follow } = options;
    this.#options = options;
    this.#announced = new AnnouncedEvents(this.#journal, pluginName);
    this.#writes = Number(start["writes"]);
    this.#nextSeq = Number(start["newest"]) + 1;
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
    const [start] = await options.queries.rows(START, [options.lease.epoch]);
    if (start === undefined) throw new LeaseLost('The lease "facts" was taken by another process');
    const facts = new Facts(options, start);
    await facts.#announced.load(options.queries);
    return facts;
  }

  /** As {@linkcode Ledger.decide}. */
  async decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    const { recorded, queries } = this.#options;
    const undecided = await recorded.after(this.#decidedThrough, Math.min(limit, READ_AT_ONCE), queries);
    if (undecided.length === 0) return 0;
    const added = new RevertibleMap<string, NewEvent>(this.#journal);
    const [idle, bodiless]: [number[], number[]] = [[], []];
    let decided = 0;
    for (const [index, { seq, notification }] of undecided.entries()) {
      if (added.size >= limit) break;
      const rest = undecided.slice(index);
      const decision = await this.#decideOne(notification, { decider, rest });
      if (decision === null) break;
      await this.#known(() => this.#announcer.apply({ seq, notification }, decision, added));
      if (decision.isIdle) idle.push(seq);
      else if (decision.outcome === "superseded") this.#rows.superseded.add(seq, plain(decision.reason));
      else if (decision.outcome !== "event" && (decision.changedServers ?? []).length === 0) bodiless.push(seq);
      decided++;
    }
    if (decided === 0) return 0;
    for (const event of added.values()) await this.#known(() => this.#announcer.writeOne(event, make));
    const through = (undecided[decided - 1] as Undecided).seq;
    await this.#commit({ decidedThrough: through, idle, bodiless });
    this.#decidedThrough = through;
    recorded.decided(through);
    return decided;
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

  /** As {@linkcode Ledger.undetailed}. */
  async undetailed(limit: number, after: number): Promise<readonly LedgerEvent[]> {
    if (after >= this.#newestUndetailed) return [];
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
      this.#rows.details.add(record.seq, detail, JSON.stringify(record.missing));
      this.#detailed.push(record.seq);
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
      const { changes, progress: { listing, next, done, count } } = primer(this.#memory);
      this.#memory.apply(changes, { seq: 0, now });
      this.#rows.priming = new Columns(4);
      this.#rows.priming.add(listing, next === null ? null : plain(next), done, count);
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
    { decider, rest }: { readonly decider: Decider; readonly rest: readonly Undecided[] },
  ): Promise<Decision | null> {
    for (let isFirst = true;; isFirst = false) {
      try {
        return decider(notification, this.#memory);
      } catch (error) {
        if (!(error instanceof MemoryNotRead)) throw error;
        // What the first one asks for, the others are likely to ask for, too: one query for all.
        if (isFirst) this.#probe(rest, decider);
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
  #write({ event, notification }: NewEvent, { orderKeys, followers, immediate }: WriteOptions): void {
    const decidedAt = this.#options.now();
    const plugins = this.#options.active().filter((plugin) => followers === null || followers.has(plugin));
    const seq = this.#nextSeq++;
    const delivered = deliveredEvent(event);
    // The rest of an event is only needed to make its detail.
    const data = JSON.stringify(immediate === null ? event : delivered);
    const detail = immediate === null ? null : JSON.stringify(immediate.detail);
    const missing = immediate === null ? null : JSON.stringify(immediate.missing);
    const { events, orderKeys: ordered } = this.#rows;
    events.add(
      seq,
      plain(event.key),
      notification,
      decidedAt,
      data,
      arrayOf(orderKeys),
      arrayOf(plugins),
      detail,
      missing,
    );
    for (const key of orderKeys) ordered.add(Math.trunc(seq / PARTITION_EVENTS), key, seq);
    if (immediate === null) this.#newestUndetailed = seq;
    this.#announced.add(event.key, { seq, detail, data: detail === null ? data : null, orderKeys, plugins });
    const recent = detail === null || missing === null ? null : { event: delivered, detail, missing, orderKeys };
    this.#events.push({ seq, orderKeys, plugins, decidedAt, recent });
  }

  /** Commits the transaction. @throws {LeaseLost} when another process has the lease. */
  async #commit({ decidedThrough = null, beganAt = null, idle = [], bodiless = [] }: {
    readonly decidedThrough?: number | null;
    readonly beganAt?: number | null;
    readonly idle?: readonly number[];
    readonly bodiless?: readonly number[];
  }): Promise<void> {
    const { queries, lease, onCommitted } = this.#options;
    const { removed, ...announced } = this.#announced.dirty();
    const rows: Record<FactsRows, Columns> = { ...this.#rows, ...this.#memory.dirty(), ...announced };
    const values = singleValues({
      epoch: lease.epoch,
      writes: this.#writes,
      decidedThrough: decidedThrough === null ? null : String(decidedThrough),
      beganAt: beganAt === null ? null : String(beganAt),
      removed: removed.join(SEPARATOR),
      idle: idle.join(SEPARATOR),
      bodiless: bodiless.join(SEPARATOR),
      tellsOthers: this.#options.tellsOthers() && this.#events.length + this.#detailed.length > 0,
    });
    const [answer] = await queries.rows(WRITE_FACTS, [...values, ...rowValues(rows)]);
    if (Number(answer?.["proven"]) === 0) throw new LeaseLost('The lease "facts" was taken by another process');
    this.#writes++;
    const committed = { events: this.#events, detailed: this.#detailed };
    // An event with this key was written long ago: what is in memory says otherwise.
    const isAsExpected = Number(answer?.["added"]) === committed.events.length;
    [this.#rows, this.#events, this.#detailed] = [noRows(), [], []];
    this.#memory.written();
    this.#announced.written();
    this.#journal.clear();
    if (isAsExpected) onCommitted(committed);
    else this.isOutdated = true;
  }
}

/** Rows that are not derived from memory when the transaction is committed. */
function noRows() {
  return {
    events: new Columns(9),
    orderKeys: new Columns(3),
    details: new Columns(3),
    superseded: new Columns(2),
    priming: new Columns(4),
  };
}

/** Row of table `fact`: events that are pruned, or were before the ledger was copied, have had numbers up to this one. */
export const NUMBERED_THROUGH = "numbered_through";

/** After a restore, receivers may know numbers of events that are lost. Events come less than once a millisecond. */
const START = `SELECT l.writes,
    greatest((SELECT max(seq) FROM event),
      (SELECT max(value::bigint) FROM fact WHERE name IN ('${RESTORED_AT}', '${NUMBERED_THROUGH}')), 0) AS newest,
    (SELECT value FROM fact WHERE name = 'decided_through') AS decided_through,
    (SELECT coalesce(max(seq), 0) FROM event WHERE detail IS NULL) AS undetailed
  FROM lease AS l WHERE l.name = 'facts' AND l.epoch = $1`;

const UNDETAILED = "SELECT seq, data FROM event WHERE detail IS NULL AND seq > $1 ORDER BY seq LIMIT $2";
