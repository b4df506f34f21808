/** Guesses of one address and of all, in a minute. */
const PER_ADDRESS = 10;
const TOGETHER = 100;
const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 1000;

/** Counts wrong tokens: who guesses is made to wait. */
export class GuessLimit {
  readonly #now: () => number;
  readonly #byAddress = new Map<string, number>();
  #together = 0;
  #since: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Whether this address may try now. */
  allows(address: string): boolean {
    this.#forget();
    return this.#together < TOGETHER && (this.#byAddress.get(address) ?? 0) < PER_ADDRESS;
  }

  /** A token was wrong. */
  count(address: string): void {
    this.#together++;
    if (this.#byAddress.size < MAX_ADDRESSES) this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  #forget(): void {
    if (Math.abs(this.#now() - this.#since) < MINUTE_MS) return;
    this.#byAddress.clear();
    this.#together = 0;
    this.#since = this.#now();
  }
}
