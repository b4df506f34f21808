import type { Clock } from "../model/clock.ts";
import type { ImmediateMaker, Ledger } from "../model/ledger.ts";

export interface UpdatesStageOptions {
  readonly ledger: Ledger;
  /** Makes the details of the events in the same transaction. @default stage 3 makes all */
  readonly makeImmediate?: ImmediateMaker | undefined;
  readonly clock: Clock;
  /** Ends the wait for changes that have not settled. */
  readonly signal: AbortSignal;
  /** Called when changes have settled. */
  readonly onDue: () => void;
  /** Called when deliveries may have become ready. */
  readonly onDetailed?: () => void;
}

/** The part of stage 2 that announces updates, some time after what has changed. */
export class UpdatesStage {
  readonly #options: UpdatesStageOptions;
  /** The earliest time for which a wait is under way; `Infinity`: there is none. */
  #waitsUntil = Infinity;

  constructor(options: UpdatesStageOptions) {
    this.#options = options;
  }

  /** Announces the updates of at most `limit` servers. Returns whether any were looked at. */
  async step(limit: number): Promise<boolean> {
    const { ledger, makeImmediate, onDetailed } = this.#options;
    const { settled, nextDueAt } = await ledger.announceUpdates(limit, makeImmediate);
    if (settled > 0 && makeImmediate !== undefined) onDetailed?.();
    if (nextDueAt !== null && nextDueAt < this.#waitsUntil) void this.#wait(nextDueAt);
    return settled > 0;
  }

  async #wait(dueAt: number): Promise<void> {
    const { clock, signal, onDue } = this.#options;
    this.#waitsUntil = dueAt;
    await clock.sleep(Math.max(0, dueAt - clock.now()), signal);
    if (this.#waitsUntil === dueAt) this.#waitsUntil = Infinity;
    onDue();
  }
}
