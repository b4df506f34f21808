import type { Decision } from "../../model/decision.ts";
import type { Arrival } from "../../model/ledger.ts";
import type { Notification } from "../../model/notification.ts";
import type { Decided } from "../announcer.ts";
import { type Arrived, sentOf } from "../message_identity.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";

/** Undecided notifications that one query reads: each may take 1 MiB. */
const READ_AT_ONCE = 16;

/** A transaction that has read this many characters decides no more: it blocks the event loop. */
const MAX_CHARACTERS = 2_097_152;

export interface DecideSteps {
  /** Decides one notification; `null`: it, and all behind it, stay undecided. */
  readonly decide: (notification: Notification) => Decision | null;
  /** Writes what a decision leads to. */
  readonly apply: (decided: Decided, decision: Decision) => void;
}

/**
 * Tables `notification` and `rejection`: records messages, and has them decided in recorded order.
 *
 * Recorded notifications are buffered until their transaction ends. One that is decided in the same
 * transaction is written once, with its outcome, or not at all if it says nothing new; the others
 * are written undecided, with their bodies, by {@linkcode writeRest}. Runs inside the caller's transaction.
 */
export class Notifications {
  readonly #sql: Statements<typeof STATEMENTS>;
  /** Recorded in the current transaction, and not written yet. */
  #buffered: Arrived[] = [];
  readonly #bufferedIds = new Set<string>();
  /** Whether the file may have undecided notifications. */
  #mayHoldUndecided = true;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** Returns whether the message is new. */
  record(arrival: Arrival): boolean {
    if ("rejection" in arrival) {
      const { reason, size, sha256, exchange, routingKey, body } = arrival.rejection;
      this.#sql.reject.run(arrival.receivedAt, reason, size, sha256, exchange, routingKey, body);
      return true;
    }
    const { messageId } = arrival.notification;
    const sent = sentOf(arrival);
    const id = `${sent} ${messageId}`;
    if (this.#bufferedIds.has(id) || this.#sql.known.get(sent, messageId) !== undefined) return false;
    this.#bufferedIds.add(id);
    this.#buffered.push(arrival);
    return true;
  }

  /** Decides at most `limit` notifications in recorded order. Returns how many were decided. */
  decide(limit: number, steps: DecideSteps): number {
    const { decided, isDrained } = this.#decideWritten(limit, steps);
    return isDrained ? decided + this.#decideBuffered(limit - decided, steps) : decided;
  }

  /** To be called at the end of each transaction. */
  writeRest(): void {
    for (const arrived of this.#buffered) this.#write(arrived, null);
    if (this.#buffered.length > 0) this.#mayHoldUndecided = true;
    this.#clearBuffer();
  }

  /** Another process may have recorded notifications. */
  othersWrote(): void {
    this.#mayHoldUndecided = true;
  }

  /** The current transaction was rolled back. */
  rolledBack(): void {
    this.#mayHoldUndecided = true;
    this.#clearBuffer();
  }

  /** Decides what earlier transactions wrote. `isDrained`: nothing of it is left undecided. */
  #decideWritten(
    limit: number,
    { decide, apply }: DecideSteps,
  ): { readonly decided: number; readonly isDrained: boolean } {
    let [decided, characters] = [0, 0];
    while (this.#mayHoldUndecided) {
      const count = Math.min(limit - decided, READ_AT_ONCE);
      const rows = count > 0 ? this.#sql.undecided.all(count) : [];
      for (const row of rows) {
        const body = row["body"] as string;
        const notification: Notification = JSON.parse(body);
        const decision = characters >= MAX_CHARACTERS ? null : decide(notification);
        if (decision === null) return { decided, isDrained: false };
        const seq = Number(row["seq"]);
        if (decision.isIdle) this.#sql.forget.run(seq);
        else this.#sql.decided.run(decision.outcome, decision.reason, keepsBody(decision) ? 1 : 0, seq);
        apply({ seq, notification }, decision);
        characters += body.length;
        decided++;
      }
      if (count === 0) return { decided, isDrained: false };
      this.#mayHoldUndecided = rows.length === count;
    }
    return { decided, isDrained: true };
  }

  /** Decides what the current transaction recorded. */
  #decideBuffered(limit: number, { decide, apply }: DecideSteps): number {
    let decided = 0;
    for (const arrived of this.#buffered.slice(0, limit)) {
      const decision = decide(arrived.notification);
      if (decision === null) break;
      const seq = decision.isIdle ? UNWRITTEN : this.#write(arrived, decision);
      apply({ seq, notification: arrived.notification }, decision);
      decided++;
    }
    this.#buffered.splice(0, decided);
    return decided;
  }

  /** Writes one notification. Returns its number. */
  #write(arrived: Arrived, decision: Decision | null): number {
    const { notification, receivedAt } = arrived;
    const { messageId, eventType } = notification;
    const body = decision === null || keepsBody(decision) ? JSON.stringify(notification) : null;
    const [outcome, reason] = decision === null ? [null, null] : [decision.outcome, decision.reason];
    const sent = sentOf(arrived);
    return Number(this.#sql.record.run(messageId, sent, eventType, receivedAt, body, outcome, reason).lastInsertRowid);
  }

  #clearBuffer(): void {
    this.#buffered = [];
    this.#bufferedIds.clear();
  }
}

/** Instead of the number of a notification that is not written: it leads to nothing. */
const UNWRITTEN = 0;

/** Whether operators may want to see the message: it led to an event, or may lead to one. */
function keepsBody({ outcome, changedServers = [] }: Decision): boolean {
  return outcome === "event" || outcome === "superseded" || changedServers.length > 0;
}

const STATEMENTS = {
  known: `SELECT 1 FROM notification WHERE sent = ? AND message_id = ?`,
  record: `INSERT INTO notification (message_id, sent, event_type, received_at, body, outcome, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  reject:
    `INSERT INTO rejection (received_at, reason, size, sha256, exchange, routing_key, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  undecided: `SELECT seq, body FROM notification WHERE outcome IS NULL ORDER BY seq LIMIT ?`,
  forget: `DELETE FROM notification WHERE seq = ?`,
  decided: `UPDATE notification SET outcome = ?, reason = ?, body = iif(?, body, NULL) WHERE seq = ?`,
} as const;
