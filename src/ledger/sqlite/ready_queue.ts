import type { QueuedDelivery } from "./queued_delivery.ts";

/** Removed deliveries that stay in the array before all are taken out: one pass costs the same. */
const COMPACT_AFTER = 256;

/**
 * Ready deliveries as a sorted array: by due time, then by event. Most are added at the end and
 * leave from the front.
 */
export class ReadyQueue {
  #deliveries: QueuedDelivery[] = [];
  #removed = 0;

  add(delivery: QueuedDelivery): void {
    const { length } = this.#deliveries;
    const last = this.#deliveries[length - 1];
    if (last === undefined || byDueTime(last, delivery) < 0) this.#deliveries.push(delivery);
    else this.#deliveries.splice(this.#placeOf(delivery), 0, delivery);
  }

  /** To be called after a delivery's state changed from `ready`. */
  remove(): void {
    if (++this.#removed < COMPACT_AFTER) return;
    this.#deliveries = this.#deliveries.filter(({ state }) => state === "ready");
    this.#removed = 0;
  }

  /** The first `limit` deliveries that are not `busy`. */
  first(limit: number, busy: ReadonlySet<number>): readonly QueuedDelivery[] {
    const first: QueuedDelivery[] = [];
    for (const delivery of this.#deliveries) {
      if (first.length >= limit) break;
      if (delivery.state === "ready" && !busy.has(delivery.seq)) first.push(delivery);
    }
    return first;
  }

  #placeOf(delivery: QueuedDelivery): number {
    let [from, to] = [0, this.#deliveries.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (byDueTime(this.#deliveries[middle] as QueuedDelivery, delivery) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Compares by due time, then by event: below 0 if `one` is attempted first. */
export function byDueTime(one: Place, other: Place): number {
  return one.dueAt - other.dueAt || one.seq - other.seq;
}

type Place = Pick<QueuedDelivery, "dueAt" | "seq">;
