import { setImmediate } from "node:timers/promises";
import type { CloudScope, ComparisonReport, Difference, PastComparisons } from "../../model/comparison.ts";
import type { ComparisonLedger } from "../../model/comparison_ledger.ts";
import type { Gap } from "../../model/gap.ts";
import type { Listing } from "../../model/ledger.ts";
import type { Memory } from "../../model/memory.ts";
import type { Notification } from "../../model/notification.ts";
import { type Database, prepareAll, reading, type Statements, transaction } from "./database.ts";
import { gapOf } from "./gaps.ts";
import { SqliteMemory } from "./memory.ts";
import { Notifications } from "./notifications.ts";
import { RESTORED_AT } from "./restored.ts";

/** Row of table `fact`: when priming began, milliseconds since the epoch. */
export const BEGAN_AT = "began_at";

/** Row of table `fact`: when memory and OpenStack agreed last, or were made to. */
const AGREED_AT = "agreed_at";

/** Row of table `fact`: the value of {@linkcode RESTORED_AT} when they agreed last. */
const RESTORE_COVERED = "restore_covered";

/** Row of table `fact`: the scope in which priming has read OpenStack, JSON. */
const PRIMED_SCOPE = "primed_scope";

/** Ids that one query reads: some milliseconds of work, as their rows have to be read. */
const READ_AT_ONCE = 1000;

/**
 * The ledger for comparisons of memory with OpenStack: of the service, beside its stages, and of
 * the command `reconcile`, beside a running service.
 */
export class Comparisons implements ComparisonLedger {
  readonly #database: Database;
  readonly #memory: SqliteMemory;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#database = database;
    this.#memory = new SqliteMemory(database);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  async look<Result>(reader: (memory: Memory) => Result): Promise<Result> {
    const result = reading(() => reader(this.#memory));
    // Deliveries go on between two looks.
    await setImmediate();
    return result;
  }

  async existingIds(listing: Listing): Promise<readonly string[]> {
    const ids: string[] = [];
    for (;;) {
      const rows = reading(() => this.#sql[listing].all(ids.at(-1) ?? "", READ_AT_ONCE));
      for (const { id } of rows) ids.push(String(id));
      if (rows.length < READ_AT_ONCE) return ids;
      await setImmediate();
    }
  }

  // deno-lint-ignore require-await -- async turns what SQLite throws into a rejection
  async past(): Promise<PastComparisons> {
    const [restoredAt, agreedAt] = reading(() => [this.#fact(RESTORED_AT), this.#fact(AGREED_AT)] as const);
    return reading(() => {
      const lastComplete = reportOf(this.#sql.lastComplete.get());
      return {
        beganAt: this.#fact(BEGAN_AT),
        // Times are not compared: the clock may have been set back.
        restoredAt: restoredAt === this.#fact(RESTORE_COVERED) ? null : restoredAt,
        lastRestoreAt: restoredAt,
        last: reportOf(this.#sql.last.get()),
        lastTried: reportOf(this.#sql.lastTried.get()),
        lastComplete,
        lastFull: reportOf(this.#sql.lastFull.get()),
        reference: lastComplete?.scope ?? this.#primedScope(),
        agreedAt,
      };
    });
  }

  // deno-lint-ignore require-await -- as above
  async gapsSince(time: number): Promise<readonly Gap[]> {
    return reading(() => this.#sql.gapsSince.all(time).map(gapOf));
  }

  // deno-lint-ignore require-await -- as above
  async lastDifferences(): Promise<readonly Difference[]> {
    const found = reading(() => this.#sql.lastDifferences.get()?.["differences"]);
    return found === undefined || found === null ? [] : JSON.parse(String(found));
  }

  // deno-lint-ignore require-await -- as above
  async decisions(): Promise<{ readonly newest: number | null; readonly oldestUndecided: number | null }> {
    return reading(() => ({
      newest: numberOf(this.#sql.newest.get()?.["seq"]),
      oldestUndecided: numberOf(this.#sql.oldestUndecided.get()?.["seq"]),
    }));
  }

  // deno-lint-ignore require-await -- as above
  async primed(scope: CloudScope): Promise<void> {
    transaction(this.#database, () => this.#sql.putFact.run(PRIMED_SCOPE, JSON.stringify(scope)));
  }

  // deno-lint-ignore require-await -- as above
  async report(report: ComparisonReport): Promise<void> {
    const { startedAt, endedAt, outcome, isFull, isPartial, undecided } = report;
    const isComplete = (outcome === "agreed" || outcome === "applied") && !isPartial;
    transaction(this.#database, () => {
      this.#sql.put.run(startedAt, endedAt, Number(isComplete), Number(isFull), JSON.stringify(report));
      if (!isComplete) return;
      if (undecided === 0) this.#sql.putFact.run(AGREED_AT, String(endedAt));
      const restoredAt = this.#fact(RESTORED_AT);
      if (restoredAt !== null) this.#sql.putFact.run(RESTORE_COVERED, String(restoredAt));
    });
  }

  // deno-lint-ignore require-await -- as above
  async record(observations: readonly Notification[]): Promise<void> {
    const notifications = new Notifications(this.#database);
    const receivedAt = Date.now();
    transaction(this.#database, () => {
      for (const notification of observations) notifications.record({ receivedAt, notification });
      notifications.writeRest();
    });
  }

  #primedScope(): CloudScope | null {
    const value = this.#sql.fact.get(PRIMED_SCOPE)?.["value"];
    return value === undefined ? null : JSON.parse(String(value));
  }

  #fact(name: string): number | null {
    return numberOf(this.#sql.fact.get(name)?.["value"]);
  }
}

function numberOf(value: unknown): number | null {
  return value === undefined || value === null ? null : Number(value);
}

function reportOf(row: Readonly<Record<string, unknown>> | undefined): ComparisonReport | null {
  return row === undefined ? null : JSON.parse(row["data"] as string);
}

const WITHOUT_DIFFERENCES = "json_set(data, '$.differences', json('[]')) AS data";

const STATEMENTS = {
  servers: `SELECT id FROM server WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?`,
  ports: `SELECT id FROM port WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?`,
  floatingIps: `SELECT id FROM floatingip WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?`,
  fact: `SELECT value FROM fact WHERE name = ?`,
  putFact: `INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)`,
  put: `INSERT INTO comparison (started_at, ended_at, complete, is_full, data) VALUES (?, ?, ?, ?, ?)`,
  last: `SELECT ${WITHOUT_DIFFERENCES} FROM comparison ORDER BY seq DESC LIMIT 1`,
  lastDifferences: `SELECT data -> '$.differences' AS differences FROM comparison ORDER BY seq DESC LIMIT 1`,
  lastTried: `SELECT ${WITHOUT_DIFFERENCES} FROM comparison
    WHERE complete = 1 OR data ->> '$.isByHand' = 0 ORDER BY seq DESC LIMIT 1`,
  lastComplete: `SELECT ${WITHOUT_DIFFERENCES} FROM comparison WHERE complete = 1 ORDER BY seq DESC LIMIT 1`,
  lastFull:
    `SELECT ${WITHOUT_DIFFERENCES} FROM comparison WHERE complete = 1 AND is_full = 1 ORDER BY seq DESC LIMIT 1`,
  gapsSince: `SELECT * FROM gap WHERE to_at >= ? ORDER BY from_at, seq`,
  newest: `SELECT max(seq) AS seq FROM notification`,
  oldestUndecided: `SELECT min(seq) AS seq FROM notification WHERE outcome IS NULL`,
} as const;
