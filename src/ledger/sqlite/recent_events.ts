import type { Delivery } from "../../model/ledger.ts";

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
/** The share that stays when there are too many. */
const KEEP = 0.99;

interface Kept extends RecentEvent {
  /** Deliveries that are not finished. */
  open: number;
}

/**
 * The newest events, by `seq`, which most deliveries are of: what was just written need not be read and parsed again. Who needs it no more is let go at
 * once: what stays for longer outlives V8's young generation, and is memory until the old one is collected.
 */
export class RecentEvents {
  readonly #events = new Map<number, Kept>();
  #length = 0;

  get(seq: number): RecentEvent | undefined {
    return this.#events.get(seq);
  }

  /** Adds the newest, each `seq` once, for so many deliveries; the oldest go for it. */
  add(seq: number, recent: RecentEvent, deliveries: number): void {
    this.#events.set(seq, { ...recent, open: deliveries });
    this.#length += lengthOf(recent);
    if (this.#events.size > MAX_EVENTS || this.#length > MAX_LENGTH) this.#makeRoom();
  }

  /** A delivery is finished; with the last one the event goes. */
  finished(seq: number): void {
    const kept = this.#events.get(seq);
    if (kept !== undefined && --kept.open === 0) this.#delete(seq, kept);
  }

  clear(): void {
    this.#events.clear();
    this.#length = 0;
  }

  /** For some more at once: a `Map` finds its first one behind all that were deleted before it. */
  #makeRoom(): void {
    for (const [oldest, gone] of this.#events) {
      if (this.#events.size <= KEEP * MAX_EVENTS && this.#length <= KEEP * MAX_LENGTH) break;
      this.#delete(oldest, gone);
    }
  }

  #delete(seq: number, gone: RecentEvent): void {
    this.#events.delete(seq);
    this.#length -= lengthOf(gone);
  }
}

function lengthOf({ detail, missing }: RecentEvent): number {
  return detail.length + missing.length;
}
