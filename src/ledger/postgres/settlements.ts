import type { Settlement } from "../../model/ledger.ts";
import type { Parameter, Queries } from "./client.ts";
import { Columns, plain, unnested } from "./columns.ts";
import type { HeldLease } from "./held_leases.ts";

/** Failed attempts that are kept of a delivery: the first ones and the last ones. */
const KEEP_FIRST = 3;
const KEEP_LAST = 20;

/** The row of a delivery as it becomes. */
export interface DeliveryRow {
  readonly plugin: number;
  readonly seq: number;
  readonly state: "open" | "done" | "dead";
  readonly dueAt: number;
  readonly attempts: number;
  readonly triedMs: number;
  readonly lastAttemptAt: number | null;
  readonly finishedAt: number | null;
}

/** A failed attempt of a delivery. */
export type FailureRow =
  & Pick<DeliveryRow, "plugin" | "seq">
  & Pick<Settlement, "startedAt" | "endedAt">
  & { readonly attempt: number; readonly failure: NonNullable<Settlement["failure"]> };

/** A plugin whose lease is proven. */
export interface Proof {
  readonly plugin: number;
  readonly lease: HeldLease;
}

/**
 * How attempts ended, for one statement. It writes what is of plugins whose leases are ours, and may
 * be repeated: it says what the rows become, not how they change.
 */
export class SettlementRows {
  readonly #proofs = new Map<number, HeldLease>();
  readonly #deliveries = new Columns(8);
  readonly #failures = new Columns(8);
  readonly #forgotten = new Columns(3);
  readonly #starts = new Columns(2);

  prove({ plugin, lease }: Proof): void {
    this.#proofs.set(plugin, lease);
  }

  add({ plugin, seq, state, dueAt, attempts, triedMs, lastAttemptAt, finishedAt }: DeliveryRow): void {
    this.#deliveries.add(plugin, seq, state, dueAt, attempts, triedMs, lastAttemptAt, finishedAt);
  }

  addFailure({ plugin, seq, attempt, startedAt, endedAt, failure }: FailureRow): void {
    const progress = failure.progress === undefined ? null : JSON.stringify(failure.progress);
    this.#failures.add(plugin, seq, attempt, startedAt, endedAt, failure.reason, plain(failure.error), progress);
    if (attempt > KEEP_FIRST + KEEP_LAST) this.#forgotten.add(plugin, seq, attempt - KEEP_LAST);
  }

  /** Saves where a plugin's queue begins. */
  addStart(plugin: number, start: number): void {
    this.#starts.add(plugin, start);
  }

  /** Writes it all. Returns the plugins whose leases were ours. */
  async write(queries: Queries): Promise<ReadonlySet<number>> {
    const proofs = new Columns(3);
    for (const [plugin, { name, epoch }] of this.#proofs) proofs.add(plugin, plain(name), epoch);
    const columns: readonly Columns[] = [proofs, this.#deliveries, this.#failures, this.#forgotten, this.#starts];
    const values: readonly Parameter[] = columns.flatMap(({ texts }) => texts);
    const rows = await queries.rows(SETTLE, values);
    return new Set(rows.map(({ plugin }) => Number(plugin)));
  }
}

/**
 * A row that an operator finished stays: it was dropped during the attempt. So does one that says
 * more attempts: a statement may come late.
 */
const SETTLE = `WITH proven AS MATERIALIZED (
    SELECT p.plugin FROM ${unnested(1, ["integer", "text", "bigint"])} AS p (plugin, name, epoch)
      JOIN lease AS l ON l.name = p.name AND l.epoch = p.epoch FOR SHARE OF l),
  settled AS (INSERT INTO delivery AS d (plugin, seq, state, due_at, attempts, tried_ms, last_attempt_at, finished_at)
    SELECT r.* FROM ${
  unnested(4, ["integer", "bigint", "text", "bigint", "integer", "bigint", "bigint", "bigint"])
} AS r (plugin, seq, state, due_at, attempts, tried_ms, last_attempt_at, finished_at) JOIN proven USING (plugin)
    ON CONFLICT (seq, plugin) DO UPDATE SET state = excluded.state, due_at = excluded.due_at, attempts = excluded.attempts,
      tried_ms = excluded.tried_ms, last_attempt_at = excluded.last_attempt_at, finished_at = excluded.finished_at
    WHERE d.finished_at IS NULL AND (excluded.attempts >= d.attempts OR excluded.finished_at IS NOT NULL)),
  failed AS (INSERT INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error, progress)
    SELECT r.plugin, r.seq, r.attempt, r.started_at, r.ended_at, r.reason, coalesce(r.error, ''), r.progress FROM ${
  unnested(12, ["integer", "bigint", "integer", "bigint", "bigint", "text", "text", "text"])
} AS r (plugin, seq, attempt, started_at, ended_at, reason, error, progress) JOIN proven USING (plugin)
    ON CONFLICT (seq, plugin, attempt) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at,
      reason = excluded.reason, error = excluded.error, progress = excluded.progress),
  forgotten AS (DELETE FROM failure AS f USING ${
  unnested(20, ["integer", "bigint", "integer"])
} AS r (plugin, seq, attempt) JOIN proven USING (plugin)
    WHERE f.seq = r.seq AND f.plugin = r.plugin AND f.attempt = r.attempt),
  saved AS (UPDATE plugin AS p SET queued_from = r.start FROM ${
  unnested(23, ["integer", "bigint"])
} AS r (plugin, start) JOIN proven USING (plugin)
    WHERE p.id = r.plugin AND p.queued_from < r.start)
  SELECT plugin FROM proven`;
