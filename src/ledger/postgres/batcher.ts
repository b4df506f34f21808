interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what shall be written, and writes it together: one statement is under way at a time, and
 * what comes meanwhile goes with the next. So batches grow with the load.
 */
export class Batcher<Item> {
  readonly #write: (items: readonly Item[]) => Promise<void>;
  #waiting: Waiting<Item>[] = [];
  #isWriting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #most: number;
  readonly #enough: number;

  /**
   * @param options `most`: items of one statement. `enough`: so many are written without waiting for
   * more.
   */
  constructor(
    write: (items: readonly Item[]) => Promise<void>,
    { most, enough = most }: { readonly most: number; readonly enough?: number },
  ) {
    this.#write = write;
    this.#most = most;
    this.#enough = enough;
  }

  /** Writes an item at the latest after `waitMs`. Resolves when it is committed. */
  add(item: Item, waitMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ item, resolve, reject });
    if (this.#isWriting) return promise;
    if (waitMs === 0 || this.#waiting.length >= this.#enough) this.#soon(0);
    else this.#soon(waitMs);
    return promise;
  }

  #soon(waitMs: number): void {
    if (waitMs > 0 && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#writeAll(), waitMs);
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most);
      try {
        await this.#write(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // What came meanwhile must not overtake what has failed: whoever tries again does so in this order.
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error);
      }
    }
    this.#isWriting = false;
  }
}
