import type { Clock } from "../model/clock.ts";
import type { Delivery, Ledger } from "../model/ledger.ts";

/** How long a read-ahead is used, milliseconds: operators may drop or replay deliveries. */
const LASTS_MS = 50;

/**
 * Ready deliveries of one plugin, read ahead: as many as were used of the last read in time, or twice as
 * many when all were, and there was time left. A fast target gets few reads; of a slow one little is
 * read and parsed in vain.
 */
export class ReadAhead {
  readonly #ledger: Pick<Ledger, "ready">;
  readonly #clock: Clock;
  readonly #plugin: string;
  #deliveries: Delivery[] = [];
  #readAt = 0;
  /** How many the last read gave. */
  #read = 0;
  /** How many it asked for; `Infinity`: as many as it may. */
  #asked = Infinity;

  constructor(plugin: string, { ledger, clock }: { readonly ledger: Pick<Ledger, "ready">; readonly clock: Clock }) {
    this.#plugin = plugin;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /**
   * The next delivery to attempt; `undefined`: none is ready.
   *
   * @param options `room`: attempts that may start now. `most`: the most that is read at once.
   * `inFlight`: numbers of events that are not read.
   */
  async next(
    { room, most, inFlight }: { readonly room: number; readonly most: number; readonly inFlight: Iterable<number> },
  ): Promise<Delivery | undefined> {
    const now = this.#clock.now();
    const isStale = Math.abs(now - this.#readAt) > LASTS_MS;
    if (this.#deliveries.length === 0 || isStale) {
      const used = this.#read - this.#deliveries.length;
      if (used < this.#read) this.#asked = used;
      else if (!isStale) this.#asked *= 2;
      this.#asked = Math.min(Math.max(this.#asked, room), most);
      // Before the read: a delivery that ends during the read must not be attempted again.
      const busy = new Set(inFlight);
      this.#deliveries = [...await this.#ledger.ready({ plugin: this.#plugin, now, limit: this.#asked, busy })];
      this.#read = this.#deliveries.length;
      // After the read: one that takes long would be read for its first delivery alone, again and again.
      this.#readAt = this.#clock.now();
    }
    return this.#deliveries.shift();
  }

  /** What was read may be dropped or replayed before it is used. */
  clear(): void {
    this.#deliveries = [];
  }
}
