import type { Queries, Row } from "./client.ts";
import { numbersOf } from "./columns.ts";
import type { CommittedEvent } from "./facts_transaction.ts";
import { OpenDeliveries, type OpenDelivery } from "./open_deliveries.ts";
import { partitionsFrom } from "./partitions.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** Deliveries that one query reads. */
const READ_AT_ONCE = 500;

/** What waits in RAM; beyond, it is read when there is room. The oldest may all wait for each other. */
const CAPACITY = 1000;

/** The most that is in RAM: so many deliveries, of one plugin, can be retried and be waited for at once. */
const MAX_CAPACITY = 100_000;

/** A delivery without a row that is so many events behind gets one. */
const MAX_LAG = 50_000;

/** Finished deliveries after which the start of the queue is saved. */
const SAVE_EVERY = 1000;

/** In-memory state of one plugin's delivery queue, in figures. */
export interface WindowState {
  readonly waiting: Readonly<Record<"new" | "blocked" | "ready", number>>;
  /** The oldest event in RAM that is not blocked; `Infinity` for none. */
  readonly oldest: number;
  /** From this event on, deliveries are only in the tables; `Infinity`: all are in RAM. */
  readonly unreadFrom: number;
}

/**
 * The unfinished deliveries of a plugin, oldest first, as far as they are read: the working state of
 * whoever holds the plugin's lease. All that come from `unreadFrom` on are only in the tables.
 */
export class DeliveryWindow {
  readonly plugin: number;
  deliveries = new OpenDeliveries();
  #unreadFrom = 0;
  /** The newest event that was looked at. */
  #newest = 0;
  /** Whether events were added while the tables were read: they may have been missed. */
  #isOvertaken = false;
  #isReading = false;
  /** Finished since the reading began that is under way: it may have found them unfinished. `null`: none is. */
  #finishedMeanwhile: Set<number> | null = null;
  #readers = 0;
  /** How often operators' commands had changed what waits, when it was read; `null`: not read yet. */
  #changes: number | null = null;
  /** How often it was to be read again. */
  #reloads = 0;
  /** Reopened deliveries that wait for earlier ones which are not read yet. */
  #behind: OpenDelivery[] = [];
  #finished = 0;
  #savedFrom = 0;

  constructor(plugin: number) {
    this.plugin = plugin;
  }

  /** Operators' commands may have changed what waits: it is read again. */
  reload(): void {
    this.#changes = null;
    this.#reloads++;
  }

  get changes(): number | null {
    return this.#changes;
  }

