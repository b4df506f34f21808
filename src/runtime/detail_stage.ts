import { makeDetail } from "../detail/make_detail.ts";
import type { Config, DetailOptions } from "../model/config.ts";
import { optionalKeysOf } from "../model/following.ts";
import type { ImmediateMaker, Ledger } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import { thrownBy } from "../wire/options/call_user_function.ts";

/** Stage 3: makes the detail of each decided event, the JSON that plugins get. */
export interface DetailStage {
  /** Makes a detail without waiting: stage 2 then stores it together with the decision. */
  readonly makeImmediate?: ImmediateMaker;
  /** Takes at most `limit` events without a detail. Returns whether there were any. */
  step(limit: number): Promise<boolean>;
  /** Resolves once no event is being worked on. */
  idle(): Promise<void>;
}

/** The options of config.ts for details, with all optional keys that it asks for. */
export function detailOptionsOf(config: Pick<Config, "events" | "detail">): DetailOptions {
  return { ...config.detail, optional: optionalKeysOf(config) };
}

/**
 * Makes details with the options of config.ts. If a function of `detail.fields` throws, its key has
 * no value, and a warning is logged; the event is delivered all the same.
 */
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

/**
 * Details from notifications alone, made at once in stage 2. A step only finds events that an
 * earlier run decided with another configuration.
 */
export class ImmediateDetails implements DetailStage {
  readonly makeImmediate: ImmediateMaker;
  readonly #ledger: Ledger;
  readonly #onDetailed: () => void;
  /** Whether an earlier run may have left events without a detail. */
  #mayBeLeft = true;

  /** @param options `onDetailed` is called when deliveries may have become ready. */
  constructor(options: { readonly ledger: Ledger; readonly make: ImmediateMaker; readonly onDetailed: () => void }) {
    this.#ledger = options.ledger;
    this.makeImmediate = options.make;
    this.#onDetailed = options.onDetailed;
  }

  async step(limit: number): Promise<boolean> {
    if (!this.#mayBeLeft) return false;
    const events = await this.#ledger.undetailed(limit);
    this.#mayBeLeft = events.length > 0;
    if (!this.#mayBeLeft) return false;
    await this.#ledger.storeDetails(
      events.map(({ seq, event }) => ({ seq, ...this.makeImmediate(event), learned: null })),
    );
    this.#onDetailed();
    return true;
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }
}
