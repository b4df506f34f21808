import type { Change, EventComparison } from "./compare_events.ts";

/** How many events, or deliveries of one plugin, there are of each kind of change. */
export type Counts = Readonly<Record<Change, number>>;

const NONE: Counts = { same: 0, changed: 0, onlyBefore: 0, onlyAfter: 0 };

/** The counts of a comparison. */
export class ComparisonCounts {
  #events = NONE;
  readonly #plugins = new Map<string, Counts>();
  readonly #keys = new Map<string, number>();

  add({ change, plugins, changedKeys }: EventComparison): void {
    for (const key of changedKeys) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1);
    this.#events = withOneMore(this.#events, change);
    for (const { name, change } of plugins) this.#plugins.set(name, withOneMore(this.of(name), change));
  }

  get events(): Counts {
    return this.#events;
  }

  /** Of a plugin that is told of nothing, zeros. */
  of(plugin: string): Counts {
    return this.#plugins.get(plugin) ?? NONE;
  }

  /** Keys of the detail, and in how many events their values differ. */
  get changedKeys(): ReadonlyMap<string, number> {
    return this.#keys;
  }

  get differ(): boolean {
    const { changed, onlyBefore, onlyAfter } = this.#events;
    return changed + onlyBefore + onlyAfter > 0;
  }
}

function withOneMore(counts: Counts, change: Change): Counts {
  return { ...counts, [change]: counts[change] + 1 };
}
