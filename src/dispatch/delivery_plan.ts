import type { Clock } from "../model/clock.ts";
import type { Following } from "../model/following.ts";
import type { Delivery, Ledger } from "../model/ledger.ts";
import type { Plugin } from "../model/plugin.ts";
import { filterOf, type PluginFilter } from "../model/plugin_filter.ts";
import { type FilteredCall, filteredCall, isChosen } from "./filtered_call.ts";

export interface DeliveryPlanOptions {
  readonly plugin: Plugin;
  readonly following?: Following | null;
  readonly ledger: Pick<Ledger, "creationFate" | "settle">;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
}

/** Says what becomes of the deliveries of one plugin, by its filter, if it has one. */
export class DeliveryPlan {
  readonly #options: DeliveryPlanOptions;
  readonly #filter: PluginFilter | null;
  readonly #canUpdate: boolean;

  constructor(options: DeliveryPlanOptions) {
    this.#options = options;
    this.#filter = filterOf(options.plugin);
    this.#canUpdate = options.plugin.update !== undefined;
  }

  /**
   * Which method of the plugin a delivery calls. That a creation has passed a filter is recorded
   * before: if the process is killed in the attempt, and the filter is changed, the target may have
   * it, and is told of its end.
   */
  of(delivery: Delivery): FilteredCall | Promise<FilteredCall> {
    const { following = null, ledger, redact } = this.#options;
    const [filter, canUpdate] = [this.#filter, this.#canUpdate];
    const call = filteredCall(delivery, { following, canUpdate, filter, ledger, redact });
    if (filter === null || call instanceof Promise || call.method !== "notify" || isChosen(delivery)) return call;
    return this.#begin(delivery).then(() => call);
  }

  async #begin({ seq, plugin, triedMs }: Delivery): Promise<void> {
    const at = this.#options.clock.now();
    const begun = { seq, plugin, startedAt: at, endedAt: at, dueAt: 0, triedMs, failure: null };
    await this.#options.ledger.settle([{ ...begun, outcome: "begun" }]);
  }
}
