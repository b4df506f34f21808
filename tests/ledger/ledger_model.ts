import type { Settlement } from "../../src/model/ledger.ts";

interface ModelDelivery {
  readonly plugin: string;
  readonly key: string;
  readonly orderKeys: readonly string[];
  dueAt: number;
  attempts: number;
  state: "open" | "done" | "dead" | "dropped";
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
      this.#deliveries.push({ plugin, key, orderKeys, dueAt, attempts: 0, state: "open" });
    }
  }

  detail(key: string): void {
    this.#detailed.add(key);
  }

  settle(
    { plugin, key, outcome, dueAt }: Pick<Settlement, "plugin" | "outcome" | "dueAt"> & { readonly key: string },
  ): void {
    const delivery = this.#find(plugin, key);
    if (delivery?.state !== "open") return;
    delivery.attempts++;
    delivery.dueAt = dueAt;
    if (outcome === "done" || outcome === "dead") delivery.state = outcome;
  }

  /** Returns whether it was done. */
  drop(plugin: string, key: string): boolean {
    const delivery = this.#find(plugin, key);
    if (delivery === undefined || delivery.state === "done" || delivery.state === "dropped") return false;
    delivery.state = "dropped";
    return true;
  }

  /** Returns whether it was done. */
  replay(plugin: string, key: string, { force }: { readonly force: boolean }): boolean {
    const delivery = this.#find(plugin, key);
    if (delivery === undefined || delivery.state === "open" || delivery.state === "done") return false;
    const later = this.#deliveries.slice(this.#deliveries.indexOf(delivery) + 1);
    const overtaken = later.some((each) => each.plugin === plugin && each.state === "done" && shareKey(each, delivery));
    if (overtaken && !force) return false;
    delivery.state = "open";
    delivery.dueAt = 0;
    return true;
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
    const open = this.#deliveries.filter((delivery) => delivery.plugin === plugin && delivery.state === "open");
    return open.filter((delivery, at) =>
      this.#detailed.has(delivery.key) && !open.slice(0, at).some((earlier) => shareKey(earlier, delivery))
    );
  }

  #find(plugin: string, key: string): ModelDelivery | undefined {
    return this.#deliveries.find((delivery) => delivery.plugin === plugin && delivery.key === key);
  }
}

function shareKey(one: ModelDelivery, other: ModelDelivery): boolean {
  return one.orderKeys.some((key) => other.orderKeys.includes(key));
}
