import { makeDetail } from "../detail/make_detail.ts";
import type { DetailOptions } from "../model/config.ts";
import type { ImmediateMaker, Ledger } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import { thrownBy } from "../wire/options/call_user_function.ts";

/** Stage 3: makes decided events deliverable. */
export interface DetailStage {
  /** Makes a detail at once, where nothing is waited for: it is stored with the decision then. */
  readonly prompt?: ImmediateMaker;
  /** Takes up at most so many events that were decided. Returns whether there were any. */
  step(limit: number): Promise<boolean>;
  /** Resolves once nothing is under way. */
  idle(): Promise<void>;
}

/** Makes details as config.ts says. A function of `detail.fields` that fails costs its key and a log line, never the event. */
export function detailMaker(options: DetailOptions | undefined, log: Logger): ImmediateMaker {
  return (event) => {
    const { detail, failed } = makeDetail(event, options);
    for (const { key, error } of failed) {
      log.warn(
        `${thrownBy({ option: `detail.fields.${key}` }, error)}. The key is ${
          JSON.stringify(detail[key])
        } for ${event.key}`,
      );
    }
    return { detail, missing: [...event.cut ?? [], ...failed.map(({ key }) => key)] };
  };
}

/** Details from messages alone: nothing waits, nothing is asked. What is left for a step is what an earlier run decided otherwise. */
export class ImmediateDetails implements DetailStage {
  readonly prompt: ImmediateMaker;
  readonly #ledger: Ledger;
  readonly #onDetailed: () => void;
  /** Whether an earlier run may have left something: what is decided since has its detail. */
  #mayBeLeft = true;

  /** @param options `onDetailed` is called when deliveries may have become ready. */
  constructor(options: { readonly ledger: Ledger; readonly make: ImmediateMaker; readonly onDetailed: () => void }) {
    this.#ledger = options.ledger;
    this.prompt = options.make;
    this.#onDetailed = options.onDetailed;
  }

  async step(limit: number): Promise<boolean> {
    if (!this.#mayBeLeft) return false;
    const events = await this.#ledger.undetailed(limit);
    this.#mayBeLeft = events.length > 0;
    if (!this.#mayBeLeft) return false;
    await this.#ledger.storeDetails(events.map(({ seq, event }) => ({ seq, ...this.prompt(event), learned: null })));
    this.#onDetailed();
    return true;
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }
}
