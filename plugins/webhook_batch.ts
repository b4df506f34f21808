import { DeliveryError } from "../mod.ts";

export interface BatchOptions<Item> {
  /** From the first item until they are sent, milliseconds. */
  readonly waitMs: number;
  /** Sends some items; rejects when that failed for all of them. The signal aborts when nobody waits any more. */
  readonly send: (items: readonly Item[], signal: AbortSignal) => Promise<void>;
}

interface Waiting<Item> {
  readonly item: Item;
  /** Of the attempt. */
  readonly signal: AbortSignal;
  readonly sent: PromiseWithResolvers<void>;
}

/** Items that one message has at most: chats limit their length. */
const MAX_ITEMS = 20;

/** Collects what comes close together, and sends it at once. */
export class Batch<Item> {
  readonly #options: BatchOptions<Item>;
  #waiting: Waiting<Item>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The message on its way: the next one is sent after it, so that the chat shows them in order. */
  #sending: Promise<void> = Promise.resolve();

  constructor(options: BatchOptions<Item>) {
    this.#options = options;
  }

  /** Resolves when the item was sent. Rejects when that failed, or when the signal aborts before. */
  async add(item: Item, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waiting: Waiting<Item> = { item, signal, sent: Promise.withResolvers() };
    // The service may have stopped waiting.
    waiting.sent.promise.catch(() => {});
    const aborted = () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      if (this.#waiting.length === 0) this.#begin();
      waiting.sent.reject(signal.reason);
    };
    signal.addEventListener("abort", aborted, { once: true });
    this.#waiting.push(waiting);
    this.#timer ??= setTimeout(() => this.#begin(), this.#options.waitMs);
    if (this.#waiting.length >= MAX_ITEMS) this.#begin();
    try {
      await waiting.sent.promise;
    } finally {
      signal.removeEventListener("abort", aborted);
    }
  }

  /** Sends what waits, without waiting for more. */
  async flush(): Promise<void> {
    this.#begin();
    await this.#sending;
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) this.#sending = this.#sending.then(() => this.#send(batch));
  }

  async #send(begun: readonly Waiting<Item>[]): Promise<void> {
    // Attempts that ended behind the message before will be repeated.
    const batch = begun.filter(({ signal }) => !signal.aborted);
    if (batch.length === 0) return;
    const signals = batch.map(({ signal }) => signal);
    const unwanted = new AbortController();
    const aborted = () => {
      if (signals.every((signal) => signal.aborted)) unwanted.abort(signals[0]?.reason);
    };
    for (const signal of signals) signal.addEventListener("abort", aborted);
    try {
      await this.#options.send(batch.map(({ item }) => item), unwanted.signal);
      for (const { sent } of batch) sent.resolve();
    } catch (error) {
      if (batch.length > 1 && isRefusal(error)) return await this.#sendEach(batch);
      for (const { sent } of batch) sent.reject(error);
    } finally {
      for (const signal of signals) signal.removeEventListener("abort", aborted);
    }
  }

  /** One item may be what the chat refuses: the others must not become dead letters with it. */
  async #sendEach(batch: readonly Waiting<Item>[]): Promise<void> {
    for (const waiting of batch) await this.#send([waiting]);
  }
}

/** Statuses by which a chat refuses what a message says: bad, too large, not to be processed. */
const REFUSALS: readonly (number | undefined)[] = [400, 413, 422];

function isRefusal(error: unknown): boolean {
  return error instanceof DeliveryError && REFUSALS.includes(error.status);
}
