import type { ReadyQuery } from "../../model/ledger.ts";
import { DeliveryWindow } from "./delivery_window.ts";
import type { QueuedDelivery, Waiting } from "./queued_delivery.ts";

/** How many ready deliveries are asked for, and which of them are being attempted already. */
export type QueueQuery = Pick<Required<ReadyQuery>, "limit" | "busy">;

/** In-memory state of one plugin's delivery queue, in figures. */
export interface QueueState {
  /** How many deliveries are in memory, by state. */
  readonly waiting: Readonly<Record<Waiting, number>>;
  /** The lowest `seq` in memory that is not `blocked`; `Infinity` for none. */
  readonly oldest: number;
  /**
   * From this event on, `queued` deliveries are only in the file; `Infinity`: all are in memory.
   */
  readonly unreadFrom: number;
}

/** Where a plugin's queue begins, as its row in the file says. */
export interface QueueRow {
  /** No `queued` delivery is older than this event; `Infinity` for a plugin without a row. */
  readonly queuedFrom: number;
  /** How often operators' commands had changed the plugin's deliveries when the row was read. */
  readonly changes: number;
}

/**
 * In-memory state of one plugin's delivery queue: the window of deliveries that were read, and
 * where the unread ones begin. Decides which deliveries must leave memory; writes nothing itself.
 */
export class PluginQueue {
  readonly changes: number;
  readonly #window = new DeliveryWindow();
  #unreadFrom: number;
  /** The newest event whose delivery was appended. */
  #newest: number;
  #appendedSinceSave = 0;

  constructor({ queuedFrom, changes }: QueueRow) {
    this.changes = changes;
    this.#unreadFrom = queuedFrom;
    this.#newest = queuedFrom - 1;
  }

  get window(): DeliveryWindow {
    return this.#window;
  }

  /**
   * From this event on, `queued` deliveries are only in the file; `Infinity`: all are in memory.
   */
  get unreadFrom(): number {
    return this.#unreadFrom;
  }

  get isFullyRead(): boolean {
    return this.#unreadFrom === Infinity;
  }

  /** How many deliveries were appended since {@linkcode saved}. */
  get appendedSinceSave(): number {
    return this.#appendedSinceSave;
  }

  /**
   * Where the queue starts: the lowest `seq` in memory, else the first event that may come next.
   */
  get start(): number {
    const [oldest] = this.#window;
    return oldest?.seq ?? this.#newest + 1;
  }

  /** Leaves this delivery, and all newer ones, in the file. */
  stopReadingAt(seq: number): void {
    this.#unreadFrom = seq;
  }

  /** No `queued` delivery is left in the file that is not in memory. */
  readToEnd(newest: number): void {
    this.#unreadFrom = Infinity;
    this.#newest = newest;
  }

  /** Appends a delivery that is newer than all in memory. */
  append(delivery: QueuedDelivery): void {
    this.#window.add(delivery);
    this.#newest = delivery.seq;
    this.#appendedSinceSave++;
  }

  /** The start of the queue was written to the file. */
  saved(): void {
    this.#appendedSinceSave = 0;
  }

  /** Whether memory has fewer ready deliveries than asked for while the file has unread ones. */
  needsMore(query: QueueQuery): boolean {
    return !this.isFullyRead && this.#window.ready(query).length < query.limit;
  }

  /** The oldest deliveries that cannot be attempted yet, as many as there are beyond `capacity`. */
  overflow(capacity: number): readonly QueuedDelivery[] {
    const overflow: QueuedDelivery[] = [];
    const count = this.#window.size - capacity;
    if (count <= 0) return overflow;
    for (const delivery of this.#window) {
      if (overflow.length >= count) break;
      if (delivery.state !== "ready") overflow.push(delivery);
    }
    return overflow;
  }

  /** Deliveries whose events are more than `events` older than the newest one. */
  laggards(events: number): readonly QueuedDelivery[] {
    const laggards: QueuedDelivery[] = [];
    for (const delivery of this.#window) {
      if (delivery.seq >= this.#newest - events) break;
      laggards.push(delivery);
    }
    return laggards;
  }

  /** Counts what is in memory. */
  state(): QueueState {
    const waiting = { new: 0, blocked: 0, ready: 0 };
    let oldest = Infinity;
    for (const { seq, state } of this.#window) {
      waiting[state as Waiting]++;
      if (state !== "blocked") oldest = Math.min(oldest, seq);
    }
    return { waiting, oldest, unreadFrom: this.#unreadFrom };
  }
}
