import { setImmediate } from "node:timers";
import type { Ledger, Settlement } from "../model/ledger.ts";

interface Pending {
  readonly settlement: Settlement;
  readonly settled: PromiseWithResolvers<void>;
}

/** The longest that an outcome waits for others to share its transaction; nobody but the next event of the same server waits for it. */
const GATHER_MS = 5;
/** So many wait for nobody else. */
const ENOUGH = 16;

/** Records how attempts ended, those of all plugins that end at about the same time in one transaction. */
export class Settler {
  readonly #ledger: Pick<Ledger, "settle">;
  #pending: Pending[] = [];
  #state: "idle" | "gathering" | "recording" = "idle";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ledger: Pick<Ledger, "settle">) {
    this.#ledger = ledger;
  }

  /** Resolves when it is recorded; waits as long as the ledger cannot write. */
  settle(settlement: Settlement): Promise<void> {
    const settled = Promise.withResolvers<void>();
    this.#pending.push({ settlement, settled });
    if (this.#state === "idle") {
      this.#state = "gathering";
      this.#timer = setTimeout(() => this.#settleAll(), GATHER_MS);
    }
    if (this.#state === "gathering" && this.#pending.length === ENOUGH) {
      clearTimeout(this.#timer);
      // After what the network has brought by now.
      setImmediate(() => this.#settleAll());
    }
    return settled.promise;
  }

  async #settleAll(): Promise<void> {
    this.#state = "recording";
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
    this.#state = "idle";
  }
}