  /** There may be newer events than were looked at. */
  notice(): void {
    if (this.#unreadFrom === Infinity) this.#unreadFrom = this.#newest + 1;
    else if (this.#isReading) this.#isOvertaken = true;
  }

  /** Adds the deliveries of events that were just committed, by this process. */
  append({ seq, orderKeys, plugins, decidedAt, recent }: CommittedEvent): boolean {
    if (this.#changes === null || this.#unreadFrom !== Infinity || this.deliveries.size >= 2 * CAPACITY) {
      this.notice();
      return false;
    }
    // It was read from the tables, and may be finished already: the answer of its statement came late.
    if (seq <= this.#newest) return false;
    this.#newest = seq;
    if (!plugins.includes(this.plugin)) return false;
    this.deliveries.add(neverAttempted({ seq, orderKeys, decidedAt, isDetailed: recent !== null }));
    return true;
  }

  /** Reads until `limit` deliveries are ready, or there are no more. */
  async fill(
    { now, limit, busy }: { readonly now: number; readonly limit: number; readonly busy: ReadonlySet<number> },
    queries: Queries,
  ): Promise<void> {
    for (;;) {
      // Also in the middle: it may have to be read again meanwhile.
      while (this.#changes === null) await this.#reading(() => this.#readOpen(queries));
      if (this.#unreadFrom === Infinity) return;
      const enough = this.deliveries.ready({ now, limit, busy }).length >= limit;
      const { size } = this.deliveries;
      if (enough ? size >= CAPACITY / 2 : size >= MAX_CAPACITY) return;
      if (enough && size >= limit) return;
      await this.#reading(() => this.#readMore(queries));
    }
  }

  /** Asks for the details of those that have none. */
  async lookForDetails(queries: Queries): Promise<void> {
    const without = this.deliveries.withoutDetail();
    if (without.length === 0) return;
    const rows = await queries.rows(DETAILED, [without.join(",")]);
    for (const { seq } of rows) this.deliveries.detailed(Number(seq));
  }

  /** A delivery is finished. */
  finish(seq: number): void {
    this.deliveries.finish(seq);
    this.#finishedMeanwhile?.add(seq);
    this.#finished++;
  }

  /** Where the queue begins, if that has to be saved; `null`: not now. */
  startToSave(): number | null {
    if (this.#changes === null || this.#finished < SAVE_EVERY) return null;
    return this.#start();
  }

  saved(start: number): void {
    this.#finished = 0;
    this.#savedFrom = start;
  }

  /** The same at the end of a tenure. */
  startAtEnd(): number | null {
    if (this.#changes === null) return null;
    const start = this.#start();
    return start > this.#savedFrom ? start : null;
  }

  /** Deliveries without a row that keep the start of the queue far back. */
  lagging(): readonly OpenDelivery[] {
    return this.deliveries.unwrittenBefore(this.#newest - MAX_LAG);
  }

  /** `null`: nothing was read yet. */
  state(): WindowState | null {
    if (this.#changes === null) return null;
    const { counts, oldest } = this.deliveries;
    const waiting = { ...counts, blocked: counts.blocked + this.#behind.length };
    return { waiting, oldest, unreadFrom: this.#unreadFrom };
  }

  #start(): number {
    return Math.min(this.deliveries.oldestUnwritten ?? Infinity, this.#unreadFrom, this.#newest + 1);
  }

  /** Reads, and notes what is finished meanwhile. */
  async #reading(read: () => Promise<void>): Promise<void> {
    if (this.#readers++ === 0) this.#finishedMeanwhile = new Set();
    try {
      await read();
    } finally {
      if (--this.#readers === 0) this.#finishedMeanwhile = null;
    }
  }

  /** Of rows that were read, those that were not finished meanwhile. */
  #unfinished(rows: readonly Row[]): readonly Row[] {
    return rows.filter(({ seq }) => this.#finishedMeanwhile?.has(Number(seq)) !== true);
  }

  /** Begins anew with the deliveries that have rows. */
  async #readOpen(queries: Queries): Promise<void> {
    const reloads = this.#reloads;
    const [plugin] = await queries.rows("SELECT queued_from, changes FROM plugin WHERE id = $1", [this.plugin]);
    const rows = this.#unfinished(await queries.rows(OPEN, [this.plugin]));
    if (reloads !== this.#reloads) return;
    this.deliveries = new OpenDeliveries();
    this.#behind = rows.filter((row) => row["behind"] === true).map(attempted);
    for (const row of rows) if (row["behind"] !== true) this.deliveries.add(attempted(row));
    this.#changes = Number(plugin?.["changes"] ?? 0);
    this.#unreadFrom = Number(plugin?.["queued_from"] ?? 0);
    this.#savedFrom = this.#unreadFrom;
    this.#newest = this.#unreadFrom - 1;
  }

  async #readMore(queries: Queries): Promise<void> {
    [this.#isReading, this.#isOvertaken] = [true, false];
    const { deliveries } = this;
    let rows: readonly Row[];
    try {
      rows = await queries.rows(UNREAD, [this.plugin, this.#unreadFrom, READ_AT_ONCE]);
    } finally {
      this.#isReading = false;
    }
    // It was reloaded meanwhile.
    if (deliveries !== this.deliveries || this.#changes === null) return;
    const newest = Number(rows[0]?.["newest"] ?? 0);
    const found = rows.filter(({ seq }) => seq !== null);
    for (const row of this.#unfinished(found)) {
      deliveries.add(neverAttempted({
        seq: Number(row["seq"]),
        orderKeys: numbersOf(row["order_keys"]),
        decidedAt: Number(row["decided_at"]),
        isDetailed: row["detailed"] === true,
      }));
    }
    const last = found.length < READ_AT_ONCE ? newest : Number(found.at(-1)?.["seq"]);
    this.#newest = Math.max(this.#newest, last);
    this.#unreadFrom = found.length < READ_AT_ONCE && !this.#isOvertaken ? Infinity : this.#newest + 1;
    for (const delivery of this.#behind) if (delivery.seq < this.#unreadFrom) deliveries.add(delivery);
    this.#behind = this.#behind.filter(({ seq }) => seq >= this.#unreadFrom);
    if (found.length < READ_AT_ONCE && this.#isOvertaken) await this.#readMore(queries);
  }
}

function neverAttempted(
  { seq, orderKeys, decidedAt, isDetailed }: Pick<CommittedEvent, "seq" | "orderKeys" | "decidedAt"> & {
    readonly isDetailed: boolean;
  },
): OpenDelivery {
  const none = { attempts: 0, triedMs: 0, lastAttemptAt: null, isRepair: false, isWritten: false };
  return { seq, orderKeys, dueAt: decidedAt, isDetailed, ...none };
}

function attempted(row: Row): OpenDelivery {
  return {
    seq: Number(row["seq"]),
    orderKeys: numbersOf(row["order_keys"]),
    dueAt: Number(row["due_at"]),
    attempts: Number(row["attempts"]),
    triedMs: Number(row["tried_ms"]),
    lastAttemptAt: row["last_attempt_at"] === null ? null : Number(row["last_attempt_at"]),
    isRepair: row["repair"] === true,
    isDetailed: row["detailed"] === true,
    isWritten: true,
  };
}

/**
 * `behind`: an earlier delivery without a row shares an order key, which takes an operator who
 * reopened this one.
 */
const OPEN = `SELECT d.seq, d.due_at, d.attempts, d.tried_ms, d.last_attempt_at, d.repair,
    e.order_keys::text, e.detail IS NOT NULL AS detailed,
    EXISTS (SELECT 1 FROM unnest(e.order_keys) AS k (order_key)
      CROSS JOIN LATERAL (${partitionsFrom("p.queued_from")}) AS s
      JOIN event_order AS o ON s.span <= d.seq / ${PARTITION_EVENTS} AND o.span = s.span AND o.order_key = k.order_key AND o.seq >= p.queued_from AND o.seq < d.seq
      JOIN event AS w ON w.seq = o.seq AND d.plugin = ANY(w.plugins)
      WHERE NOT EXISTS (SELECT 1 FROM delivery AS f WHERE f.seq = o.seq AND f.plugin = d.plugin)) AS behind
  FROM delivery AS d JOIN event AS e ON e.seq = d.seq JOIN plugin AS p ON p.id = d.plugin
  WHERE d.plugin = $1 AND d.state = 'open' ORDER BY d.seq`;

/** The first row has the newest event, whether or not there is a delivery. */
const UNREAD = `SELECT n.newest, u.* FROM (SELECT coalesce(max(seq), 0) AS newest FROM event) AS n
  LEFT JOIN (SELECT e.seq, e.decided_at, e.order_keys::text, e.detail IS NOT NULL AS detailed FROM event AS e
    WHERE e.seq >= $2 AND $1::integer = ANY(e.plugins)
      AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = e.seq AND d.plugin = $1::integer)
    ORDER BY e.seq LIMIT $3) AS u ON true ORDER BY u.seq`;

const DETAILED = "SELECT seq FROM event WHERE seq = ANY(string_to_array($1, ',')::bigint[]) AND detail IS NOT NULL";
