import type { Settlement } from "../../src/model/ledger.ts";

interface ModelDelivery {
  readonly plugin: string;
  readonly key: string;
  readonly orderKeys: readonly string[];
  dueAt: number;
  attempts: number;
  finished: boolean;
}

/** The rule of order, in the fewest words: free is what has a detail and shares no key with an earlier unfinished one of its plugin. */
export class LedgerModel {
  readonly #firstDueAt: (decidedAt: number) => number;
  readonly #deliveries: ModelDelivery[] = [];
  readonly #detailed = new Set<string>();

  constructor(firstDueAt: (decidedAt: number) => number) {
    this.#firstDueAt = firstDueAt;
  }

  add(
    { key, orderKeys, plugins, decidedAt }: {
      readonly key: string;
      readonly orderKeys: readonly string[];
      readonly plugins: readonly string[];
      readonly decidedAt: number;
    },
  ): void {
    for (const plugin of plugins) {
      const dueAt = this.#firstDueAt(decidedAt);
      this.#deliveries.push({ plugin, key, orderKeys, dueAt, attempts: 0, finished: false });
    }
  }

  detail(key: string): void {
    this.#detailed.add(key);
  }

  settle(
    { plugin, key, outcome, dueAt }: Pick<Settlement, "plugin" | "outcome" | "dueAt"> & { readonly key: string },
  ): void {
    const delivery = this.#deliveries.find((each) => each.plugin === plugin && each.key === key)!;
    delivery.attempts++;
    delivery.dueAt = dueAt;
    delivery.finished = outcome === "done" || outcome === "dead";
  }

  ready(plugin: string, now: number): { readonly key: string; readonly attempts: number }[] {
    return this.#free(plugin).filter(({ dueAt }) => dueAt <= now)
      .toSorted((one, other) => one.dueAt - other.dueAt)
      .map(({ key, attempts }) => ({ key, attempts }));
  }

  nextDueAt(plugin: string): number | null {
    const due = this.#free(plugin).map(({ dueAt }) => dueAt);
    return due.length === 0 ? null : Math.min(...due);
  }

  #free(plugin: string): ModelDelivery[] {
    const open = this.#deliveries.filter((delivery) => delivery.plugin === plugin && !delivery.finished);
    return open.filter(({ key, orderKeys }, at) =>
      this.#detailed.has(key) &&
      !open.slice(0, at).some((earlier) => earlier.orderKeys.some((each) => orderKeys.includes(each)))
    );
  }
}
