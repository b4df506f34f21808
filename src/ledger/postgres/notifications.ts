import type { Arrival } from "../../model/ledger.ts";
import type { Notification } from "../../model/notification.ts";
import { type Arrived, sentOf } from "../message_identity.ts";
import { told } from "./channel.ts";
import type { Queries, Row } from "./client.ts";
import { Columns, plain, SEPARATOR, unnested } from "./columns.ts";

/** A recorded notification that is not decided. */
export interface Undecided {
  readonly seq: number;
  readonly notification: Notification;
}

/** A batch of undecided notifications has at most this many characters, or is one notification. */
const MAX_CHARACTERS = 2_097_152;

/** Characters of notifications that are kept for the decision. */
const MAX_KEPT = 8_388_608;

/**
 * Recorded notifications. Those that this process records are kept until they are decided, so that
 * they need not be read and parsed again.
 */
export class Recorded {
  readonly #kept = new Map<number, { readonly notification: Notification; readonly length: number }>();
  #keptLength = 0;
  /** Whether the table may have undecided notifications. */
  #mayHoldUndecided = true;
  /** Whether decisions are made here. */
  isDeciding = false;

  /** Somebody may have recorded notifications. */
  notice(): void {
    this.#mayHoldUndecided = true;
  }

  /** Records messages, except for copies. Returns how many were new. */
  async record(
    arrivals: readonly Arrival[],
    { queries, tellsOthers }: { readonly queries: Queries; readonly tellsOthers: boolean },
  ): Promise<number> {
    const [notifications, rejections] = [new Columns(5), new Columns(7)];
    const arrived = new Map<string, { readonly arrival: Arrived; readonly length: number }>();
    for (const arrival of arrivals) {
      if ("rejection" in arrival) {
        const { reason, size, sha256, exchange, routingKey, body } = arrival.rejection;
        const text = body === null ? null : hexOf(body);
        rejections.add(arrival.receivedAt, plain(reason), size, sha256, plain(exchange), plain(routingKey), text);
        continue;
      }
      const { messageId, eventType } = arrival.notification;
      const [sent, id] = [plain(sentOf(arrival)), plain(messageId)];
      const identity = `${sent} ${id}`;
      if (arrived.has(identity)) continue;
      const body = JSON.stringify(arrival.notification);
      arrived.set(identity, { arrival, length: body.length });
      notifications.add(id, sent, plain(eventType), arrival.receivedAt, body);
    }
    const rows = await queries.rows(RECORD, [
      ...notifications.texts,
      ...rejections.texts,
      tellsOthers && !this.isDeciding,
    ]);
    for (const row of rows) this.#keep(row, arrived);
    if (rows.length > 0) this.notice();
    return rows.length + rejections.size;
  }

  /** Undecided notifications in recorded order, from behind `after`. */
  async after(after: number, limit: number, queries: Queries): Promise<readonly Undecided[]> {
    if (!this.#mayHoldUndecided) return [];
    this.#mayHoldUndecided = false;
    let rows: readonly Row[];
    try {
      rows = await queries.rows(UNDECIDED, [after, limit, [...this.#kept.keys()].join(SEPARATOR)]);
    } catch (error) {
      this.#mayHoldUndecided = true;
      throw error;
    }
    const undecided: Undecided[] = [];
    let characters = 0;
    for (const row of rows) {
      const seq = Number(row["seq"]);
      const kept = this.#kept.get(seq);
      const body = row["body"] as string | null;
      // It was given up meanwhile.
      if (kept === undefined && body === null) break;
      const length = kept?.length ?? body!.length;
      if (undecided.length > 0 && characters + length > MAX_CHARACTERS) break;
      characters += length;
      undecided.push({ seq, notification: kept?.notification ?? JSON.parse(body!) });
    }
    if (undecided.length > 0 || rows.length > 0) this.#mayHoldUndecided = true;
    return undecided;
  }

  /** All notifications up to a number are decided. */
  decided(through: number): void {
    for (const [seq, { length }] of this.#kept) {
      if (seq > through) break;
      this.#kept.delete(seq);
      this.#keptLength -= length;
    }
  }

  /** Decisions are not made here any more. */
  forget(): void {
    this.#kept.clear();
    this.#keptLength = 0;
    this.#mayHoldUndecided = true;
  }

  #keep(
    row: Row,
    arrived: ReadonlyMap<string, { readonly arrival: Arrived; readonly length: number }>,
  ): void {
    const found = arrived.get(`${row["sent"]} ${row["message_id"]}`);
    if (found === undefined || !this.isDeciding || this.#keptLength + found.length > MAX_KEPT) return;
    this.#kept.set(Number(row["seq"]), { notification: found.arrival.notification, length: found.length });
    this.#keptLength += found.length;
  }
}

function hexOf(bytes: Uint8Array): string {
  return `\\x${bytes.toHex()}`;
}

/**
 * SQL: waits until nobody else records, until the end of the transaction: numbers become visible in
 * their order.
 */
export const LOCK_RECORDING =
  "SELECT pg_advisory_xact_lock(hashtextextended('oss-watcher recording ' || current_schema(), 0))";

const RECORD = `WITH turn AS MATERIALIZED (${LOCK_RECORDING},
    CASE WHEN $13::boolean THEN ${told("recorded")} END),
  rejected AS (INSERT INTO rejection (received_at, reason, size, sha256, exchange, routing_key, body)
    SELECT r.received_at, coalesce(r.reason, ''), r.size, r.sha256, coalesce(r.exchange, ''), coalesce(r.routing_key, ''), r.body::bytea
    FROM turn, ${unnested(6, ["bigint", "text", "bigint", "text", "text", "text", "text"])}
      AS r (received_at, reason, size, sha256, exchange, routing_key, body))
  INSERT INTO notification (message_id, sent, event_type, received_at, body)
    SELECT coalesce(r.message_id, ''), coalesce(r.sent, ''), coalesce(r.event_type, ''), r.received_at, r.body
    FROM turn, ${unnested(1, ["text", "text", "text", "bigint", "text"])} WITH ORDINALITY
      AS r (message_id, sent, event_type, received_at, body, place)
    ORDER BY r.place
  ON CONFLICT (sent, message_id) DO NOTHING RETURNING seq, sent, message_id`;

const UNDECIDED =
  `SELECT seq, CASE WHEN seq = ANY(string_to_array($3, E'\\x1e')::bigint[]) THEN NULL ELSE body END AS body
  FROM notification WHERE seq > $1 ORDER BY seq LIMIT $2`;
