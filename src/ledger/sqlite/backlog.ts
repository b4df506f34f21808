import { setImmediate } from "node:timers/promises";
import type { Backlog } from "../../model/readings.ts";
import { SeldomCounted } from "../seldom_counted.ts";
import { type Database, prepareAll, reading, type Statements } from "./database.ts";
import type { QueueState } from "./plugin_queue.ts";

export interface BacklogOptions {
  readonly database: Database;
  /** In-memory state of a plugin's queue. */
  readonly queueOf: (plugin: string) => Promise<QueueState>;
  /** The configured plugins. */
  readonly plugins: readonly string[];
  /** Monotonic milliseconds. */
  readonly passedMs: () => number;
}

/**
 * Rows that one query counts: some milliseconds of work, so a large backlog delays no socket.
 */
export const SLICE = 2000;

type Counted = "ready" | "blocked" | "undetailed" | "dead" | "queued";

/** Counts the backlog of each plugin, from memory and indexes alone. */
export class BacklogCounter {
  readonly #options: BacklogOptions;
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #counted: SeldomCounted;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#counted = new SeldomCounted({ ...options, countOne: (plugin) => this.#countOne(plugin) });
    this.#sql = prepareAll(options.database, STATEMENTS);
  }

  /** As {@linkcode SeldomCounted.count}. */
  count(): Promise<ReadonlyMap<string, Backlog>> {
    return this.#counted.count();
  }

  async #countOne(plugin: string): Promise<Backlog> {
    // Reads deliveries into memory. That may move others from memory to the file: count after it.
    await this.#options.queueOf(plugin);
    const ready = await this.#inSlices("ready", plugin);
    const blocked = await this.#inSlices("blocked", plugin);
    const undetailed = await this.#inSlices("undetailed", plugin);
    const dead = await this.#inSlices("dead", plugin);
    const memory = await this.#options.queueOf(plugin);
    const queued = await this.#inSlices("queued", plugin, memory.unreadFrom);
    // A blocked delivery waits for an older one that is not blocked; queued ones are newer.
    const oldest = Math.min(ready.oldest, undetailed.oldest, memory.oldest);
    const decidedAt = oldest === Infinity ? undefined : reading(() => this.#sql.decidedAt.get(oldest)?.["decided_at"]);
    return {
      waiting: {
        new: undetailed.count + memory.waiting.new,
        blocked: blocked.count + memory.waiting.blocked,
        ready: ready.count + memory.waiting.ready,
        queued: queued.count,
      },
      oldestAt: decidedAt === undefined ? null : Number(decidedAt),
      dead: dead.count,
    };
  }

  /** Counts the rows from event `from` on, and finds the lowest `seq`. */
  async #inSlices(
    name: Counted,
    plugin: string,
    from = 0,
  ): Promise<{ readonly count: number; readonly oldest: number }> {
    let [count, oldest] = [0, Infinity];
    for (let [at, seq] = [-1, from - 1];;) {
      const slice = reading(() => this.#sql[name].all(plugin, at, seq, SLICE));
      const last = slice.at(-1);
      count += slice.length;
      for (const row of slice) oldest = Math.min(oldest, Number(row["seq"]));
      if (last === undefined || slice.length < SLICE) return { count, oldest };
      [at, seq] = [Number(last["at"]), Number(last["seq"])];
      await setImmediate();
    }
  }
}

/** Keyset pagination: each selects the rows after (`at`, `seq`), in the order of an index. */
const STATEMENTS = {
  ready: `SELECT due_at AS at, seq FROM delivery
    WHERE plugin = (SELECT id FROM plugin WHERE name = ?) AND state = 'ready' AND (due_at, seq) > (?, ?)
    ORDER BY due_at, seq LIMIT ?`,
  blocked: `SELECT 0 AS at, seq FROM delivery
    WHERE plugin = (SELECT id FROM plugin WHERE name = ?) AND state = 'blocked' AND seq > max(?, ?) ORDER BY seq LIMIT ?`,
  undetailed: `SELECT 0 AS at, e.seq FROM event AS e INDEXED BY event_undetailed CROSS JOIN delivery AS d
    ON d.plugin = (SELECT id FROM plugin WHERE name = ?) AND d.seq = e.seq
    WHERE e.detail IS NULL AND d.state = 'new' AND e.seq > max(?, ?) ORDER BY e.seq LIMIT ?`,
  dead: `SELECT 0 AS at, seq FROM delivery INDEXED BY delivery_dead
    WHERE plugin = (SELECT id FROM plugin WHERE name = ?) AND state = 'dead' AND seq > max(?, ?) ORDER BY seq LIMIT ?`,
  queued: `SELECT 0 AS at, seq FROM delivery
    WHERE plugin = (SELECT id FROM plugin WHERE name = ?) AND state = 'queued' AND seq > max(?, ?) ORDER BY seq LIMIT ?`,
  decidedAt: `SELECT decided_at FROM event WHERE seq = ?`,
} as const;
