import type { Backlog } from "../model/readings.ts";
import { type Database, prepareAll, reading, type Statements } from "./sqlite.ts";

export interface BacklogOptions {
  readonly database: Database;
  /** The configured plugins. */
  readonly plugins: readonly string[];
  /** Milliseconds that have passed since some moment. */
  readonly passedMs: () => number;
}

/** The share of time that counting may take: while very much waits, figures are as old as that makes them. */
const MAX_SHARE = 0.01;

/** Counts what waits in the ledger, from indexes alone. */
export class BacklogCounter {
  readonly #options: BacklogOptions;
  readonly #sql: Statements<typeof STATEMENTS>;
  #counted: ReadonlyMap<string, Backlog> = new Map();
  #nextAt = -Infinity;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#sql = prepareAll(options.database, STATEMENTS);
  }

  /** By the names of the plugins. */
  count(): ReadonlyMap<string, Backlog> {
    const { plugins, passedMs } = this.#options;
    const startedAt = passedMs();
    if (startedAt < this.#nextAt) return this.#counted;
    this.#counted = reading(() => new Map(plugins.map((plugin) => [plugin, this.#countOne(plugin)])));
    const endedAt = passedMs();
    this.#nextAt = endedAt + (endedAt - startedAt) / MAX_SHARE;
    return this.#counted;
  }

  #countOne(plugin: string): Backlog {
    const open = this.#sql.open.get(plugin);
    const ready = Number(this.#sql.ready.get(plugin)?.["count"] ?? 0);
    const undetailed = Number(this.#sql.undetailed.get(plugin)?.["count"] ?? 0);
    const oldest = open?.["oldest"] ?? null;
    const decidedAt = oldest === null ? undefined : this.#sql.decidedAt.get(oldest)?.["decided_at"];
    return {
      waiting: { new: undetailed, ready, blocked: Number(open?.["count"] ?? 0) - ready - undetailed },
      oldestAt: decidedAt === undefined ? null : Number(decidedAt),
      dead: Number(this.#sql.dead.get(plugin)?.["count"] ?? 0),
    };
  }
}

const STATEMENTS = {
  open: `SELECT count(*) AS count, min(seq) AS oldest FROM delivery INDEXED BY delivery_open
    WHERE state IN ('new', 'blocked', 'ready') AND plugin = (SELECT id FROM plugin WHERE name = ?)`,
  ready: `SELECT count(*) AS count FROM delivery
    WHERE plugin = (SELECT id FROM plugin WHERE name = ?) AND state = 'ready'`,
  undetailed:
    `SELECT count(*) AS count FROM event AS e INDEXED BY event_undetailed CROSS JOIN delivery AS d ON d.seq = e.seq
    WHERE e.detail IS NULL AND d.plugin = (SELECT id FROM plugin WHERE name = ?) AND d.state = 'new'`,
  dead: `SELECT count(*) AS count FROM delivery INDEXED BY delivery_dead
    WHERE state = 'dead' AND plugin = (SELECT id FROM plugin WHERE name = ?)`,
  decidedAt: `SELECT decided_at FROM event WHERE seq = ?`,
} as const;
