import type { Clock } from "../model/clock.ts";
import type { Delivery, Ledger } from "../model/ledger.ts";

/** How long a read-ahead is used, milliseconds: operators may drop or replay deliveries. */
const LASTS_MS = 50;

/** Ready deliveries of one plugin, read ahead. */
export class ReadAhead {
  readonly #ledger: Pick<Ledger, "ready">;
  readonly #clock: Clock;
  readonly #plugin: string;
  #deliveries: Delivery[] = [];
  #readAt = 0;

  constructor(plugin: string, { ledger, clock }: { readonly ledger: Pick<Ledger, "ready">; readonly clock: Clock }) {
    this.#plugin = plugin;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /**
   * The next delivery to attempt; `undefined`: none is ready.
   *
   * @param limit Deliveries to read at once, if nothing is read ahead.
   * @param inFlight Numbers of events that are not read.
   */
  async next(limit: number, inFlight: Iterable<number>): Promise<Delivery | undefined> {
    const now = this.#clock.now();
    if (this.#deliveries.length === 0 || Math.abs(now - this.#readAt) > LASTS_MS) {
      // Before the read: a delivery that ends during the read must not be attempted again.
      const busy = new Set(inFlight);
      this.#deliveries = [...await this.#ledger.ready({ plugin: this.#plugin, now, limit, busy })];
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
