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
  /** How many events may wait for OpenStack at once; what comes behind them waits in the ledger unread. @default 10,000 */
  readonly maxPending?: number;
  /** Ends all waiting: what has no detail by then stays in the ledger. */
  readonly signal: AbortSignal;
  /** Called when deliveries may have become ready. */
  readonly onDetailed: () => void;
  /** Called when another step has become possible. */
  readonly onRoom: () => void;
  /** Called when the ledger fails for good. */
  readonly onFailed: (error: unknown) => void;
}

/** A few kilobytes each. */
const DEFAULT_MAX_PENDING = 10_000;
/** How many details one transaction stores. */
const MAX_BATCH = 50;
/** How long a detail waits for others to share its transaction, which the disk is asked to keep: its questions took longer. */
const GATHER_MS = 10;

/**
 * Details with what OpenStack adds. What needs nothing from there is stored at once; the rest one after the other for each server, in the order
 * of its events, so that a deletion finds what its creation learned, and side by side for different ones.
 */
export class EnrichedDetails implements DetailStage {
  readonly #options: EnrichedDetailsOptions;
  readonly #batches: Batches;
  /** What is under way: the last event of each server. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Up to where events were taken up. */
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
    const prompt: DetailRecord[] = [];
    for (const row of rows) {
      this.#after = row.seq;
      const waits = this.#turns.has(serverOf(row)) || keysToAsk(row, detail).length > 0;
      if (waits) this.#enqueue(row);
      else prompt.push(this.#record(row, { learned: null, silent: [] }));
    }
    if (prompt.length > 0) {
      await ledger.storeDetails(prompt);
      onDetailed();
    }
    return rows.length > 0;
  }

  async idle(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  #enqueue(row: LedgerEvent): void {
    const { signal, onFailed } = this.#options;
    const server = serverOf(row);
    const before = this.#turns.get(server);
    this.#pending++;
    const made = (before === undefined ? this.#detail(row) : before.then(() => this.#detailAfter(row.seq))).catch(
      (error) => {
        if (!signal.aborted) onFailed(error);
      },
    );
    const turn: Promise<void> = made.then(() => this.#leave(server, turn));
    this.#turns.set(server, turn);
  }

  #leave(server: string, turn: Promise<void>): void {
    this.#pending--;
    if (this.#turns.get(server) === turn) this.#turns.delete(server);
    if (this.#isFull) this.#options.onRoom();
  }

  /** The event before it may have learned what this one needs. */
  async #detailAfter(seq: number): Promise<void> {
    if (this.#options.signal.aborted) return;
    const row = await this.#read(seq);
    if (row !== undefined) await this.#detail(row);
  }

  async #detail(row: LedgerEvent): Promise<void> {
    await this.#batches.store({ seq: row.seq, enriched: await this.#enrich(row) });
  }

  /** A second message of the same fact may have come meanwhile: the event as it stands when it is stored is what counts. */
  async #complete({ seq, enriched }: Answered): Promise<DetailRecord | undefined> {
    const latest = await this.#read(seq);
    return latest && this.#record(latest, enriched);
  }

  /** The event as it stands now; `undefined` when it has a detail, or is gone. */
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

/** An event that OpenStack was asked for. */
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
  /** Makes a detail just before it is stored; `undefined` when there is nothing to store any more. */
  readonly complete: (answered: Answered) => Promise<DetailRecord | undefined>;
}

/** Stores details whose answers come at about the same time in one transaction. */
class Batches {
  readonly #options: BatchesOptions;
  #last: Batch = { answered: [], isOpen: false, stored: Promise.resolve() };

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Resolves when it is stored. */
  store(answered: Answered): Promise<void> {
    if (!this.#last.isOpen || this.#last.answered.length >= MAX_BATCH) this.#last = this.#following(this.#last);
    this.#last.answered.push(answered);
    return this.#last.stored;
  }

  #following({ stored }: Batch): Batch {
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
