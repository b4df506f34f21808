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

/** What must be so of a plugin, or nothing of it is written. */
export interface Proof {
  readonly plugin: number;
  readonly lease: HeldLease;
  /** How often operators' commands had changed what waits, when the rows were made. */
  readonly changes: number;
}

/** What became of the rows of a plugin. `changed`: an operator's command has changed what waits. */
export type Written = "written" | "changed" | "lost";

/** A delivery that is done by an attempt, or had nothing to tell. */
export type DoneRow =
  & Pick<DeliveryRow, "plugin" | "seq">
  & Pick<Settlement, "startedAt" | "endedAt">
  & { readonly isTold: boolean };

/**
 * How attempts ended, for one statement. It writes what is of plugins whose leases are ours, and may
 * be repeated: it says what the rows become, not how they change.
 */
export class SettlementRows {
  readonly #proofs = new Map<number, Proof>();
  readonly #deliveries = new Columns(8);
  readonly #failures = new Columns(8);
  readonly #forgotten = new Columns(3);
  readonly #starts = new Columns(2);
  readonly #done = new Columns(5);

  prove(proof: Proof): void {
    this.#proofs.set(proof.plugin, proof);
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

  /**
   * Makes dead letters of earlier open deliveries that share an order key: they would undo this one,
   * or never end, if this is a deletion that was skipped.
   */
  giveUpEarlier({ plugin, seq, startedAt, endedAt, isTold }: DoneRow): void {
    this.#done.add(plugin, seq, startedAt, endedAt, isTold);
  }

  /** Writes what is proven. Returns what became of each plugin's rows. */
  async write(queries: Queries): Promise<ReadonlyMap<number, Written>> {
    const proofs = new Columns(5);
    for (const { plugin, lease: { name, epoch, holder }, changes } of this.#proofs.values()) {
      proofs.add(plugin, plain(name), epoch, holder, changes);
    }
    const columns = [proofs, this.#deliveries, this.#failures, this.#forgotten, this.#starts, this.#done];
    const values: readonly Parameter[] = columns.flatMap(({ texts }) => texts);
    const rows = await queries.rows(SETTLE, values);
    return new Map(rows.map((row) => {
      const written = row["proven"] === true ? "written" : row["ours"] === true ? "changed" : "lost";
      return [Number(row["plugin"]), written] as const;
    }));
  }
}

const OVERTAKEN = "A later event that shares a key was delivered, or skipped, while this one was being replayed";

const PROOFS = `${
  unnested(1, ["integer", "text", "bigint", "text", "bigint"])
} AS p (plugin, name, epoch, holder, changes)`;

const DELIVERIES = `${
  unnested(6, ["integer", "bigint", "text", "bigint", "integer", "bigint", "bigint", "bigint"])
} AS r (plugin, seq, state, due_at, attempts, tried_ms, last_attempt_at, finished_at)`;

/** SQL: writes failures again if they are there. */
const REPLACE_FAILURE = `ON CONFLICT (seq, plugin, attempt) DO UPDATE SET started_at = excluded.started_at,
  ended_at = excluded.ended_at, reason = excluded.reason, error = excluded.error, progress = excluded.progress`;

/**
 * A row that an operator finished stays: it was dropped during the attempt. So does one that says
 * more attempts: a statement may come late. An operator's command changes what waits under the lock
 * of the lease, so it comes either before this statement, which then sees that, or after it.
 */
const SETTLE = `WITH proven AS MATERIALIZED (
    SELECT p.plugin FROM ${PROOFS} JOIN lease AS l ON l.name = p.name AND l.epoch = p.epoch AND l.holder = p.holder
      JOIN plugin AS q ON q.id = p.plugin AND q.changes = p.changes FOR SHARE OF l, q),
  settled AS (INSERT INTO delivery AS d (plugin, seq, state, due_at, attempts, tried_ms, last_attempt_at, finished_at)
    SELECT r.* FROM ${DELIVERIES} JOIN proven USING (plugin)
    ON CONFLICT (seq, plugin) DO UPDATE SET state = excluded.state, due_at = excluded.due_at, attempts = excluded.attempts,
      tried_ms = excluded.tried_ms, last_attempt_at = excluded.last_attempt_at, finished_at = excluded.finished_at
    WHERE d.finished_at IS NULL AND (excluded.attempts >= d.attempts OR excluded.finished_at IS NOT NULL)),
  failed AS (INSERT INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error, progress)
    SELECT r.plugin, r.seq, r.attempt, r.started_at, r.ended_at, r.reason, coalesce(r.error, ''), r.progress FROM ${
  unnested(14, ["integer", "bigint", "integer", "bigint", "bigint", "text", "text", "text"])
} AS r (plugin, seq, attempt, started_at, ended_at, reason, error, progress) JOIN proven USING (plugin)
    ${REPLACE_FAILURE}),
  forgotten AS (DELETE FROM failure AS f USING ${
  unnested(22, ["integer", "bigint", "integer"])
} AS r (plugin, seq, attempt) JOIN proven USING (plugin)
    WHERE f.seq = r.seq AND f.plugin = r.plugin AND f.attempt = r.attempt),
  saved AS (UPDATE plugin AS p SET queued_from = r.start FROM ${
  unnested(25, ["integer", "bigint"])
} AS r (plugin, start) JOIN proven USING (plugin)
    WHERE p.id = r.plugin AND p.queued_from < r.start),
  earlier AS MATERIALIZED (SELECT o.seq, o.plugin, max(n.started_at) AS started_at, max(n.ended_at) AS ended_at
    FROM ${
  unnested(27, ["integer", "bigint", "bigint", "bigint", "boolean"])
} AS n (plugin, seq, started_at, ended_at, is_told)
      JOIN proven USING (plugin) JOIN event AS own ON own.seq = n.seq AND (n.is_told OR own.key LIKE '%/deletion')
      JOIN delivery AS o ON o.plugin = n.plugin AND o.state = 'open' AND o.seq < n.seq
      JOIN event AS e ON e.seq = o.seq AND e.order_keys && own.order_keys
    WHERE NOT EXISTS (SELECT 1 FROM ${DELIVERIES} WHERE r.plugin = o.plugin AND r.seq = o.seq)
    GROUP BY o.seq, o.plugin),
  overtaken AS (UPDATE delivery AS d SET state = 'dead', attempts = d.attempts + 1, tried_ms = 0,
      last_attempt_at = e.ended_at, finished_at = e.ended_at
    FROM earlier AS e WHERE d.seq = e.seq AND d.plugin = e.plugin RETURNING d.seq, d.plugin, d.attempts),
  given_up AS (INSERT INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error)
    SELECT o.plugin, o.seq, o.attempts, e.started_at, e.ended_at, 'permanent', '${OVERTAKEN}'
    FROM overtaken AS o JOIN earlier AS e USING (seq, plugin) ${REPLACE_FAILURE})
  SELECT p.plugin, p.plugin IN (SELECT plugin FROM proven) AS proven,
    EXISTS (SELECT 1 FROM lease AS l WHERE l.name = p.name AND l.epoch = p.epoch AND l.holder = p.holder) AS ours FROM ${PROOFS}`;
