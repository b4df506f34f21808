import { setImmediate } from "node:timers/promises";
import { LedgerUnavailable } from "../../model/ledger.ts";
import type { Backlog } from "../../model/readings.ts";
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

/** The share of time that counting may take: the larger the backlog, the older the figures. */
const MAX_SHARE = 0.01;

type Counted = "ready" | "blocked" | "undetailed" | "dead" | "queued";

/** Counts the backlog of each plugin, from memory and indexes alone. */
export class BacklogCounter {
  readonly #options: BacklogOptions;
  readonly #sql: Statements<typeof STATEMENTS>;
  #counting: Promise<ReadonlyMap<string, Backlog>> | undefined;
  #counted: ReadonlyMap<string, Backlog> = new Map();
  #nextAt = -Infinity;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#sql = prepareAll(options.database, STATEMENTS);
  }

  /**
   * The backlog by plugin. Calls during a count share its result. While the ledger cannot be
   * written, the last count is returned.
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
    const { plugins, passedMs } = this.#options;
    const startedAt = passedMs();
    const counted = new Map<string, Backlog>();
    for (const plugin of plugins) counted.set(plugin, await this.#countOne(plugin));
    const endedAt = passedMs();
    this.#nextAt = endedAt + (endedAt - startedAt) / MAX_SHARE;
    return this.#counted = counted;
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
