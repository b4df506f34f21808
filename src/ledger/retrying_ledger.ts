import type { Clock } from "../model/clock.ts";
import type { Gap } from "../model/gap.ts";
import {
  type AnnouncedUpdates,
  type Arrival,
  type CreationFate,
  type Decider,
  type Delivery,
  type DetailRecord,
  type FollowOptions,
  type ImmediateMaker,
  type Ledger,
  type LedgerEvent,
  LedgerUnavailable,
  type Primer,
  type PrimingProgress,
  type ReadyQuery,
  type Settlement,
} from "../model/ledger.ts";
import type { TargetOutage } from "../model/outage.ts";
import type { PauseState } from "../model/pause.ts";
import { LeaseLost } from "../model/tenancy.ts";

export interface RetryingLedgerOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Ends all waiting: calls that wait reject. */
  readonly signal: AbortSignal;
  /**
   * Writes and deletes test data; rejects with {@linkcode LedgerUnavailable} while that does not
   * work.
   */
  readonly testWrite: () => Promise<void>;
  /** Called once when the ledger becomes unavailable. */
  readonly onDown: (error: LedgerUnavailable) => void;
  /** Called once when it can be written again. */
  readonly onUp: () => void;
}

const TEST_EVERY_MS = 1000;

/**
 * A ledger whose calls wait and retry while it is unavailable (the disk is full, the server
 * does not answer), instead of failing. The stages keep what they have in hand, and continue from there.
 */
export class RetryingLedger implements Ledger {
  readonly #options: RetryingLedgerOptions;
  #recovery: Promise<void> | undefined;

  constructor(options: RetryingLedgerOptions) {
    this.#options = options;
  }

  /** Whether the last call, or a retry of it since, worked. */
  get writable(): boolean {
    return this.#recovery === undefined;
  }

  record(arrivals: readonly Arrival[]): Promise<number> {
    return this.#retrying((ledger) => ledger.record(arrivals));
  }

  decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    return this.#retrying((ledger) => ledger.decide(limit, decider, make));
  }

  priming(): Promise<readonly PrimingProgress[]> {
    return this.#retrying((ledger) => ledger.priming());
  }

  prime(primer: Primer): Promise<void> {
    return this.#retrying((ledger) => ledger.prime(primer));
  }

  undetailed(limit: number, after?: number): Promise<readonly LedgerEvent[]> {
    return this.#retrying((ledger) => ledger.undetailed(limit, after));
  }

  storeDetails(details: readonly DetailRecord[]): Promise<void> {
    return this.#retrying((ledger) => ledger.storeDetails(details));
  }

  activate(plugins: readonly string[]): Promise<void> {
    return this.#retrying((ledger) => ledger.activate(plugins));
  }

  follow(options: FollowOptions): Promise<void> {
    return this.#retrying((ledger) => ledger.follow(options));
  }

  announceUpdates(limit: number, make?: ImmediateMaker): Promise<AnnouncedUpdates> {
    return this.#retrying((ledger) => ledger.announceUpdates(limit, make));
  }

  ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    return this.#retrying((ledger) => ledger.ready(query));
  }

  nextDueAt(plugin: string): Promise<number | null> {
    return this.#retrying((ledger) => ledger.nextDueAt(plugin));
  }

  creationFate(plugin: string, event: { readonly seq: number; readonly key: string }): Promise<CreationFate> {
    return this.#retrying((ledger) => ledger.creationFate(plugin, event));
  }

  settle(settlements: readonly Settlement[]): Promise<void> {
    return this.#retrying((ledger) => ledger.settle(settlements));
  }

  noteOutage(plugin: string, outage: TargetOutage | null): Promise<void> {
    return this.#retrying((ledger) => ledger.noteOutage(plugin, outage));
  }

  probeRequests(plugin: string): Promise<number> {
    return this.#retrying((ledger) => ledger.probeRequests(plugin));
  }

  pauseOf(plugin: string): Promise<PauseState> {
    return this.#retrying((ledger) => ledger.pauseOf(plugin));
  }

  recordGap(gap: Gap): Promise<void> {
    return this.#retrying((ledger) => ledger.recordGap(gap));
  }

  openGaps(): Promise<readonly Gap[]> {
    return this.#retrying((ledger) => ledger.openGaps());
  }

  lastRunAt(): Promise<number | null> {
    return this.#options.ledger.lastRunAt();
  }

  /** A call of another part of the ledger, which waits and is retried likewise. */
  retried<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.#retrying(() => call());
  }

  async #retrying<Result>(call: (ledger: Ledger) => Promise<Result>): Promise<Result> {
    const { ledger, signal, onDown } = this.#options;
    for (;;) {
      await this.#recovery;
      try {
        return await call(ledger);
      } catch (error) {
        if (!(error instanceof LedgerUnavailable) || signal.aborted) throw error;
        if (this.#recovery === undefined) {
          const retried = this.#retry(() => call(ledger));
          // A call that is refused since its lease is another's was answered: the ledger is there.
          const isThere = (reason: unknown) => reason instanceof LeaseLost;
          this.#recovery = retried.then(() => this.#recovered(true), (reason) => this.#recovered(isThere(reason)));
          onDown(error);
          return await retried;
        }
      }
    }
  }

  #recovered(writable: boolean): void {
    this.#recovery = undefined;
    if (writable) this.#options.onUp();
  }

  /** Retries a call each second, after a test write. The call may need more space than the test. */
  async #retry<Result>(call: () => Promise<Result>): Promise<Result> {
    const { clock, signal, testWrite } = this.#options;
    for (;;) {
      await clock.sleep(TEST_EVERY_MS, signal);
      try {
        if (!signal.aborted) await testWrite();
        return await call();
      } catch (error) {
        if (!(error instanceof LedgerUnavailable) || signal.aborted) throw error;
      }
    }
  }
}
