import type { QueuedDelivery } from "./queued_delivery.ts";

/** So many that are not ready any more are passed over before they are taken out: many at once cost what one does. */
const COMPACT = 256;

/** Deliveries in the order in which they are due, and of those the oldest event's first. Most come at the end and go from the front. */
export class ReadyQueue {
  #deliveries: QueuedDelivery[] = [];
  #gone = 0;

  add(delivery: QueuedDelivery): void {
    const { length } = this.#deliveries;
    const last = this.#deliveries[length - 1];
    if (last === undefined || inOrder(last, delivery) < 0) this.#deliveries.push(delivery);
    else this.#deliveries.splice(this.#placeOf(delivery), 0, delivery);
  }

  /** One of them is not ready any more. */
  leave(): void {
    if (++this.#gone < COMPACT) return;
    this.#deliveries = this.#deliveries.filter(({ state }) => state === "ready");
    this.#gone = 0;
  }

  /** So many of the first, without those that are busy. */
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
      if (inOrder(this.#deliveries[middle] as QueuedDelivery, delivery) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** The order in which a plugin is told: a number below 0 where `one` comes first. */
export function inOrder(one: Place, other: Place): number {
  return one.dueAt - other.dueAt || one.seq - other.seq;
}

type Place = Pick<QueuedDelivery, "dueAt" | "seq">;
