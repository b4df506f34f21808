import type { Backlog } from "../../model/readings.ts";
import { SeldomCounted } from "../seldom_counted.ts";
import type { Queries } from "./client.ts";
import { pluginNumber } from "./plugin_states.ts";
import type { WindowState } from "./window.ts";

export interface BacklogOptions {
  readonly queries: Queries;
  /** In-memory state of a plugin's queue; `null`: another process delivers for it. */
  readonly queueOf: (plugin: string) => Promise<WindowState | null>;
  /** The configured plugins. */
  readonly plugins: readonly string[];
  /** Monotonic milliseconds. */
  readonly passedMs: () => number;
}

/** Events that one statement looks at: some tens of milliseconds. */
const SLICE = 100_000;

/** Counts the backlog of each plugin, from memory and indexes alone. */
export class BacklogCounter {
  readonly #options: BacklogOptions;
  readonly #counted: SeldomCounted;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#counted = new SeldomCounted({ ...options, countOne: (plugin) => this.#countOne(plugin) });
  }

  /** As {@linkcode SeldomCounted.count}. */
  count(): Promise<ReadonlyMap<string, Backlog>> {
    return this.#counted.count();
  }

  async #countOne(name: string): Promise<Backlog> {
    const { queries, queueOf } = this.#options;
    const plugin = await pluginNumber(queries, name);
    if (plugin === null) return { waiting: NONE, oldestAt: null, dead: 0 };
    const memory = await queueOf(name);
    const [rows = {}] = await queries.rows(WITH_ROWS, [plugin]);
    const queued = await this.#queued(plugin, memory?.unreadFrom ?? 0);
    const waiting = memory === null
      // Only whoever delivers knows what waits for what.
      ? { ...NONE, ready: Number(rows["tried"]), queued: queued.count + Number(rows["untried"]) }
      : { ...memory.waiting, queued: queued.count };
    const oldest = Math.min(memory?.oldest ?? Number(rows["oldest"] ?? Infinity), queued.oldest);
    return { waiting, oldestAt: await this.#decidedAt(oldest), dead: Number(rows["dead"]) };
  }

  /** Counts deliveries without a row from event `from` on, and finds the oldest. */
  async #queued(plugin: number, from: number): Promise<{ readonly count: number; readonly oldest: number }> {
    let [count, oldest] = [0, Infinity];
    if (from === Infinity) return { count, oldest };
    for (let [at, more] = [from, true]; more;) {
      const [row = {}] = await this.#options.queries.rows(WITHOUT_ROW, [plugin, at]);
      count += Number(row["count"]);
      oldest = Math.min(oldest, Number(row["oldest"] ?? Infinity));
      [at, more] = [Number(row["beyond"]), row["more"] === true];
    }
    return { count, oldest };
  }

  async #decidedAt(seq: number): Promise<number | null> {
    if (seq === Infinity) return null;
    const [row] = await this.#options.queries.rows("SELECT decided_at FROM event WHERE seq = $1", [seq]);
    return row === undefined ? null : Number(row["decided_at"]);
  }
}

const NONE: Backlog["waiting"] = { new: 0, blocked: 0, ready: 0, queued: 0 };

const WITH_ROWS =
  `SELECT count(*) FILTER (WHERE attempts > 0) AS tried, count(*) FILTER (WHERE attempts = 0) AS untried,
    min(seq) AS oldest, (SELECT count(*) FROM delivery WHERE plugin = $1::integer AND state = 'dead') AS dead
  FROM delivery WHERE plugin = $1::integer AND state = 'open'`;

/** Counts among the next 100,000 events from $2, or from where the plugin's queue begins. */
const WITHOUT_ROW = `WITH start AS MATERIALIZED (
    SELECT greatest($2::bigint, (SELECT queued_from FROM plugin WHERE id = $1::integer)) AS seq),
  slice AS (SELECT seq FROM event WHERE seq >= (SELECT seq FROM start) ORDER BY seq LIMIT ${SLICE}),
  bounds AS MATERIALIZED (SELECT count(*) = ${SLICE} AS more, coalesce(max(seq) + 1, $2::bigint) AS beyond FROM slice)
  SELECT b.more, b.beyond, w.count, w.oldest FROM bounds AS b CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(e.seq) AS oldest FROM event AS e
      WHERE e.seq >= (SELECT seq FROM start) AND e.seq < b.beyond AND $1::integer = ANY(e.plugins)
        AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = e.seq AND d.plugin = $1::integer)) AS w`;
