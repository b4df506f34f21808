import type { Delivery, ReadyQuery } from "../../model/ledger.ts";
import type { QueuedDelivery } from "./queued_delivery.ts";
import { byDueTime } from "../ready_queue.ts";
import { type RecentEvent, type RecentEvents, storedEvent } from "../recent_events.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import { ToldDetails } from "./told_details.ts";
import type { Queues } from "./queues.ts";

/** The ledger's in-memory state, beside its file. */
export interface InMemory {
  readonly plugins: PluginNumbers;
  readonly queues: Queues;
  readonly recent: RecentEvents;
}

/** Finds the deliveries that may be attempted, in memory and in the file. Only reads. */
export class ReadyDeliveries {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #inMemory: InMemory;
  readonly #told: ToldDetails;

  constructor(database: Database, inMemory: InMemory) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#inMemory = inMemory;
    this.#told = new ToldDetails(database, inMemory.plugins);
  }

  /**
   * Deliveries that may be attempted, earliest due first. Of a busy one only its row is read:
   * parsing its event costs ten times as much.
   */
  ready({ plugin, now, limit, busy = NONE_BUSY }: ReadyQuery): readonly Delivery[] {
    const { plugins, queues } = this.#inMemory;
    const number = plugins.of(plugin);
    const written = queues.hasWrittenReady(number) ? this.#written(number, { now, limit, busy }) : [];
    const queued = queues.ready(number, { limit, busy }).map(neverAttempted);
    const first = written.length === 0 ? queued : [...written, ...queued].sort(byDueTime).slice(0, limit);
    return first.map((ready) => this.#delivery(plugin, ready));
  }

  /** When the first delivery is due, milliseconds since the epoch; `null` for none. */
  nextDueAt(plugin: string): number | null {
    const { plugins, queues } = this.#inMemory;
    const number = plugins.of(plugin);
    const written = queues.hasWrittenReady(number) ? this.#sql.nextDueAt.get(number)?.["due_at"] ?? Infinity : Infinity;
    const queued = queues.ready(number, { limit: 1, busy: NONE_BUSY })[0]?.dueAt ?? Infinity;
    const dueAt = Math.min(Number(written), queued);
    return dueAt === Infinity ? null : dueAt;
  }

  #written(plugin: number, { now, limit, busy }: Pick<Required<ReadyQuery>, "now" | "limit" | "busy">): Ready[] {
    return this.#sql.ready.all(plugin, now, limit + busy.size).map(readyOfRow).filter(({ seq }) => !busy.has(seq));
  }

  #delivery(plugin: string, { seq, attempts, triedMs, lastAttemptAt, isRepair }: Ready): Delivery {
    const { event, detail, missing } = this.#inMemory.recent.get(seq) ?? this.#stored(seq);
    return {
      seq,
      plugin,
      event,
      // Parsed for each delivery: a plugin may change its detail.
      detail: JSON.parse(detail),
      ...(event.updates === undefined ? {} : { before: this.#told.before(plugin, { ...event, seq }) }),
      missing: JSON.parse(missing),
      attempts,
      triedMs,
      lastAttemptAt,
      ...(attempts > 0 ? this.#progress(plugin, seq) : {}),
      ...(isRepair ? { repair: true } : {}),
    };
  }

  #progress(plugin: string, seq: number): Pick<Delivery, "progress"> {
    const progress = this.#sql.progress.get(this.#inMemory.plugins.of(plugin), seq)?.["progress"] ?? null;
    return progress === null ? {} : { progress: JSON.parse(progress as string) };
  }

  #stored(seq: number): Omit<RecentEvent, "orderKeys"> {
    const row = this.#sql.stored.get(seq) ?? {};
    return {
      event: storedEvent(row["data"]),
      detail: row["detail"] as string,
      missing: row["missing"] as string,
    };
  }
}

/** A ready delivery without its event. */
interface Ready {
  readonly seq: number;
  readonly dueAt: number;
  readonly attempts: number;
  readonly triedMs: number;
  readonly lastAttemptAt: number | null;
  readonly isRepair: boolean;
}

function readyOfRow(row: Readonly<Record<string, unknown>>): Ready {
  return {
    seq: Number(row["seq"]),
    dueAt: Number(row["due_at"]),
    attempts: Number(row["attempts"]),
    triedMs: Number(row["tried_ms"]),
    lastAttemptAt: row["last_attempt_at"] === null ? null : Number(row["last_attempt_at"]),
    isRepair: row["repair"] === 1,
  };
}

function neverAttempted({ seq, dueAt }: QueuedDelivery): Ready {
  return { seq, dueAt, attempts: 0, triedMs: 0, lastAttemptAt: null, isRepair: false };
}

export const NONE_BUSY: ReadonlySet<number> = new Set();

const STATEMENTS = {
  ready: `SELECT seq, due_at, attempts, tried_ms, last_attempt_at, repair FROM delivery
    WHERE plugin = ? AND state = 'ready' AND due_at <= ? ORDER BY due_at, seq LIMIT ?`,
  nextDueAt: `SELECT min(due_at) AS due_at FROM delivery WHERE plugin = ? AND state = 'ready'`,
  progress: `SELECT progress FROM failure WHERE plugin = ? AND seq = ? ORDER BY attempt DESC LIMIT 1`,
  stored: `SELECT data, detail, missing FROM event WHERE seq = ?`,
} as const;
