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
  readonly rules: Pick<Rules, "anyPort">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Messages wait for no longer than this. */
  readonly maxWaitMs: number;
  /** Called once, when messages may be decided. */
  readonly onOpen: () => void;
}

/** Between two lines that say how far it is. */
export const TELL_EVERY_MS = 10_000;

/** A listing's name in texts. */
export const NAMES: Readonly<Record<Listing, string>> = {
  floatingIps: "floating IPs",
  ports: "ports",
  servers: "servers",
};

/**
 * Teaches a new ledger what is there already, once, after our queues are bound: what happens from then on comes as messages, which wait, recorded,
 * until everything is read. Each page is stored with the place where the next one begins, so that a later run goes on there.
 */
export class Priming {
  readonly #options: PrimingOptions;
  #isOpen = false;
  #toldAtMs: number;

  constructor(options: PrimingOptions) {
    this.#options = options;
    this.#toldAtMs = options.clock.passedMs();
  }

  /** Whether messages may be decided: all is read, or that took too long. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Reads what the ledger has not read yet.
   *
   * @param listening Resolves when our queues are bound.
   */
  async run(listening: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const { ledger, clock, log } = this.#options;
    const begun = new Map((await ledger.priming()).map((progress) => [progress.listing, progress]));
    const isDone = (listing: Listing) => begun.get(listing)?.done ?? false;
    if (LISTINGS.every(isDone)) return this.#open();
    using _deadline = this.#openInTime(signal);
    await Promise.race([listening, aborted(signal)]);
    if (signal.aborted) return;
    const startMs = clock.passedMs();
    log.info("Reading the floating IPs, ports and servers that are there; messages are recorded, and wait");
    const counts: string[] = [];
    for (const listing of LISTINGS) {
      const from = begun.get(listing) ?? { listing, next: null, done: false, count: 0 };
      const { count } = from.done ? from : await this.#read(from, signal);
      if (signal.aborted) return;
      counts.push(`${count} ${NAMES[listing]}`);
    }
    const seconds = Math.round((clock.passedMs() - startMs) / 1000);
    log.info(`Remembered ${counts.join(", ")}, after ${seconds} s; nothing is sent for them`);
    this.#open();
  }

  /** Reads a listing to its end. */
  async #read(from: PrimingProgress, signal: AbortSignal): Promise<PrimingProgress> {
    const { reader, ledger } = this.#options;
    let progress = from;
    try {
      for await (const page of reader.read(from.listing, { after: from.next, signal })) {
        progress = await this.#store(page, progress);
        if (signal.aborted) return progress;
      }
      // Where a listing is forbidden, or there is nothing of its kind, it has no page.
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
    if (!progress.done && clock.passedMs() - this.#toldAtMs >= TELL_EVERY_MS) {
      this.#toldAtMs = clock.passedMs();
      log.info(`Remembered ${progress.count} ${NAMES[progress.listing]} so far`);
    }
    return progress;
  }

  /** An OpenStack that is down must not keep messages waiting for ever. */
  #openInTime(signal: AbortSignal): Disposable {
    const { clock, log, maxWaitMs } = this.#options;
    const done = new AbortController();
    clock.sleep(maxWaitMs, AbortSignal.any([done.signal, signal])).then(() => {
      if (done.signal.aborted || signal.aborted) return;
      const seconds = Math.round(maxWaitMs / 1000);
      log.warn(
        `What is there could not be read within ${seconds} s: messages are decided without the rest. Reading goes on`,
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
