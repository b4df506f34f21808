import type { Settlement } from "../../model/ledger.ts";
import type { Holder, Waiting } from "./queued_delivery.ts";
import { isFinal } from "../final_outcome.ts";
import type { OrderHash } from "../order_hash.ts";
import { orderHashOf } from "./order_hash.ts";
import type { RecentEvents } from "../recent_events.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import type { NewDelivery, Queues } from "./queues.ts";
import type { InMemory } from "./ready_deliveries.ts";
import { UNFINISHED } from "./delivery_states.ts";

/** Failed attempts that are kept of a delivery: the first ones and the last ones. */
const KEEP_FIRST = 3;
const KEEP_LAST = 20;

/**
 * The life of a delivery: added, unblocked, attempted, finished, replayed. A delivery holds its
 * event's order keys until it is finished. It is blocked while an earlier delivery of its plugin
 * holds one of them. When a key is released, only its next holder can become ready, so finishing a
 * delivery costs a few look-ups, however long the backlog is. Runs inside the caller's transaction.
 */
export class Deliveries {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #orderHash: OrderHash;
  readonly #plugins: PluginNumbers;
  readonly #queues: Queues;
  readonly #recent: RecentEvents;

  constructor(database: Database, { plugins, queues, recent }: InMemory) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#orderHash = orderHashOf(database);
    this.#plugins = plugins;
    this.#queues = queues;
    this.#recent = recent;
  }

  /** The distinct hashes that stand for order keys in the file. */
  hashesOf(orderKeys: readonly string[]): readonly number[] {
    return [...new Set(orderKeys.map(this.#orderHash))];
  }

  /** Adds a delivery of the newest event. Returns whether it is in memory. */
  add(delivery: NewDelivery): boolean {
    this.#sql.add.run(delivery.plugin, delivery.seq, delivery.dueAt);
    return this.#queues.add(delivery);
  }

  /** The detail of an event was stored: only earlier deliveries can still block its own. */
  detailStored(seq: number): void {
    for (const plugin of this.#queues.waitingForDetail(seq)) this.#unblock(plugin, seq, "new");
    for (const row of this.#sql.waitingForDetail.all(seq)) this.#unblock(Number(row["plugin"]), seq, "new");
  }

  /** Whether the outcome may unblock a later delivery, or an attempt waits for it. */
  isAwaited({ plugin, seq, outcome }: Settlement): boolean {
    if (outcome === "begun") return true;
    if (!isFinal(outcome)) return false;
    return this.#queues.nextHolders(this.#holder(this.#plugins.of(plugin), seq)).size > 0;
  }

  /** Records how an attempt ended. */
  settle(settlement: Settlement): void {
    const { seq, outcome, startedAt, endedAt, failure, dueAt, triedMs } = settlement;
    const plugin = this.#plugins.of(settlement.plugin);
    const state = this.#stateOf(plugin, seq);
    // An operator dropped it during the attempt.
    if (state === null) return;
    const finished = isFinal(outcome);
    if (outcome === "unneeded") this.#sql.finishUntold.run(endedAt, plugin, seq);
    else if (outcome === "undecided") this.#sql.giveUpUntold.run(endedAt, plugin, seq);
    else if (finished) this.#sql.finish.run(outcome, endedAt, endedAt, triedMs, plugin, seq);
    else {
      this.#queues.write(this.#holder(plugin, seq), state);
      if (outcome === "begun") this.#sql.begin.run(endedAt, plugin, seq);
      else this.#sql.postpone.run(dueAt, endedAt, triedMs, plugin, seq);
    }
    if (failure !== null) {
      const attempt = this.#attempts(plugin, seq);
      const progress = failure.progress === undefined ? null : JSON.stringify(failure.progress);
      this.#sql.addFailure.run(plugin, seq, attempt, startedAt, endedAt, failure.reason, failure.error, progress);
      if (attempt > KEEP_FIRST + KEEP_LAST) this.#sql.forgetFailure.run(plugin, seq, attempt - KEEP_LAST);
    }
    // It was ready when its attempt began: only the replay of an older one can have blocked it.
    if (state !== "ready" && this.#isLast(settlement)) this.#giveUpOlder(plugin, seq, settlement);
    if (!finished) return;
    this.release(plugin, seq);
    this.#recent.finished(seq);
  }

  /** Whether what is older must not be told any more: the plugin was told, or skipped a deletion. */
  #isLast({ seq, outcome }: Settlement): boolean {
    if (outcome !== "unneeded") return outcome === "done";
    return String(this.#sql.key.get(seq)?.["key"]).endsWith("/deletion");
  }

  /**
   * Makes dead letters of older deliveries that were replayed meanwhile: they would undo this one, or
   * never end.
   */
  #giveUpOlder(plugin: number, seq: number, { startedAt, endedAt }: Settlement): void {
    for (const key of this.#orderKeys(seq)) {
      for (const older of this.#queues.reopenedBefore(plugin, key, seq)) {
        this.#sql.finish.run("dead", endedAt, endedAt, 0, plugin, older);
        const attempt = this.#attempts(plugin, older);
        this.#sql.addFailure.run(plugin, older, attempt, startedAt, endedAt, "permanent", OVERTAKEN, null);
        this.release(plugin, older);
      }
    }
  }

  #attempts(plugin: number, seq: number): number {
    return Number(this.#sql.attempts.get(seq, plugin)?.["attempts"]);
  }

  /** Releases the keys of a finished delivery, and unblocks those that waited for these alone. */
  release(plugin: number, seq: number): void {
    const holder = this.#holder(plugin, seq);
    this.#queues.release(holder);
    for (const next of this.#queues.nextHolders(holder)) this.#unblock(plugin, next, "blocked");
  }

  /** Replays a delivery at its old place: it holds its keys again, and blocks later ones. */
  reopen(plugin: number, seq: number): void {
    const holder = this.#holder(plugin, seq);
    this.#queues.holdAgain(holder);
    for (const key of holder.orderKeys) this.#sql.blockLater.run(plugin, plugin, key, seq);
    this.#sql.reopen.run(plugin, seq);
    this.#queues.stateWritten(plugin);
    this.#unblock(plugin, seq, "blocked");
  }

  /** Sets the state of a delivery that was `new` or `blocked`: `ready`, or `blocked` by another. */
  #unblock(plugin: number, seq: number, from: "new" | "blocked"): void {
    const queued = this.#queues.get(plugin, seq);
    const state = this.#queues.isBlocked(this.#holder(plugin, seq)) ? "blocked" : "ready";
    if (queued === undefined) {
      this.#sql.setState.run(state, plugin, seq, from);
      this.#queues.stateWritten(plugin);
    } else if (queued.state === from) this.#queues.setState(queued, state);
  }

  /** The state of a delivery whose attempt has ended; `null`: it is finished. */
  #stateOf(plugin: number, seq: number): Waiting | null {
    const queued = this.#queues.get(plugin, seq);
    if (queued !== undefined) return queued.state;
    const state = this.#sql.unfinished.get(plugin, seq)?.["state"];
    if (state === undefined) return null;
    // It was in memory, which has been dropped since.
    if (state === "queued") return this.#queues.isBlocked(this.#holder(plugin, seq)) ? "blocked" : "ready";
    return state as Waiting;
  }

  #holder(plugin: number, seq: number): Holder {
    return this.#queues.get(plugin, seq) ?? { plugin, seq, orderKeys: this.#orderKeys(seq) };
  }

  #orderKeys(seq: number): readonly number[] {
    const recent = this.#recent.get(seq);
    if (recent !== undefined) return recent.orderKeys;
    const row = this.#sql.orderKeys.get(seq);
    return row === undefined ? [] : JSON.parse(row["order_keys"] as string);
  }
}

/** SQL: a delivery that was skipped and is replayed is told, whatever a filter says. */
const CHOSEN_AT = `iif(state = 'done' AND attempts = 0, finished_at, NULL)`;

const OVERTAKEN = "A later event that shares a key was delivered, or skipped, while this one was being replayed";

const STATEMENTS = {
  add: `INSERT INTO delivery (plugin, seq, state, due_at) VALUES (?, ?, 'queued', ?)`,
  orderKeys: `SELECT order_keys FROM event WHERE seq = ?`,
  key: `SELECT key FROM event WHERE seq = ?`,
  waitingForDetail: `SELECT plugin FROM delivery WHERE seq = ? AND state = 'new'`,
  setState: `UPDATE delivery SET state = ? WHERE plugin = ? AND seq = ? AND state = ?`,
  unfinished: `SELECT state FROM delivery AS d WHERE plugin = ? AND seq = ? AND ${UNFINISHED}`,
  attempts: `SELECT attempts FROM delivery WHERE seq = ? AND plugin = ?`,
  finish: `UPDATE delivery SET state = ?, finished_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ?`,
  finishUntold: `UPDATE delivery SET state = 'done', finished_at = ?, attempts = 0 WHERE plugin = ? AND seq = ?`,
  giveUpUntold: `UPDATE delivery SET state = 'dead', finished_at = ?, attempts = 0 WHERE plugin = ? AND seq = ?`,
  begin: `UPDATE delivery SET last_attempt_at = ? WHERE plugin = ? AND seq = ?`,
  postpone: `UPDATE delivery SET due_at = ?, last_attempt_at = ?, tried_ms = ?, attempts = attempts + 1
    WHERE plugin = ? AND seq = ?`,
  addFailure: `INSERT OR REPLACE INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error, progress)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  forgetFailure: `DELETE FROM failure WHERE plugin = ? AND seq = ? AND attempt = ?`,
  blockLater: `UPDATE delivery SET state = 'blocked' WHERE plugin = ? AND state = 'ready' AND seq IN (
      SELECT seq FROM held WHERE plugin = ? AND order_key = ? AND seq > ?)`,
  reopen:
    `UPDATE delivery SET state = iif((SELECT detail FROM event WHERE event.seq = delivery.seq) IS NULL, 'new', 'blocked'), due_at = 0, finished_at = NULL, tried_ms = 0,
      last_attempt_at = ${CHOSEN_AT} WHERE plugin = ? AND seq = ?`,
} as const;
