import { prime } from "../facts/prime.ts";
import type { Rules } from "../facts/decision_context.ts";
import type { Clock } from "../model/clock.ts";
import { type Ledger, type Listing, LISTINGS, type PrimingProgress } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import type { CloudReader, FoundPage } from "./cloud_reader.ts";
import { aborted } from "./aborted.ts";

export interface PrimingOptions {
  readonly reader: Pick<CloudReader, "read">;
  readonly ledger: Ledger;
  readonly rules: Pick<Rules, "anyPort" | "optional">;
  readonly clock: Clock;
  readonly log: Logger;
  /** The longest that messages wait for priming. */
  readonly maxWaitMs: number;
  /** Called once, when messages may be decided. */
  readonly onOpen: () => void;
  /** Called after each page. @default nothing is done */
  readonly onPage?: (signal: AbortSignal) => Promise<void>;
}

/** Interval of the log lines on progress. */
export const PROGRESS_EVERY_MS = 10_000;

/** Names of the listings in log lines. */
export const LISTING_NAMES: Readonly<Record<Listing, string>> = {
  floatingIps: "floating IPs",
  ports: "ports",
  servers: "servers",
};

/**
 * Priming: teaches a new ledger, once, which floating IPs, ports and servers exist. It begins after
 * our queues are bound, so that every later change comes as a message; messages are recorded
 * meanwhile, and decided once everything was read. Each page is stored with the marker of the next
 * one, so a later run continues there.
 */
export class Priming {
  readonly #options: PrimingOptions;
  #isOpen = false;
  #loggedAtMs: number;

  constructor(options: PrimingOptions) {
    this.#options = options;
    this.#loggedAtMs = options.clock.passedMs();
  }

  /** Whether messages may be decided: everything was read, or that took too long. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Reads the listings that the ledger has not read to their ends.
   *
   * @param listening Resolves when our queues are bound.
   */
  async run(listening: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const { ledger, clock, log } = this.#options;
    const begun = new Map((await ledger.priming()).map((progress) => [progress.listing, progress]));
    const isDone = (listing: Listing) => begun.get(listing)?.done ?? false;
    if (LISTINGS.every(isDone)) return this.#open();
    using _deadline = this.#openAfterTimeout(signal);
    await Promise.race([listening, aborted(signal)]);
    if (signal.aborted) return;
    const startMs = clock.passedMs();
    log.info("Reading the floating IPs, ports and servers that are there; messages are recorded, and wait");
    const counts: string[] = [];
    for (const listing of LISTINGS) {
      const from = begun.get(listing) ?? { listing, next: null, done: false, count: 0 };
      const { count } = from.done ? from : await this.#read(from, signal);
      if (signal.aborted) return;
      counts.push(`${count} ${LISTING_NAMES[listing]}`);
    }
    const seconds = Math.round((clock.passedMs() - startMs) / 1000);
    log.info(`Remembered ${counts.join(", ")}, after ${seconds} s; nothing is sent for them`);
    this.#open();
  }

  /** Reads one listing to its end. */
  async #read(from: PrimingProgress, signal: AbortSignal): Promise<PrimingProgress> {
    const { reader, ledger, onPage } = this.#options;
    let progress = from;
    try {
      for await (const page of reader.read(from.listing, { after: from.next, signal })) {
        await onPage?.(signal);
        progress = await this.#store(page, progress);
        if (signal.aborted) return progress;
      }
      // A listing that is forbidden or empty has no page.
      if (progress.done) return progress;
      const end = { ...progress, next: null, done: true };
      await ledger.prime(() => ({ changes: { servers: [], ports: [], floatingIps: [] }, progress: end }));
      return end;
    } catch (error) {
      if (signal.aborted) return progress;
      throw error;
    }
  }

  async #store({ found, next }: FoundPage, before: PrimingProgress): Promise<PrimingProgress> {
    const { ledger, rules, clock, log } = this.#options;
    let progress = before;
    await ledger.prime((memory) => {
      const { changes, missing } = prime(found, memory, rules);
      progress = { ...before, next, done: next === null, count: before.count + missing.length };
      return { changes, progress };
    });
    if (!progress.done && clock.passedMs() - this.#loggedAtMs >= PROGRESS_EVERY_MS) {
      this.#loggedAtMs = clock.passedMs();
      log.info(`Remembered ${progress.count} ${LISTING_NAMES[progress.listing]} so far`);
    }
    return progress;
  }

  /** Opens after `maxWaitMs`: an unreachable OpenStack must not delay messages for ever. */
  #openAfterTimeout(signal: AbortSignal): Disposable {
    const { clock, log, maxWaitMs } = this.#options;
    const done = new AbortController();
    clock.sleep(maxWaitMs, AbortSignal.any([done.signal, signal])).then(() => {
      if (done.signal.aborted || signal.aborted) return;
      const seconds = Math.round(maxWaitMs / 1000);
      log.warn(
        `Priming did not finish within ${seconds} s: messages are decided without the rest. It continues`,
      );
      this.#open();
    });
    return { [Symbol.dispose]: () => done.abort() };
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#options.onOpen();
  }
}
