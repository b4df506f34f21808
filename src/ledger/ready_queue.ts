/** Removed deliveries that stay in the array before all are taken out: one pass costs the same. */
const COMPACT_AFTER = 256;

/** A delivery with its place in the order of attempts. */
export interface Queued {
  readonly seq: number;
  readonly dueAt: number;
  /** Whatever is not `ready` was removed. */
  readonly state: string | null;
}

/**
 * Ready deliveries as a sorted array: by due time, then by event. Most are added at the end and
 * leave from the front.
 */
export class ReadyQueue<Delivery extends Queued> {
  #deliveries: Delivery[] = [];
  #removed = 0;

  add(delivery: Delivery): void {
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

  /** The first `limit` deliveries that are not `busy`, and due by a time. */
  first(limit: number, busy: ReadonlySet<number>, dueBy = Infinity): readonly Delivery[] {
    const first: Delivery[] = [];
    for (const delivery of this.#deliveries) {
      if (first.length >= limit || delivery.dueAt > dueBy) break;
      if (delivery.state === "ready" && !busy.has(delivery.seq)) first.push(delivery);
    }
    return first;
  }

  #placeOf(delivery: Delivery): number {
    let [from, to] = [0, this.#deliveries.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (byDueTime(this.#deliveries[middle] as Delivery, delivery) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Compares by due time, then by event: below 0 if `one` is attempted first. */
export function byDueTime(one: Place, other: Place): number {
  return one.dueAt - other.dueAt || one.seq - other.seq;
}

type Place = Pick<Queued, "dueAt" | "seq">;
