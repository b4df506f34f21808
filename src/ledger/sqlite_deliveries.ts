import type { WatcherEvent } from "../model/event.ts";
import type { Delivery, ReadyQuery, Settlement } from "../model/ledger.ts";
import { type OrderHash, orderHashOf } from "./order_hash.ts";
import { inOrder } from "./ready_queue.ts";
import type { Holder, RecentDelivery, Waiting } from "./recent_deliveries.ts";
import { type RecentEvent, RecentEvents } from "./recent_events.ts";
import { type Database, prepareAll, type Statement, type Statements } from "./sqlite.ts";
import { Holders } from "./sqlite_holders.ts";
import { UNFINISHED } from "./sqlite_states.ts";

/** How many failed attempts of a delivery are kept: the first ones, and the last ones. */
const KEEP_FIRST = 3;
const KEEP_LAST = 20;

/** What the file does not say of a plugin's deliveries. */
export interface RecentWaiting {
  readonly waiting: Readonly<Record<Waiting, number>>;
  /** Of those that do not wait for an earlier one, the lowest `seq`; `Infinity` for none. */
  readonly oldest: number;
}

/**
 * The deliveries in the ledger file and who must wait for whom. A delivery holds its event's order keys until it is finished; one is free when
 * no earlier delivery of its plugin holds any of its own. Only the next holder of a key that is given back can become free by that,
 * so finishing costs a few look-ups, however many wait. Runs inside the caller's transaction.
 */
export class Deliveries {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #orderHash: OrderHash;
  readonly #ids = new Map<string, number>();
  readonly #recent = new RecentEvents();
  readonly #holders: Holders;

