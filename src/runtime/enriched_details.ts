import { setTimeout } from "node:timers/promises";
import { type DetailSource, enrich, type Enriched, enrichedEvent, keysToAsk, missingKeys } from "../detail/enrich.ts";
import type { DetailOptions } from "../model/config.ts";
import type { DetailRecord, ImmediateMaker, Ledger, LedgerEvent } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import type { DetailStage } from "./detail_stage.ts";

export interface EnrichedDetailsOptions {
  readonly ledger: Ledger;
  readonly source: DetailSource;
  readonly make: ImmediateMaker;
  readonly detail: DetailOptions | undefined;
  readonly log: Logger;
  /** Events that may wait for OpenStack at once; later ones stay in the ledger. @default 10,000 */
  readonly maxPending?: number;
  /** Ends all waiting: events without a detail stay in the ledger. */
  readonly signal: AbortSignal;
  /** Called when deliveries may have become ready. */
  readonly onDetailed: () => void;
  /** Called when a step was refused for lack of room, and there is room again. */
  readonly onRoom: () => void;
  /** Called when the ledger fails and waiting does not help. */
  readonly onFailed: (error: unknown) => void;
}

/** Each takes a few KiB of memory. */
const DEFAULT_MAX_PENDING = 10_000;
/** Details that one transaction stores. */
const MAX_BATCH = 50;
/**
 * How long a detail waits for others to share its fsync. Asking OpenStack took longer than this.
 */
const GATHER_MS = 10;

/**
 * Details that are completed from OpenStack's APIs. Events that need no API are stored at once. The
 * others are worked on one after the other for each server, so that a deletion finds what its
 * creation learned, and concurrently for different servers.
 */
export class EnrichedDetails implements DetailStage {
  readonly #options: EnrichedDetailsOptions;
  readonly #batches: Batches;
  /** By server: resolves when its last event in work has ended. Its next event waits for that. */
  readonly #lastOfServer = new Map<string, Promise<void>>();
  /** The newest event that was taken, by `seq`. */
  #after = 0;
  #pending = 0;
  #isFull = false;

  constructor(options: EnrichedDetailsOptions) {
    this.#options = options;
    this.#batches = new Batches({ ...options, complete: (answered) => this.#complete(answered) });
  }

  async step(limit: number): Promise<boolean> {
    const { ledger, detail, onDetailed, maxPending = DEFAULT_MAX_PENDING } = this.#options;
    this.#isFull = this.#pending >= maxPending;
    if (this.#isFull) return false;
    const rows = await ledger.undetailed(Math.min(limit, maxPending - this.#pending), this.#after);
    const immediate: DetailRecord[] = [];
    for (const row of rows) {
      this.#after = row.seq;
      const waits = this.#lastOfServer.has(serverOf(row)) || keysToAsk(row, detail).length > 0;
      if (waits) this.#enqueue(row);
      else immediate.push(this.#record(row, { learned: null, silent: [] }));
    }
    if (immediate.length > 0) {
      await ledger.storeDetails(immediate);
      onDetailed();
    }
    return rows.length > 0;
  }

  async idle(): Promise<void> {
    await Promise.all(this.#lastOfServer.values());
  }

  #enqueue(row: LedgerEvent): void {
    const { signal, onFailed } = this.#options;
    const server = serverOf(row);
    const before = this.#lastOfServer.get(server);
    this.#pending++;
    const made = (before === undefined ? this.#detail(row) : before.then(() => this.#detailAfter(row.seq))).catch(
      (error) => {
        if (!signal.aborted) onFailed(error);
      },
    );
    const ended: Promise<void> = made.then(() => this.#onEnd(server, ended));
    this.#lastOfServer.set(server, ended);
  }

  #onEnd(server: string, ended: Promise<void>): void {
    this.#pending--;
    if (this.#lastOfServer.get(server) === ended) this.#lastOfServer.delete(server);
    if (this.#isFull) this.#options.onRoom();
  }

  /** Reads the event again: the one before it may have learned what this one needs. */
  async #detailAfter(seq: number): Promise<void> {
    if (this.#options.signal.aborted) return;
    const row = await this.#read(seq);
    if (row !== undefined) await this.#detail(row);
  }

  async #detail(row: LedgerEvent): Promise<void> {
    await this.#batches.store({ seq: row.seq, enriched: await this.#enrich(row) });
  }

  /**
   * Makes the detail from the event as it is when it is stored: a second notification may have
   * completed it while OpenStack was asked.
   */
  async #complete({ seq, enriched }: Answered): Promise<DetailRecord | undefined> {
    const latest = await this.#read(seq);
    return latest && this.#record(latest, enriched);
  }

  /** The current event; `undefined` when it has a detail or was pruned. */
  async #read(seq: number): Promise<LedgerEvent | undefined> {
    const [row] = await this.#options.ledger.undetailed(1, seq - 1);
    return row?.seq === seq ? row : undefined;
  }

  async #enrich(row: LedgerEvent): Promise<Enriched> {
    const { source, detail, signal, log } = this.#options;
    try {
      return await enrich(row, { source, detail, signal });
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : error;
      log.error(
        `Cannot ask OpenStack for ${row.event.key}: ${why}. This is a mistake in oss-watcher: please report it`,
      );
      return { learned: null, silent: ["server", "portsOfServer", "image", "project", "user"] };
    }
  }

  #record(row: LedgerEvent, { learned, silent }: Enriched): DetailRecord {
    const { detail, missing } = this.#options.make(enrichedEvent(row, { learned }));
    return { seq: row.seq, detail, missing: [...missingKeys(row.event, detail, silent), ...missing], learned };
  }
}

/** An event, and what OpenStack answered. */
interface Answered {
  readonly seq: number;
  readonly enriched: Enriched;
}

interface Batch {
  readonly answered: Answered[];
  isOpen: boolean;
  stored: Promise<void>;
}

interface BatchesOptions extends Pick<EnrichedDetailsOptions, "ledger" | "onDetailed"> {
  /** Makes a detail just before it is stored; `undefined`: there is nothing to store. */
  readonly complete: (answered: Answered) => Promise<DetailRecord | undefined>;
}

/** Stores details that are complete at about the same time in one transaction. */
class Batches {
  readonly #options: BatchesOptions;
  #last: Batch = { answered: [], isOpen: false, stored: Promise.resolve() };

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Resolves when the detail is stored. */
  store(answered: Answered): Promise<void> {
    if (!this.#last.isOpen || this.#last.answered.length >= MAX_BATCH) this.#last = this.#newBatchAfter(this.#last);
    this.#last.answered.push(answered);
    return this.#last.stored;
  }

  #newBatchAfter({ stored }: Batch): Batch {
    const batch: Batch = { answered: [], isOpen: true, stored };
    batch.stored = this.#storeAfter(stored, batch);
    return batch;
  }

  async #storeAfter(before: Promise<void>, batch: Batch): Promise<void> {
    await before;
    await setTimeout(GATHER_MS);
    batch.isOpen = false;
    const { ledger, onDetailed, complete } = this.#options;
    const completed = await Promise.all(batch.answered.map(complete));
    await ledger.storeDetails(completed.filter((record) => record !== undefined));
    onDetailed();
  }
}

function serverOf({ event }: LedgerEvent): string {
  return event.server.id ?? event.key;
}
