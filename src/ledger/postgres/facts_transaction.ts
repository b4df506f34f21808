import type { DetailRecord, PrimingProgress } from "../../model/ledger.ts";
import { LeaseLost } from "../../model/tenancy.ts";
import type { WriteOptions } from "../announcer.ts";
import type { NewEvent } from "../new_event.ts";
import { deliveredEvent, type RecentEvent } from "../recent_events.ts";
import type { AnnouncedEvents } from "./announced_events.ts";
import type { Queries, Row } from "./client.ts";
import { arrayOf, Columns, plain, SEPARATOR } from "./columns.ts";
import { type FactsRows, rowValues, singleValues, WRITE_FACTS } from "./facts_statement.ts";
import type { HeldLease } from "./held_leases.ts";
import type { PostgresMemory } from "./memory.ts";
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

export interface FactsTransactionOptions {
  readonly queries: Queries;
  readonly lease: HeldLease;
  readonly now: () => number;
  /** The numbers of the plugins that get a delivery of every event. */
  readonly active: () => readonly number[];
  /** Whether there are other processes, whose lanes wait for events. */
  readonly tellsOthers: () => boolean;
}

/** Where a transaction begins, and what it writes of. */
export interface FactsState {
  readonly memory: PostgresMemory;
  readonly announced: AnnouncedEvents;
  /** How often the epoch has written. */
  readonly writes: number;
  /** The number of the next event. */
  readonly nextSeq: number;
}

/** What is committed beside rows. */
export interface FactsChanges {
  /** So many notifications behind number `from` were decided, up to number `through`. */
  readonly decided?: { readonly from: number; readonly through: number; readonly count: number };
  /** When priming began, if that is not stored yet; milliseconds since the epoch. */
  readonly beganAt?: number;
  /** Numbers of notifications that led to nothing: they are removed. */
  readonly idle?: readonly number[];
  /** Numbers of notifications whose bodies nobody needs. */
  readonly bodiless?: readonly number[];
}

/**
 * What the holder of lease `facts` writes in one transaction, one after the other: rows that are added
 * here, and what memory and announced events say has changed.
 */
export class FactsTransaction {
  readonly #options: FactsTransactionOptions;
  readonly #memory: PostgresMemory;
  readonly #announced: AnnouncedEvents;
  #writes: number;
  #nextSeq: number;
  #rows = noRows();
  #events: CommittedEvent[] = [];
  #detailed: number[] = [];

  constructor(options: FactsTransactionOptions, { memory, announced, writes, nextSeq }: FactsState) {
    this.#options = options;
    this.#memory = memory;
    this.#announced = announced;
    this.#writes = writes;
    this.#nextSeq = nextSeq;
  }

  /** Adds an event, and its deliveries. Returns its number. */
  addEvent({ event, notification }: NewEvent, { orderKeys, followers, immediate }: WriteOptions): number {
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
    this.#announced.add(event.key, { seq, detail, data: detail === null ? data : null, orderKeys, plugins });
    const recent = detail === null || missing === null ? null : { event: delivered, detail, missing, orderKeys };
    this.#events.push({ seq, orderKeys, plugins, decidedAt, recent });
    return seq;
  }

  /** A notification is superseded. */
  supersede(seq: number, reason: string): void {
    this.#rows.superseded.add(seq, plain(reason));
  }

  /** An event gets its detail, JSON. */
  addDetail({ seq, missing }: DetailRecord, detail: string): void {
    this.#rows.details.add(seq, detail, JSON.stringify(missing));
    this.#detailed.push(seq);
  }

  /** How far priming has come. */
  setProgress({ listing, next, done, count }: PrimingProgress): void {
    this.#rows.priming = new Columns(4);
    this.#rows.priming.add(listing, next === null ? null : plain(next), done, count);
  }

  /**
   * Takes what was added and changed, and returns what writes it; all that was taken before must be
   * written. The next transaction may be filled meanwhile, and is in vain if this one fails.
   *
   * What it returns resolves with `null` when an event with such a key was written long ago, so that
   * memory is not what the tables have. It rejects with {@linkcode LeaseLost} when another process has
   * the lease, with {@linkcode Outdated} when others have recorded what has to be decided before.
   */
  take({ decided, beganAt, idle = [], bodiless = [] }: FactsChanges): () => Promise<Committed | null> {
    const { queries, lease, tellsOthers } = this.#options;
    const { removed, ...announced } = this.#announced.take();
    const rows: Record<FactsRows, Columns> = { ...this.#rows, ...this.#memory.take(), ...announced };
    const values = singleValues({
      epoch: lease.epoch,
      holder: lease.holder,
      writes: this.#writes++,
      decidedFrom: decided?.from ?? null,
      decidedThrough: decided?.through ?? null,
      decided: decided?.count ?? null,
      beganAt: beganAt === undefined ? null : String(beganAt),
      removed: removed.join(SEPARATOR),
      idle: idle.join(SEPARATOR),
      bodiless: bodiless.join(SEPARATOR),
      tellsOthers: tellsOthers() && this.#events.length + this.#detailed.length > 0,
    });
    const parameters = [...values, ...rowValues(rows)];
    const committed = { events: this.#events, detailed: this.#detailed };
    [this.#rows, this.#events, this.#detailed] = [noRows(), [], []];
    return async () => {
      const [answer] = await queries.rows(WRITE_FACTS, parameters);
      if (Number(answer?.["proven"]) === 0) throw whyNot(answer);
      this.#memory.written();
      return Number(answer?.["added"]) === committed.events.length ? committed : null;
    };
  }
}

function whyNot(answer: Row | undefined): Error {
  return answer?.["ours"] === true
    ? new Outdated("Another process has recorded notifications between those that were decided")
    : new LeaseLost('The lease "facts" was taken by another process');
}

/** What is in memory is not what the tables have: it has to be read anew. Nothing was written. */
export class Outdated extends Error {
  override readonly name = "Outdated";
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
