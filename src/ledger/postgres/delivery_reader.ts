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

  /**
   * What attempts get of events, by number, of some more than of those that are ready. If one has to be
   * read, those that are attempted next are read with it, and kept: a question for each few deliveries
   * would take as long as their attempts.
   *
   * @param options `next`: the deliveries that are attempted next, all that are ready among them.
   * `holders`: how many plugins have a delivery of an event in RAM.
   */
  async events(
    ready: readonly OpenDelivery[],
    { next, holders }: {
      readonly next: () => readonly OpenDelivery[];
      readonly holders: (seq: number) => number;
    },
  ): Promise<ReadonlyMap<number, StoredEvent>> {
    const events = new Map<number, StoredEvent>();
    for (const { seq } of ready) {
      const recent = this.recent.get(seq);
      if (recent !== undefined) events.set(seq, recent);
    }
    if (events.size === ready.length) return events;
    const unread = new Map(next().map(({ seq, orderKeys }) => [seq, orderKeys]));
    for (const seq of unread.keys()) if (this.recent.get(seq) !== undefined) unread.delete(seq);
    for (const row of await this.#queries.rows(EVENTS, [[...unread.keys()].join(",")])) {
      const seq = Number(row["seq"]);
      const [event, detail, missing] = [storedEvent(row["data"]), row["detail"] as string, row["missing"] as string];
      const stored = { event, detail, missing, orderKeys: unread.get(seq)! };
      events.set(seq, stored);
      // Others were finished, or read by another lane, meanwhile.
      const count = holders(seq);
      if (count > 0 && this.recent.get(seq) === undefined) this.recent.add(seq, stored, count);
    }
    return events;
  }

  /** Deliveries with all that their attempts need, with few questions, however many they are. */
  async read(
    { plugin, number }: { readonly plugin: string; readonly number: number },
    ready: readonly { readonly delivery: OpenDelivery; readonly event: StoredEvent }[],
  ): Promise<readonly Delivery[]> {
    const following = ready.filter(({ event: { event } }) => event.updates !== undefined);
    const before = await this.#told.beforeAll(
      number,
      following.map(({ delivery: { seq }, event: { event } }) => ({ ...event, seq })),
    );
    const progress = await this.#progress(number, ready.filter(({ delivery }) => delivery.attempts > 0));
    return ready.map(({ delivery, event: { event, detail, missing } }) => {
      const { seq, attempts, triedMs, lastAttemptAt, isRepair } = delivery;
      const kept = progress.get(seq);
      return {
        seq,
        plugin,
        event,
        // Parsed for each delivery: a plugin may change its detail.
        detail: JSON.parse(detail),
        ...(event.updates === undefined ? {} : { before: before.get(seq) ?? null }),
        missing: JSON.parse(missing),
        attempts,
        triedMs,
        lastAttemptAt,
        ...(kept === undefined ? {} : { progress: JSON.parse(kept) }),
        ...(isRepair ? { repair: true } : {}),
      };
    });
  }

  /** What plugins kept of earlier attempts, as JSON, by the numbers of events. */
  async #progress(
    plugin: number,
    retried: readonly { readonly delivery: OpenDelivery }[],
  ): Promise<ReadonlyMap<number, string>> {
    if (retried.length === 0) return new Map();
    const rows = await this.#queries.rows(PROGRESS, [plugin, retried.map(({ delivery }) => delivery.seq).join(",")]);
    return new Map(rows.map((row) => [Number(row["seq"]), row["progress"] as string]));
  }
}

const EVENTS = `SELECT seq, data, detail, missing FROM event
  WHERE seq = ANY(string_to_array($1, ',')::bigint[]) AND detail IS NOT NULL`;

/** Of the last attempt, unless it kept nothing. */
const PROGRESS = `SELECT f.seq, f.progress
  FROM (SELECT DISTINCT ON (seq) seq, progress FROM failure
    WHERE plugin = $1::integer AND seq = ANY(string_to_array($2, ',')::bigint[]) ORDER BY seq, attempt DESC) AS f
  WHERE f.progress IS NOT NULL`;
