import type { TargetFacts } from "./target_facts.ts";
import type { WorkerClient } from "./worker_client.ts";

const LIMIT_MS = 20_000;
/** The least age at which they are read again, and the share of time that reading may take. */
const MIN_AGE_MS = 1000;
const MAX_SHARE = 0.05;

/** What the worker knows of the plugins, read so seldom that it costs little. */
export class TargetFactsCache {
  readonly #worker: WorkerClient;
  readonly #now: () => number;
  #facts: readonly TargetFacts[] = [];
  #reading: Promise<void> | undefined;
  #nextAt = -Infinity;

  constructor(worker: WorkerClient, now: () => number) {
    this.#worker = worker;
    this.#now = now;
  }

  /** The facts; those read last while the worker or the ledger does not answer. */
  async read(): Promise<readonly TargetFacts[]> {
    if (this.#now() >= this.#nextAt || this.#nextAt - this.#now() > 60_000) {
      this.#reading ??= this.#readAgain().finally(() => this.#reading = undefined);
      await this.#reading.catch(() => {});
    }
    return this.#facts;
  }

  /** Reads again at the next call: an action may have changed them. */
  expire(): void {
    this.#nextAt = -Infinity;
  }

  async #readAgain(): Promise<void> {
    const beganAt = this.#now();
    const call = { route: "readTargetFacts", query: {}, body: null, who: "" };
    const { status, body } = await this.#worker.ask(call, { limitMs: LIMIT_MS });
    const tookMs = this.#now() - beganAt;
    this.#nextAt = this.#now() + Math.min(30_000, Math.max(MIN_AGE_MS, tookMs / MAX_SHARE));
    if (status === 200) this.#facts = JSON.parse(new TextDecoder().decode(body));
  }
}
