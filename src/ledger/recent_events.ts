import type { Delivery } from "../model/ledger.ts";

/** What every delivery of an event needs of it. */
export interface RecentEvent {
  readonly event: Delivery["event"];
  /** JSON. */
  readonly detail: string;
  /** JSON. */
  readonly missing: string;
  readonly orderKeys: readonly number[];
}

/** How many are kept. */
export const MAX_EVENTS = 4000;
/** How long the texts of all may be: what tenants wrote must not fill the memory. */
export const MAX_LENGTH = 8_388_608;

/** The newest events, by `seq`, which most deliveries are of: what was just written need not be read and parsed again. */
export class RecentEvents {
  readonly #events = new Map<number, RecentEvent>();
  #length = 0;

  get(seq: number): RecentEvent | undefined {
    return this.#events.get(seq);
  }

  /** Adds the newest, each `seq` once; the oldest go for it. */
  add(seq: number, recent: RecentEvent): void {
    this.#events.set(seq, recent);
    this.#length += lengthOf(recent);
    for (const [oldest, gone] of this.#events) {
      if (this.#events.size <= MAX_EVENTS && this.#length <= MAX_LENGTH) break;
      this.#events.delete(oldest);
      this.#length -= lengthOf(gone);
    }
  }

  clear(): void {
    this.#events.clear();
    this.#length = 0;
  }
}

function lengthOf({ detail, missing }: RecentEvent): number {
  return detail.length + missing.length;
}
