import type { Arrival } from "../../model/ledger.ts";
import type { Notification } from "../../model/notification.ts";
import { type Arrived, sentOf } from "../message_identity.ts";
import { told } from "./channel.ts";
import type { Queries, Row } from "./client.ts";
import { Columns, numbersOf, plain, SEPARATOR, unnested } from "./columns.ts";

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
  /** Behind this number all undecided notifications are kept, unless others record; `null`: not known. */
  #keptFrom: number | null = null;
  /** Whether decisions are made here. */
  isDeciding = false;

  /** Somebody may have recorded notifications. */
  notice(): void {
    this.#mayHoldUndecided = true;
    this.#keptFrom = null;
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
    const [row = {}] = await queries.rows(RECORD, [
      ...notifications.texts,
      ...rejections.texts,
      tellsOthers && !this.isDeciding,
      notifications.size,
    ]);
    const seqs = numbersOf(row["seqs"]);
    const identities = row["identities"] === null ? [...arrived.keys()] : String(row["identities"]).split(SEPARATOR);
    if (seqs.length > 0) this.#mayHoldUndecided = true;
    for (const [index, seq] of seqs.entries()) this.#keep(seq, arrived.get(identities[index]!)!);
    return seqs.length + rejections.size;
  }

  /**
   * Undecided notifications in recorded order, from behind `after`. Where all that are known were kept,
   * the table is not asked: whoever decides them proves that there are no others between them.
   */
  async after(after: number, limit: number, queries: Queries): Promise<readonly Undecided[]> {
    if (!this.#mayHoldUndecided) return [];
    this.#mayHoldUndecided = false;
    const found = this.#keptFrom !== null && after >= this.#keptFrom
      ? this.#keptAfter(after, limit)
      : await this.#read(after, limit, queries);
    if (found.length > 0) this.#mayHoldUndecided = true;
    return firstOf(found);
  }

  /** Whether there are notifications to decide, of those that were kept. */
  get hasKept(): boolean {
    return this.#kept.size > 0;
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
    this.notice();
  }

  async #read(after: number, limit: number, queries: Queries): Promise<readonly Found[]> {
    // What others record while the table is read is not in it.
    this.#keptFrom = after;
    let rows: readonly Row[];
    try {
      rows = await queries.rows(UNDECIDED, [after, limit, [...this.#kept.keys()].join(SEPARATOR)]);
    } catch (error) {
      this.notice();
      throw error;
    }
    const found = rows.map((row) => {
      const [seq, body] = [Number(row["seq"]), row["body"] as string | null];
      return { seq, ...this.#kept.get(seq) ?? { notification: null, length: body?.length ?? 0, body } };
    });
    if (rows.length >= limit) this.#keptFrom = null;
    else if (this.#keptFrom !== null) this.#keptFrom = found.findLast(({ seq }) => !this.#kept.has(seq))?.seq ?? after;
    return found;
  }

  #keptAfter(after: number, limit: number): readonly Found[] {
    const found: Found[] = [];
    for (const [seq, kept] of this.#kept) {
      if (found.length >= limit) break;
      if (seq > after) found.push({ seq, ...kept });
    }
    return found;
  }

  #keep(seq: number, { arrival, length }: { readonly arrival: Arrived; readonly length: number }): void {
    if (!this.isDeciding || this.#keptLength + length > MAX_KEPT) {
      this.#keptFrom = null;
      return;
    }
    this.#kept.set(seq, { notification: arrival.notification, length });
    this.#keptLength += length;
  }
}

/** An undecided notification; one that is not kept has its body, JSON, or `null` if it was given up meanwhile. */
interface Found {
  readonly seq: number;
  readonly length: number;
  readonly notification: Notification | null;
  readonly body?: string | null;
}

/** The first of what was found, as much as is decided at once. */
function firstOf(found: readonly Found[]): readonly Undecided[] {
  const undecided: Undecided[] = [];
  let characters = 0;
  for (const { seq, length, notification, body = null } of found) {
    if (notification === null && body === null) break;
    if (undecided.length > 0 && characters + length > MAX_CHARACTERS) break;
    characters += length;
    undecided.push({ seq, notification: notification ?? JSON.parse(body!) });
  }
  return undecided;
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

/** Who a row is, is only said where copies were left out. */
const RECORD = `WITH turn AS MATERIALIZED (${LOCK_RECORDING},
    CASE WHEN $13::boolean THEN ${told("recorded")} END),
  rejected AS (INSERT INTO rejection (received_at, reason, size, sha256, exchange, routing_key, body)
    SELECT r.received_at, coalesce(r.reason, ''), r.size, r.sha256, coalesce(r.exchange, ''), coalesce(r.routing_key, ''), r.body::bytea
    FROM turn, ${unnested(6, ["bigint", "text", "bigint", "text", "text", "text", "text"])}
      AS r (received_at, reason, size, sha256, exchange, routing_key, body)),
  added AS (INSERT INTO notification (message_id, sent, event_type, received_at, body)
    SELECT coalesce(r.message_id, ''), coalesce(r.sent, ''), coalesce(r.event_type, ''), r.received_at, r.body
    FROM turn, ${unnested(1, ["text", "text", "text", "bigint", "text"])} WITH ORDINALITY
      AS r (message_id, sent, event_type, received_at, body, place)
    ORDER BY r.place
  ON CONFLICT (sent, message_id) DO NOTHING RETURNING seq, sent, message_id)
  SELECT coalesce(array_agg(seq ORDER BY seq)::text, '{}') AS seqs,
    CASE WHEN count(*) < $14::bigint THEN string_agg(sent || ' ' || message_id, E'\\x1e' ORDER BY seq) END AS identities
    FROM added`;

const UNDECIDED =
  `SELECT seq, CASE WHEN seq = ANY(string_to_array($3, E'\\x1e')::bigint[]) THEN NULL ELSE body END AS body
  FROM notification WHERE seq > $1 ORDER BY seq LIMIT $2`;
