import type { WatcherEvent } from "../../model/event.ts";
import type { Delivery, ReadyQuery } from "../../model/ledger.ts";
import type { QueuedDelivery } from "./queued_delivery.ts";
import { inOrder } from "./ready_queue.ts";
import type { RecentEvent, RecentEvents } from "./recent_events.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import type { PluginNumbers } from "./plugins.ts";
import type { Queues } from "./queues.ts";

/** What knows of deliveries beside the file. */
export interface Known {
  readonly plugins: PluginNumbers;
  readonly queues: Queues;
  readonly recent: RecentEvents;
}

/** The deliveries that may be attempted: those that memory has, and those that the file has. Only reads. */
export class ReadyDeliveries {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #known: Known;

  constructor(database: Database, known: Known) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#known = known;
  }

  /** Earliest due first. Of what is busy only the row is read: parsing what it is about costs ten times as much. */
  ready({ plugin, now, limit, busy = NONE }: ReadyQuery): readonly Delivery[] {
    const { plugins, queues } = this.#known;
    const number = plugins.of(plugin);
    const written = queues.hasWrittenReady(number) ? this.#written(number, { now, limit, busy }) : [];
    const queued = queues.ready(number, { limit, busy }).map(neverTried);
    const first = written.length === 0 ? queued : [...written, ...queued].sort(inOrder).slice(0, limit);
    return first.map((ready) => this.#delivery(plugin, ready));
  }

  /** When the earliest is due, milliseconds since the epoch; `null` for none. */
  nextDueAt(plugin: string): number | null {
    const { plugins, queues } = this.#known;
    const number = plugins.of(plugin);
    const written = queues.hasWrittenReady(number) ? this.#sql.nextDueAt.get(number)?.["due_at"] ?? Infinity : Infinity;
    const queued = queues.ready(number, { limit: 1, busy: NONE })[0]?.dueAt ?? Infinity;
    const dueAt = Math.min(Number(written), queued);
    return dueAt === Infinity ? null : dueAt;
  }

  #written(plugin: number, { now, limit, busy }: Pick<Required<ReadyQuery>, "now" | "limit" | "busy">): Ready[] {
    return this.#sql.ready.all(plugin, now, limit + busy.size).map(ofRow).filter(({ seq }) => !busy.has(seq));
  }

  #delivery(plugin: string, { seq, attempts, triedMs, lastAttemptAt }: Ready): Delivery {
    const { event, detail, missing } = this.#known.recent.get(seq) ?? this.#stored(seq);
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
      ...(attempts > 0 ? this.#progress(plugin, seq) : {}),
    };
  }

  #progress(plugin: string, seq: number): Pick<Delivery, "progress"> {
    const progress = this.#sql.progress.get(this.#known.plugins.of(plugin), seq)?.["progress"] ?? null;
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

/** What is known of one that is ready without what it is about. */
interface Ready {
  readonly seq: number;
  readonly dueAt: number;
  readonly attempts: number;
  readonly triedMs: number;
  readonly lastAttemptAt: number | null;
}

function ofRow(row: Readonly<Record<string, unknown>>): Ready {
  return {
    seq: Number(row["seq"]),
    dueAt: Number(row["due_at"]),
    attempts: Number(row["attempts"]),
    triedMs: Number(row["tried_ms"]),
    lastAttemptAt: row["last_attempt_at"] === null ? null : Number(row["last_attempt_at"]),
  };
}

function neverTried({ seq, dueAt }: QueuedDelivery): Ready {
  return { seq, dueAt, attempts: 0, triedMs: 0, lastAttemptAt: null };
}

/** Nothing is busy. */
export const NONE: ReadonlySet<number> = new Set();

const STATEMENTS = {
  ready: `SELECT seq, due_at, attempts, tried_ms, last_attempt_at FROM delivery
    WHERE plugin = ? AND state = 'ready' AND due_at <= ? ORDER BY due_at, seq LIMIT ?`,
  nextDueAt: `SELECT min(due_at) AS due_at FROM delivery WHERE plugin = ? AND state = 'ready'`,
  progress: `SELECT progress FROM failure WHERE plugin = ? AND seq = ? ORDER BY attempt DESC LIMIT 1`,
  stored: `SELECT data, detail, missing FROM event WHERE seq = ?`,
} as const;
