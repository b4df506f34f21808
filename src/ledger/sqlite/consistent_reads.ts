import type { ReadyQuery } from "../../model/ledger.ts";
import { reading } from "./database.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import type { Queues } from "./queues.ts";
import { NONE_BUSY } from "./ready_deliveries.ts";

/**
 * Read ahead at most this many deliveries beyond the requested number, then be content with one:
 * the rest may be blocked by the first.
 */
const MAX_READ_AHEAD = 1000;

export interface ConsistentReadsOptions {
  readonly commits: GroupCommit;
  readonly plugins: PluginNumbers;
  readonly queues: Queues;
}

/**
 * Reads that combine a plugin's in-memory queue with the file. Before one, enough of the queue is
 * read into memory; it counts only if no other process has written meanwhile. A result from before
 * and after such a write could have a delivery twice.
 */
export class ConsistentReads {
  readonly #options: ConsistentReadsOptions;

  constructor(options: ConsistentReadsOptions) {
    this.#options = options;
  }

  /** Runs `read` once memory has `limit` ready deliveries of the plugin, or all that there are. */
  async read<Result>(
    { plugin, limit, busy = NONE_BUSY }: Pick<ReadyQuery, "plugin" | "limit" | "busy">,
    read: () => Result,
  ): Promise<Result> {
    const { commits, plugins, queues } = this.#options;
    const number = reading(() => plugins.of(plugin));
    for (let readAhead = 0;;) {
      const needed = readAhead < limit + MAX_READ_AHEAD ? limit : Math.min(limit, 1);
      if (reading(() => queues.needsMore(number, { limit: needed, busy }))) {
        readAhead += await commits.run(() => queues.readMore(number));
        continue;
      }
      const result = reading(read);
      if (reading(() => queues.isCurrent())) return result;
      // An empty transaction: each begins by dropping what other processes have changed.
      await commits.run(() => {});
    }
  }
}
