import { LedgerUnavailable } from "../model/ledger.ts";
import type { Backlog } from "../model/readings.ts";

export interface SeldomCountedOptions {
  /** Counts the backlog of one plugin. */
  readonly countOne: (plugin: string) => Promise<Backlog>;
  /** The configured plugins. */
  readonly plugins: readonly string[];
  /** Monotonic milliseconds. */
  readonly passedMs: () => number;
}

/** The share of time that counting may take: the larger the backlog, the older the figures. */
const MAX_SHARE = 0.01;

/** The backlog of each plugin, counted so seldom that it costs little, on whatever ledger. */
export class SeldomCounted {
  readonly #options: SeldomCountedOptions;
  #counting: Promise<ReadonlyMap<string, Backlog>> | undefined;
  #counted: ReadonlyMap<string, Backlog> = new Map();
  #nextAt = -Infinity;

  constructor(options: SeldomCountedOptions) {
    this.#options = options;
  }

  /**
   * The backlog by plugin. Calls during a count share its result. While the ledger cannot be used,
   * the last count is returned.
   */
  async count(): Promise<ReadonlyMap<string, Backlog>> {
    if (this.#options.passedMs() < this.#nextAt) return this.#counted;
    this.#counting ??= this.#countAll().finally(() => this.#counting = undefined);
    try {
      return await this.#counting;
    } catch (error) {
      if (!(error instanceof LedgerUnavailable) || this.#counted.size === 0) throw error;
      return this.#counted;
    }
  }

  async #countAll(): Promise<ReadonlyMap<string, Backlog>> {
    const { plugins, passedMs, countOne } = this.#options;
    const startedAt = passedMs();
    const counted = new Map<string, Backlog>();
    for (const plugin of plugins) counted.set(plugin, await countOne(plugin));
    const endedAt = passedMs();
    this.#nextAt = endedAt + (endedAt - startedAt) / MAX_SHARE;
    return this.#counted = counted;
  }
}