  /** @param maxHolders How many deliveries may hold their keys in memory alone. */
  constructor(database: Database, maxHolders?: number) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#orderHash = orderHashOf(database);
    this.#holders = new Holders(database, maxHolders);
  }

  /** A transaction of the service begins. */
  begin(): void {
    this.#holders.begin();
  }

  /** A transaction of an operator's process begins. */
  beginBeside(): void {
    this.#holders.beginBeside();
  }

  /** Whether memory and file together are right: else they will be when the next transaction begins. */
  isCurrent(): boolean {
    return this.#holders.isCurrent();
  }

  /** With the next transaction the file says all that memory does. */
  forgetRecent(): void {
    this.#holders.forget();
  }

  /** How many of a plugin are in memory, by what they wait for, and the lowest `seq` of those that do not wait for an earlier one. */
  recent(plugin: string): RecentWaiting {
    const waiting = { new: 0, blocked: 0, ready: 0 };
    let oldest = Infinity;
    for (const { seq, state } of this.#holders.recentOf(this.#idOf(plugin))) {
      if (state === null) continue;
      waiting[state]++;
      if (state !== "blocked") oldest = Math.min(oldest, seq);
    }
    return { waiting, oldest };
  }

  /** The numbers that stand for these keys in the file. */
  numbersOf(orderKeys: readonly string[]): readonly number[] {
    return [...new Set(orderKeys.map(this.#orderHash))];
  }

  /** An event was written: `ready` need not read it for as long as it is one of the newest, and not all of its so many deliveries are finished. */
  remember(seq: number, recent: RecentEvent, deliveries: number): void {
    this.#recent.add(seq, recent, deliveries);
  }

  /** What was written since the last commit is not there after all: numbers of events will be given again. */
  rolledBack(): void {
    this.#recent.clear();
    this.#holders.rolledBack();
  }

  /** The number that stands for a plugin's name in the file; a new name gets one. */
  addPlugin(name: string): number {
    this.#sql.addPlugin.run(name);
    return Number(this.#sql.pluginId.get(name)?.["id"]);
  }

  /** The last delivery so far; `detailed`: its event has its detail already. */
  add({ plugin, seq, dueAt, orderKeys, detailed }: {
    readonly plugin: number;
    readonly seq: number;
    readonly dueAt: number;
    readonly orderKeys: readonly number[];
    readonly detailed: boolean;
  }): void {
    const holder = { plugin, seq, orderKeys };
    const state = !detailed ? "new" : this.#holders.isBlocked(holder) ? "blocked" : "ready";
    this.#sql.add.run(plugin, seq, dueAt);
    this.#holders.add({ ...holder, dueAt, state });
  }

  /** The event has its detail now: its deliveries wait for nothing but earlier ones. */
  detailed(seq: number): void {
    for (const plugin of this.#holders.newOf(seq)) this.#free(plugin, seq, "new");
    for (const row of this.#sql.newOf.all(seq)) this.#free(Number(row["plugin"]), seq, "new");
  }

  /** Of what is busy only the row is read: parsing what it is about costs ten times as much. */
  ready({ plugin, now, limit, busy = NONE }: ReadyQuery): readonly Delivery[] {
    const id = this.#idOf(plugin);
    const written = this.#sql.ready.all(id, now, limit + busy.size).map(asFree).filter(({ seq }) => !busy.has(seq));
    const recent = this.#holders.ready(id, limit, busy).map(neverTried);
    const first = written.length === 0 ? recent : [...written, ...recent].sort(inOrder).slice(0, limit);
    return first.map(({ seq, attempts, triedMs, lastAttemptAt }) => {
      const { event, detail, missing } = this.#recent.get(seq) ?? this.#stored(seq);
      return {
        seq,
        plugin,
        event,
        // Each plugin has one of its own to do with as it likes.
        detail: JSON.parse(detail),
        missing: JSON.parse(missing),
        attempts,
        triedMs,
        lastAttemptAt,
      };
    });
  }

  #stored(seq: number): Omit<RecentEvent, "orderKeys"> {
    const row = this.#sql.stored.get(seq) ?? {};
    return {
      event: storedEvent(row["data"]),
      detail: row["detail"] as string,
      missing: row["missing"] as string,
    };
  }

  nextDueAt(plugin: string): number | null {
    const id = this.#idOf(plugin);
    const written = this.#sql.nextDueAt.get(id)?.["due_at"] ?? Infinity;
    const recent = this.#holders.ready(id, 1, NONE)[0]?.dueAt ?? Infinity;
    const dueAt = Math.min(Number(written), recent);
    return dueAt === Infinity ? null : dueAt;
  }

  settle(settlement: Settlement): void {
    const { seq, outcome, startedAt, endedAt, failure, dueAt, triedMs } = settlement;
    const plugin = this.#idOf(settlement.plugin);
    const finished = outcome === "done" || outcome === "dead";
    const finish = (from: Statement) => changes(from, outcome, endedAt, endedAt, triedMs, plugin, seq);
    let changed = finished
      ? finish(this.#sql.finishReady)
      : changes(this.#sql.postpone, dueAt, endedAt, triedMs, plugin, seq);
    // What is under way was ready when it began: only a replay of an older one can have blocked it since.
    const overtaken = finished && !changed;
    if (overtaken) changed = finish(this.#sql.finish);
    // Dropped or settled by an operator meanwhile.
    if (!changed) return;
    if (!finished) this.#tried(plugin, seq);
    if (failure !== null) {
      const attempt = this.#attempts(plugin, seq);
      this.#sql.addFailure.run(plugin, seq, attempt, startedAt, endedAt, failure.reason, failure.error);
      if (attempt > KEEP_FIRST + KEEP_LAST) this.#sql.forgetFailure.run(plugin, seq, attempt - KEEP_LAST);
    }
    if (overtaken && outcome === "done") this.#giveUpOlder(plugin, seq, settlement);
    if (!finished) return;
    this.release(plugin, seq);
    this.#recent.finished(seq);
  }

  /** Numbers are for ever, and what is settled for a plugin was written with its own. */
  #idOf(plugin: string): number {
    const known = this.#ids.get(plugin);
    if (known !== undefined) return known;
    const row = this.#sql.pluginId.get(plugin);
    if (row === undefined) return NOBODY;
    const id = Number(row["id"]);
    this.#ids.set(plugin, id);
    return id;
  }

  /** Older deliveries that were replayed while this one was under way must not undo it any more. */
  #giveUpOlder(plugin: number, seq: number, { startedAt, endedAt }: Settlement): void {
    for (const key of this.#orderKeys(seq)) {
      for (const older of this.#holders.reopenedBefore(plugin, key, seq)) {
        this.#sql.finish.run("dead", endedAt, endedAt, 0, plugin, older);
        const attempt = this.#attempts(plugin, older);
        this.#sql.addFailure.run(plugin, older, attempt, startedAt, endedAt, "permanent", OVERTAKEN);
        this.release(plugin, older);
      }
    }
  }

  #attempts(plugin: number, seq: number): number {
    return Number(this.#sql.attempts.get(seq, plugin)?.["attempts"]);
  }

  /** Gives back the keys of a finished delivery and frees those that waited for them alone. */
  release(plugin: number, seq: number): void {
    const holder = this.#holder(plugin, seq);
    this.#holders.release(holder);
    for (const next of this.#holders.next(holder)) this.#free(plugin, next, "blocked");
  }

  /** Ends a transaction in which many were released. */
  sweep(): void {
    this.#holders.sweep();
  }

  /** Takes the keys of a delivery again, at its old place; those that come after it wait again. */
  hold(plugin: number, seq: number): void {
    const holder = this.#holder(plugin, seq);
    this.#holders.addAgain(holder);
    for (const key of holder.orderKeys) this.#sql.blockLater.run(plugin, plugin, key, seq);
    this.#sql.reopen.run(plugin, seq);
    this.#free(plugin, seq, "blocked");
  }

  #free(plugin: number, seq: number, from: "new" | "blocked"): void {
    const recent = this.#holders.recent(plugin, seq);
    const state = this.#holders.isBlocked(this.#holder(plugin, seq)) ? "blocked" : "ready";
    if (recent === undefined || recent.state === null) this.#sql.setState.run(state, plugin, seq, from);
    else if (recent.state === from) this.#holders.setState(recent, state);
  }

  /** From its first attempt on the file says when a delivery is due, and how often it was tried. */
  #tried(plugin: number, seq: number): void {
    const recent = this.#holders.recent(plugin, seq);
    if (recent !== undefined) this.#holders.setState(recent, null);
  }

  #holder(plugin: number, seq: number): Holder {
    return this.#holders.recent(plugin, seq) ?? { plugin, seq, orderKeys: this.#orderKeys(seq) };
  }

  #orderKeys(seq: number): readonly number[] {
    const recent = this.#recent.get(seq);
    if (recent !== undefined) return recent.orderKeys;
    const row = this.#sql.orderKeys.get(seq);
    return row === undefined ? [] : JSON.parse(row["order_keys"] as string);
  }
}

/** Runs a statement. Returns whether it changed anything. */
function changes(statement: Statement, ...values: readonly (string | number)[]): boolean {
  return Number(statement.run(...values).changes) > 0;
}

/** What an attempt is told of an event. */
export function announced(
  { key, subject, created, eventType, time, creationSeen, server }: WatcherEvent,
): Delivery["event"] {
  return { key, subject, created, eventType, time, creationSeen, serverId: server.id };
}

/** The same of one in the file, which is whole where its detail was made later. */
export function storedEvent(data: unknown): Delivery["event"] {
  const stored = JSON.parse(data as string) as WatcherEvent | Delivery["event"];
  return "server" in stored ? announced(stored) : stored;
}

/** A delivery that is ready, as the file or memory has it. */
interface Free {
  readonly seq: number;
  readonly dueAt: number;
  readonly attempts: number;
  readonly triedMs: number;
  readonly lastAttemptAt: number | null;
}

function asFree(row: Readonly<Record<string, unknown>>): Free {
  return {
    seq: Number(row["seq"]),
    dueAt: Number(row["due_at"]),
    attempts: Number(row["attempts"]),
    triedMs: Number(row["tried_ms"]),
    lastAttemptAt: row["last_attempt_at"] === null ? null : Number(row["last_attempt_at"]),
  };
}

function neverTried({ seq, dueAt }: RecentDelivery): Free {
  return { seq, dueAt, attempts: 0, triedMs: 0, lastAttemptAt: null };
}

const NONE: ReadonlySet<number> = new Set();

/** No plugin's number. */
const NOBODY = 0;

const OVERTAKEN = "A later event that shares a key was delivered while this one was being replayed";

const STATEMENTS = {
  addPlugin: `INSERT OR IGNORE INTO plugin (name) VALUES (?)`,
  pluginId: `SELECT id FROM plugin WHERE name = ?`,
  add: `INSERT INTO delivery (plugin, seq, state, due_at) VALUES (?, ?, 'recent', ?)`,
  orderKeys: `SELECT order_keys FROM event WHERE seq = ?`,
  newOf: `SELECT plugin FROM delivery WHERE seq = ? AND state = 'new'`,
  setState: `UPDATE delivery SET state = ? WHERE plugin = ? AND seq = ? AND state = ?`,
  ready: `SELECT seq, due_at, attempts, tried_ms, last_attempt_at FROM delivery
    WHERE plugin = ? AND state = 'ready' AND due_at <= ? ORDER BY due_at, seq LIMIT ?`,
  stored: `SELECT data, detail, missing FROM event WHERE seq = ?`,
  attempts: `SELECT attempts FROM delivery WHERE seq = ? AND plugin = ?`,
  nextDueAt: `SELECT min(due_at) AS due_at FROM delivery WHERE plugin = ? AND state = 'ready'`,
  finish:
    `UPDATE delivery AS d SET state = ?, finished_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ? AND ${UNFINISHED}`,
  finishReady:
    `UPDATE delivery SET state = ?, finished_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ? AND state IN ('recent', 'ready')`,
  postpone:
    `UPDATE delivery AS d SET state = iif(state = 'recent', 'ready', state), due_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ? AND ${UNFINISHED}`,
  addFailure: `INSERT OR REPLACE INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  forgetFailure: `DELETE FROM failure WHERE plugin = ? AND seq = ? AND attempt = ?`,
  blockLater: `UPDATE delivery SET state = 'blocked' WHERE plugin = ? AND state = 'ready' AND seq IN (
      SELECT seq FROM held WHERE plugin = ? AND order_key = ? AND seq > ?)`,
  reopen:
    `UPDATE delivery SET state = iif((SELECT detail FROM event WHERE event.seq = delivery.seq) IS NULL, 'new', 'blocked'), due_at = 0, finished_at = NULL, tried_ms = 0, last_attempt_at = NULL
    WHERE plugin = ? AND seq = ?`,
} as const;
