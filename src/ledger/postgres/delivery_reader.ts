import type { Delivery } from "../../model/ledger.ts";
import { type RecentEvent, RecentEvents, storedEvent } from "../recent_events.ts";
import type { Queries } from "./client.ts";
import type { OpenDelivery } from "./open_deliveries.ts";
import { ToldDetails } from "./told.ts";

/** What an attempt gets of an event. */
type StoredEvent = Omit<RecentEvent, "orderKeys">;

/** Reads what attempts need: of events, from the cache or the table, and of what came before. */
export class DeliveryReader {
  /** The newest events. */
  readonly recent = new RecentEvents();
  readonly #queries: Queries;
  readonly #told: ToldDetails;

  constructor(queries: Queries) {
    this.#queries = queries;
    this.#told = new ToldDetails(queries);
  }

  /** What attempts get of events, by number. */
  async events(seqs: readonly number[]): Promise<ReadonlyMap<number, StoredEvent>> {
    const events = new Map<number, StoredEvent>();
    const unread: number[] = [];
    for (const seq of seqs) {
      const recent = this.recent.get(seq);
      if (recent === undefined) unread.push(seq);
      else events.set(seq, recent);
    }
    if (unread.length === 0) return events;
    for (const row of await this.#queries.rows(EVENTS, [unread.join(",")])) {
      const [event, detail, missing] = [storedEvent(row["data"]), row["detail"] as string, row["missing"] as string];
      events.set(Number(row["seq"]), { event, detail, missing });
    }
    return events;
  }

  /** A delivery with all that its attempt needs. */
  async read({ plugin, number, delivery, event: { event, detail, missing } }: {
    readonly plugin: string;
    readonly number: number;
    readonly delivery: OpenDelivery;
    readonly event: StoredEvent;
  }): Promise<Delivery> {
    const { seq, attempts, triedMs, lastAttemptAt, isRepair } = delivery;
    return {
      seq,
      plugin,
      event,
      // Parsed for each delivery: a plugin may change its detail.
      detail: JSON.parse(detail),
      ...(event.updates === undefined ? {} : { before: await this.#told.before(number, { ...event, seq }) }),
      missing: JSON.parse(missing),
      attempts,
      triedMs,
      lastAttemptAt,
      ...(attempts > 0 ? await this.#progress(number, seq) : {}),
      ...(isRepair ? { repair: true } : {}),
    };
  }

  async #progress(plugin: number, seq: number): Promise<Pick<Delivery, "progress">> {
    const [row] = await this.#queries.rows(PROGRESS, [plugin, seq]);
    const progress = row?.["progress"] ?? null;
    return progress === null ? {} : { progress: JSON.parse(progress as string) };
  }
}

const EVENTS = `SELECT seq, data, detail, missing FROM event
  WHERE seq = ANY(string_to_array($1, ',')::bigint[]) AND detail IS NOT NULL`;

const PROGRESS = "SELECT progress FROM failure WHERE plugin = $1 AND seq = $2 ORDER BY attempt DESC LIMIT 1";
