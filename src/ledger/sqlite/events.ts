import type { ServerSnapshot, WatcherEvent } from "../../model/event.ts";
import type { DetailRecord, ImmediateDetail, LedgerEvent } from "../../model/ledger.ts";
import type { Memory, ServerMemory } from "../../model/memory.ts";
import { mergeSnapshots } from "../../model/snapshot.ts";
import { learnedMemory } from "../learned_memory.ts";
import type { NewEvent } from "../new_event.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { deliveredEvent, type RecentEvent } from "../recent_events.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** The values that an event is written with. */
export interface AddOptions {
  /** Milliseconds since the epoch. */
  readonly decidedAt: number;
  /** Hashes. */
  readonly orderKeys: readonly number[];
  /** `null`: the detail is made later. */
  readonly immediate: ImmediateDetail | null;
}

/** An event that was written. */
export interface AddedEvent {
  readonly seq: number;
  /** The part that its deliveries need; `null` until its detail is stored. */
  readonly recent: RecentEvent | null;
}

/**
 * Tables `event` and `event_order`: events, their details and their order keys. Runs inside the
 * caller's transaction.
 */
export class Events {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** Writes an event; `null`: one with its key was written before. */
  add({ notification, event }: NewEvent, { decidedAt, orderKeys, immediate }: AddOptions): AddedEvent | null {
    const keys = JSON.stringify(orderKeys);
    const delivered = deliveredEvent(event);
    // The rest of an event is only needed to make its detail.
    const data = JSON.stringify(immediate === null ? event : delivered);
    const detail = immediate === null ? null : JSON.stringify(immediate.detail);
    const missing = immediate === null ? null : JSON.stringify(immediate.missing);
    const added = this.#sql.add.run(event.key, notification, decidedAt, data, keys, detail, missing);
    if (Number(added.changes) === 0) return null;
    const seq = Number(added.lastInsertRowid);
    for (const orderKey of orderKeys) this.#sql.addOrderKey.run(Math.trunc(seq / PARTITION_EVENTS), orderKey, seq);
    return {
      seq,
      recent: detail === null || missing === null ? null : { event: delivered, detail, missing, orderKeys },
    };
  }

  /** Replaces the server of an event whose detail is not stored yet. */
  fill({ key, server }: { readonly key: string; readonly server: ServerSnapshot }): void {
    const row = this.#sql.undetailedByKey.get(key);
    if (row === undefined) return;
    const event: WatcherEvent = JSON.parse(row["data"] as string);
    const completed = { ...event, server: mergeSnapshots(event.server, server) };
    this.#sql.replace.run(JSON.stringify(completed), Number(row["seq"]));
  }

  /** At most `limit` events without a detail, in order, from behind `after`. */
  undetailed(
    { limit, after, memory }: { readonly limit: number; readonly after: number; readonly memory: Memory },
  ): readonly LedgerEvent[] {
    return this.#sql.undetailed.all(after, limit).map((row) => {
      const event = JSON.parse(row["data"] as string) as WatcherEvent;
      const remembered = event.server.id === null ? undefined : memory.server(event.server.id);
      return { seq: Number(row["seq"]), event, remembered: remembered?.snapshot ?? null };
    });
  }

  storeDetail({ seq, detail, missing }: DetailRecord): void {
    this.#sql.storeDetail.run(JSON.stringify(detail), JSON.stringify(missing), seq);
  }

  /** The memory of the event's server with what was learned; `null`: it stays as it is. */
  learned(record: DetailRecord, memory: Memory): ServerMemory | null {
    if (record.learned === null) return null;
    const row = this.#sql.event.get(record.seq);
    if (row === undefined) return null;
    const event = JSON.parse(row["data"] as string) as WatcherEvent;
    return learnedMemory(record, { event, memory });
  }
}

const STATEMENTS = {
  add:
    `INSERT INTO event (key, notification, decided_at, data, order_keys, detail, missing) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO NOTHING`,
  addOrderKey: `INSERT INTO event_order (span, order_key, seq) VALUES (?, ?, ?)`,
  undetailedByKey: `SELECT seq, data FROM event WHERE key = ? AND detail IS NULL`,
  replace: `UPDATE event SET data = ? WHERE seq = ?`,
  undetailed: `SELECT seq, data FROM event WHERE detail IS NULL AND seq > ? ORDER BY seq LIMIT ?`,
  event: `SELECT data FROM event WHERE seq = ?`,
  storeDetail: `UPDATE event SET detail = ?, missing = ? WHERE seq = ?`,
} as const;
