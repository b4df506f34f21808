import { setImmediate } from "node:timers";
import type { Ledger, Settlement } from "../model/ledger.ts";

interface Pending {
  readonly settlement: Settlement;
  readonly settled: PromiseWithResolvers<void>;
}

/** Records how attempts ended, those of all plugins that end at about the same time in one transaction. */
export class Settler {
  readonly #ledger: Pick<Ledger, "settle">;
  #pending: Pending[] = [];
  #running = false;

  constructor(ledger: Pick<Ledger, "settle">) {
    this.#ledger = ledger;
  }

  /** Resolves when it is recorded; waits as long as the ledger cannot write. */
  settle(settlement: Settlement): Promise<void> {
    const settled = Promise.withResolvers<void>();
    this.#pending.push({ settlement, settled });
    if (!this.#running) {
      this.#running = true;
      // After what the network has brought by now, so that attempts that ended together are recorded together.
      setImmediate(() => this.#settleAll());
    }
    return settled.promise;
  }

  async #settleAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#ledger.settle(batch.map(({ settlement }) => settlement));
        for (const { settled } of batch) settled.resolve();
      } catch (error) {
        for (const { settled } of batch) settled.reject(error);
      }
    }
    this.#running = false;
  }
}
