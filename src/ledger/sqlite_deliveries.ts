import type { WatcherEvent } from "../model/event.ts";
import type { Delivery, ReadyQuery, Settlement } from "../model/ledger.ts";
import { type OrderHash, orderHashOf } from "./order_hash.ts";
import { type RecentEvent, RecentEvents } from "./recent_events.ts";
import { type Database, prepareAll, type Statement, type Statements } from "./sqlite.ts";
import { OPEN } from "./sqlite_states.ts";

/** How many failed attempts of a delivery are kept: the first ones, and the last ones. */
const KEEP_FIRST = 3;
const KEEP_LAST = 20;

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
  /** Finished deliveries whose rows in `held` are still there. */
  #unswept: Numbers[] = [];
  /** Those whose rows were taken out last, perhaps in vain. */
  #swept: readonly Numbers[] = [];

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#orderHash = orderHashOf(database);
  }

  /** The numbers that stand for these keys in the file. */
  numbersOf(orderKeys: readonly string[]): readonly number[] {
    return [...new Set(orderKeys.map(this.#orderHash))];
  }

  /** An event was written: `ready` need not read it for as long as it is one of the newest. */
  remember(seq: number, recent: RecentEvent): void {
    this.#recent.add(seq, recent);
  }

  /** What was written since the last commit is not there after all: numbers of events will be given again, and what was swept is back. */
  rolledBack(): void {
    this.#recent.clear();
    this.#unswept = [...this.#swept, ...this.#unswept];
    this.#swept = [];
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
    const state = !detailed ? "new" : this.#isBlocked(plugin, seq, orderKeys) ? "blocked" : "ready";
    this.#sql.add.run(plugin, seq, state, dueAt);
    for (const key of orderKeys) this.#sql.hold.run(plugin, key, seq);
  }

  /** The event has its detail now: its deliveries wait for nothing but earlier ones. */
  detailed(seq: number): void {
    for (const row of this.#sql.newOf.all(seq)) this.#free(Number(row["plugin"]), seq, "new");
  }

  /** Of what is busy only the row is read: parsing what it is about costs ten times as much. */
  ready({ plugin, now, limit, busy = NONE }: ReadyQuery): readonly Delivery[] {
    const rows = this.#sql.ready.all(this.#idOf(plugin), now, limit + busy.size);
    return rows.filter((row) => !busy.has(Number(row["seq"]))).slice(0, limit).map((row) => {
      const seq = Number(row["seq"]);
      const { event, detail, missing } = this.#recent.get(seq) ?? this.#stored(seq);
      return {
        seq,
        plugin,
        event,
        // Each plugin has one of its own to do with as it likes.
        detail: JSON.parse(detail),
        missing: JSON.parse(missing),
        attempts: Number(row["attempts"]),
        triedMs: Number(row["tried_ms"]),
        lastAttemptAt: row["last_attempt_at"] === null ? null : Number(row["last_attempt_at"]),
      };
    });
  }

  #stored(seq: number): Omit<RecentEvent, "orderKeys"> {
    const row = this.#sql.stored.get(seq) ?? {};
    return {
      event: announced(JSON.parse(row["data"] as string)),
      detail: row["detail"] as string,
      missing: row["missing"] as string,
    };
  }

  nextDueAt(plugin: string): number | null {
    const dueAt = this.#sql.nextDueAt.get(this.#idOf(plugin))?.["due_at"];
    return dueAt === undefined || dueAt === null ? null : Number(dueAt);
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
    if (failure !== null) {
      const attempt = this.#attempts(plugin, seq);
      this.#sql.addFailure.run(plugin, seq, attempt, startedAt, endedAt, failure.reason, failure.error);
      if (attempt > KEEP_FIRST + KEEP_LAST) this.#sql.forgetFailure.run(plugin, seq, attempt - KEEP_LAST);
    }
    if (overtaken && outcome === "done") this.#giveUpOlder(plugin, seq, settlement);
    if (finished) this.release(plugin, seq);
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
      for (const row of this.#sql.earlierHolders.all(plugin, key, seq)) {
        const older = Number(row["seq"]);
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
    this.#unswept.push({ plugin, seq });
    if (this.#unswept.length >= SWEEP) this.sweep();
    for (const key of this.#orderKeys(seq)) {
      const next = this.#sql.nextHolder.get(plugin, key, seq)?.["seq"];
      if (typeof next === "number") this.#free(plugin, next, "blocked");
    }
  }

  /**
   * Takes out what finished deliveries held. Nobody waits for a finished one whether that is there or not, but rows are all over the table:
   * many at once share its pages. What a killed process leaves goes with its event, when that is pruned.
   */
  sweep(): void {
    for (const { plugin, seq } of this.#unswept) {
      // An operator may have reopened it, or its end was rolled back.
      if (this.#sql.isOpen.get(seq, plugin) !== undefined) continue;
      for (const key of this.#orderKeys(seq)) this.#sql.letGo.run(plugin, key, seq);
    }
    this.#swept = this.#unswept;
    this.#unswept = [];
  }

  /** Takes the keys of a delivery again, at its old place; those that come after it wait again. */
  hold(plugin: number, seq: number): void {
    for (const key of this.#orderKeys(seq)) {
      this.#sql.hold.run(plugin, key, seq);
      this.#sql.blockLater.run(plugin, plugin, key, seq);
    }
    this.#sql.reopen.run(plugin, seq);
    this.#free(plugin, seq, "blocked");
  }

  #free(plugin: number, seq: number, from: "new" | "blocked"): void {
    const blocked = this.#isBlocked(plugin, seq, this.#orderKeys(seq));
    this.#sql.setState.run(blocked ? "blocked" : "ready", plugin, seq, from);
  }

  #isBlocked(plugin: number, seq: number, orderKeys: readonly number[]): boolean {
    return orderKeys.some((key) => this.#sql.earlierHolder.get(plugin, key, seq) !== undefined);
  }

  #orderKeys(seq: number): readonly number[] {
    const recent = this.#recent.get(seq);
    if (recent !== undefined) return recent.orderKeys;
    const row = this.#sql.orderKeys.get(seq);
    return row === undefined ? [] : JSON.parse(row["order_keys"] as string);
  }
}

/** A delivery in the file. */
interface Numbers {
  readonly plugin: number;
  readonly seq: number;
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

/** So many finished deliveries are swept at once: some milliseconds of work. */
const SWEEP = 500;

const NONE: ReadonlySet<number> = new Set();

/** No plugin's number. */
const NOBODY = 0;

const OVERTAKEN = "A later event that shares a key was delivered while this one was being replayed";

/** SQL: the unfinished deliveries of a plugin that hold a key; `held` has some that are finished, too. */
const HOLDERS = `held AS h CROSS JOIN delivery AS d ON d.seq = h.seq AND d.plugin = h.plugin AND d.state IN ${OPEN}
    WHERE h.plugin = ? AND h.order_key = ?`;

const STATEMENTS = {
  addPlugin: `INSERT OR IGNORE INTO plugin (name) VALUES (?)`,
  pluginId: `SELECT id FROM plugin WHERE name = ?`,
  add: `INSERT INTO delivery (plugin, seq, state, due_at) VALUES (?, ?, ?, ?)`,
  hold: `INSERT OR IGNORE INTO held (plugin, order_key, seq) VALUES (?, ?, ?)`,
  letGo: `DELETE FROM held WHERE plugin = ? AND order_key = ? AND seq = ?`,
  isOpen: `SELECT 1 FROM delivery WHERE seq = ? AND plugin = ? AND state IN ${OPEN}`,
  orderKeys: `SELECT order_keys FROM event WHERE seq = ?`,
  earlierHolder: `SELECT 1 FROM ${HOLDERS} AND h.seq < ? LIMIT 1`,
  earlierHolders: `SELECT h.seq FROM ${HOLDERS} AND h.seq < ?`,
  nextHolder: `SELECT h.seq FROM ${HOLDERS} AND h.seq > ? ORDER BY h.seq LIMIT 1`,
  newOf: `SELECT plugin FROM delivery WHERE seq = ? AND state = 'new'`,
  setState: `UPDATE delivery SET state = ? WHERE plugin = ? AND seq = ? AND state = ?`,
  ready: `SELECT seq, attempts, tried_ms, last_attempt_at FROM delivery
    WHERE plugin = ? AND state = 'ready' AND due_at <= ? ORDER BY due_at, seq LIMIT ?`,
  stored: `SELECT data, detail, missing FROM event WHERE seq = ?`,
  attempts: `SELECT attempts FROM delivery WHERE seq = ? AND plugin = ?`,
  nextDueAt: `SELECT min(due_at) AS due_at FROM delivery WHERE plugin = ? AND state = 'ready'`,
  finish: `UPDATE delivery SET state = ?, finished_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ? AND state IN ${OPEN}`,
  finishReady:
    `UPDATE delivery SET state = ?, finished_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ? AND state = 'ready'`,
  postpone: `UPDATE delivery SET due_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ? AND state IN ${OPEN}`,
  addFailure: `INSERT OR REPLACE INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  forgetFailure: `DELETE FROM failure WHERE plugin = ? AND seq = ? AND attempt = ?`,
  blockLater: `UPDATE delivery SET state = 'blocked' WHERE plugin = ? AND state = 'ready' AND seq IN (
      SELECT seq FROM held WHERE plugin = ? AND order_key = ? AND seq > ?)`,
  reopen:
    `UPDATE delivery SET state = iif((SELECT detail FROM event WHERE event.seq = delivery.seq) IS NULL, 'new', 'blocked'), due_at = 0, finished_at = NULL, tried_ms = 0, last_attempt_at = NULL
    WHERE plugin = ? AND seq = ?`,
} as const;
