import type { Decider, ImmediateMaker } from "../../model/ledger.ts";
import type { Facts } from "./facts.ts";
import { Outdated } from "./facts_transaction.ts";
import type { Recorded } from "./notifications.ts";

export interface FactsCallsOptions {
  /** Reads what the next calls begin with. */
  readonly begin: () => Promise<Facts>;
  readonly recorded: Recorded;
  /** Called when decisions are committed. */
  readonly onCommitted: () => void;
  /** Called when the tables have other events than were committed here. */
  readonly onOutdated: () => void;
}

/**
 * The calls of the holder of lease `facts`. They run one after the other, but for one thing: a batch is
 * decided while the one before is committed. What is in memory is dropped when a call fails.
 */
export class FactsCalls {
  readonly #options: FactsCallsOptions;
  /** `null`: to be begun. */
  #facts: Facts | null = null;
  /** The commit of the last decisions, while it is under way. */
  #committing: Promise<void> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** How often what is in memory was dropped. */
  #drops = 0;

  constructor(options: FactsCallsOptions) {
    this.#options = options;
  }

  /** Runs a call, after all that was decided is committed. */
  run<Result>(action: (facts: Facts) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      await this.#committed();
      const result = await action(await this.#current());
      this.#dropOutdated();
      return result;
    });
  }

  /** The same for what commits nothing, nor reads what may be being committed. */
  peek<Result>(action: (facts: Facts) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => await action(await this.#current()));
  }

  /**
   * As {@linkcode Ledger.decide}, but if more can be decided at once it resolves before the commit: the
   * next call fails if that does.
   */
  decide(limit: number, decider: Decider, make: ImmediateMaker | undefined): Promise<number> {
    return this.#inTurn(async () => {
      const facts = await this.#current();
      const decided = await facts.decide(limit, decider, make);
      await this.#committed();
      if (facts !== this.#facts) throw new Outdated("What the decisions were made by has changed meanwhile");
      if (decided === null) return 0;
      this.#committing = this.#commit(facts.take(decided));
      this.#committing.catch(() => {});
      if (decided.isBlocked || !this.#options.recorded.hasKept) await this.#committed();
      return decided.count;
    });
  }

  /** What is in memory may not be what the tables have. */
  drop(): void {
    this.#facts = null;
    this.#drops++;
  }

  /** The same at the end of a lease, when no commit is under way any more. Whether it failed concerns nobody. */
  async end(): Promise<void> {
    const committing = this.#committing;
    await committing?.catch(() => {});
    if (this.#committing === committing) this.#committing = null;
    this.drop();
  }

  async #commit(commit: () => Promise<void>): Promise<void> {
    await commit();
    // First: lanes that are woken then look for what they were not given.
    this.#dropOutdated();
    this.#options.onCommitted();
  }

  /** Waits for a commit that is under way, and fails if it does. */
  async #committed(): Promise<void> {
    const committing = this.#committing;
    this.#committing = null;
    await committing;
    this.#dropOutdated();
  }

  #dropOutdated(): void {
    if (this.#facts?.isOutdated !== true) return;
    this.#facts = null;
    this.#options.onOutdated();
  }

  async #current(): Promise<Facts> {
    if (this.#facts === null || this.#facts.isLarge) await this.#committed();
    this.#facts?.forget();
    while (this.#facts === null) {
      const drops = this.#drops;
      const facts = await this.#options.begin();
      // What it was begun with may have changed meanwhile.
      if (drops === this.#drops) this.#facts = facts;
    }
    return this.#facts;
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(async () => {
      for (;;) {
        try {
          return await action();
        } catch (error) {
          this.#facts = null;
          // After a fail-over, others may have the numbers of what is kept.
          this.#options.recorded.forget();
          if (!(error instanceof Outdated)) throw error;
        }
      }
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
