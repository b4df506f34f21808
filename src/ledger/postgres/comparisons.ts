import type { CloudScope, ComparisonReport, Difference, PastComparisons } from "../../model/comparison.ts";
import type { ComparisonLedger } from "../../model/comparison_ledger.ts";
import type { Gap } from "../../model/gap.ts";
import type { Listing } from "../../model/ledger.ts";
import type { Memory } from "../../model/memory.ts";
import type { Notification } from "../../model/notification.ts";
import type { PostgresClient, Row } from "./client.ts";
import { original } from "./columns.ts";
import { gapOf } from "./gaps.ts";
import { MemoryLook } from "./memory_look.ts";
import { Recorded } from "./notifications.ts";
import { RESTORED_AT } from "./restored.ts";

/** Row of table `fact`: when priming began, milliseconds since the epoch. */
const BEGAN_AT = "began_at";

/** Row of table `fact`: when memory and OpenStack agreed last, or were made to. */
const AGREED_AT = "agreed_at";

/** Row of table `fact`: the value of {@linkcode RESTORED_AT} when they agreed last. */
const RESTORE_COVERED = "restore_covered";

/** Row of table `fact`: the scope in which priming has read OpenStack, JSON. */
const PRIMED_SCOPE = "primed_scope";

/** Ids that one query reads. */
const READ_AT_ONCE = 5000;

/** Observations that one statement records. */
const RECORDED_AT_ONCE = 500;

const TABLES: Readonly<Record<Listing, string>> = { servers: "server", ports: "port", floatingIps: "floatingip" };

/**
 * The ledger for comparisons of memory with OpenStack: of the service, beside its stages, and of
 * the command `reconcile`, beside running services.
 */
export class Comparisons implements ComparisonLedger {
  readonly #client: PostgresClient;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  async look<Result>(reader: (memory: Memory) => Result): Promise<Result> {
    return await this.#client.transaction(async (queries) => {
      // All that it reads is of one moment.
      await queries.rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      return await new MemoryLook(queries).look(reader);
    });
  }

  async existingIds(listing: Listing): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let after = "";;) {
      const rows = await this.#client.rows(
        `SELECT id FROM ${TABLES[listing]} WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT ${READ_AT_ONCE}`,
        [after],
      );
      for (const { id } of rows) ids.push(original(id as string));
      if (rows.length < READ_AT_ONCE) return ids;
      after = rows.at(-1)?.["id"] as string;
    }
  }

  async past(): Promise<PastComparisons> {
    const [facts, rows] = [await this.#facts(), await this.#client.rows(PAST)];
    const report = (what: string) => reportOf(rows.find((row) => row["what"] === what));
    const [restoredAt, lastComplete] = [numberOf(facts.get(RESTORED_AT)), report("complete")];
    const primedScope = facts.get(PRIMED_SCOPE);
    return {
      beganAt: numberOf(facts.get(BEGAN_AT)),
      // Times are not compared: the clock may have been set back.
      restoredAt: restoredAt === numberOf(facts.get(RESTORE_COVERED)) ? null : restoredAt,
      lastRestoreAt: restoredAt,
      last: report("last"),
      lastTried: report("tried"),
      lastComplete,
      lastFull: report("full"),
      reference: lastComplete?.scope ?? (primedScope === undefined ? null : JSON.parse(primedScope)),
      agreedAt: numberOf(facts.get(AGREED_AT)),
    };
  }

  async gapsSince(time: number): Promise<readonly Gap[]> {
    return (await this.#client.rows("SELECT * FROM gap WHERE to_at >= $1 ORDER BY from_at, seq", [time])).map(gapOf);
  }

  async lastDifferences(): Promise<readonly Difference[]> {
    const [row] = await this.#client.rows("SELECT differences FROM comparison ORDER BY seq DESC LIMIT 1");
    return row === undefined ? [] : JSON.parse(row["differences"] as string);
  }

  async decisions(): Promise<{ readonly newest: number | null; readonly oldestUndecided: number | null }> {
    const [row] = await this.#client.rows(DECISIONS);
    return { newest: numberOf(row?.["newest"]), oldestUndecided: numberOf(row?.["undecided"]) };
  }

  async primed(scope: CloudScope): Promise<void> {
    await this.#client.rows(PUT_FACT, [PRIMED_SCOPE, JSON.stringify(scope)]);
  }

  async report({ differences, ...report }: ComparisonReport): Promise<void> {
    const { startedAt, endedAt, outcome, isFull, isByHand, isPartial, undecided } = report;
    const isComplete = (outcome === "agreed" || outcome === "applied") && !isPartial;
    const texts = [JSON.stringify({ ...report, differences: [] }), JSON.stringify(differences)];
    await this.#client.transaction(async (queries) => {
      await queries.rows(PUT, [startedAt, endedAt, isComplete, isFull, isByHand, ...texts]);
      if (!isComplete) return;
      if (undecided === 0) await queries.rows(PUT_FACT, [AGREED_AT, String(endedAt)]);
      await queries.rows(COVER_RESTORE);
    });
  }

  async record(observations: readonly Notification[]): Promise<void> {
    const receivedAt = Date.now();
    for (let at = 0; at < observations.length; at += RECORDED_AT_ONCE) {
      const arrivals = observations.slice(at, at + RECORDED_AT_ONCE).map((notification) => ({
        receivedAt,
        notification,
      }));
      await new Recorded().record(arrivals, { queries: this.#client, tellsOthers: true });
    }
  }

  async #facts(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#client.rows("SELECT name, value FROM fact");
    return new Map(rows.map(({ name, value }) => [name as string, value as string]));
  }
}

function numberOf(value: unknown): number | null {
  return value === undefined || value === null ? null : Number(value);
}

function reportOf(row: Row | undefined): ComparisonReport | null {
  return row === undefined ? null : JSON.parse(row["data"] as string);
}

function newest(what: string, condition = "true"): string {
  return `(SELECT '${what}' AS what, data FROM comparison WHERE ${condition} ORDER BY seq DESC LIMIT 1)`;
}

const PAST = [
  newest("last"),
  newest("tried", "complete OR NOT is_by_hand"),
  newest("complete", "complete"),
  newest("full", "complete AND is_full"),
].join(" UNION ALL ");

const DECISIONS = `SELECT (SELECT max(seq) FROM notification) AS newest,
  (SELECT min(seq) FROM notification WHERE seq > (SELECT value::bigint FROM fact WHERE name = 'decided_through')) AS undecided`;

const PUT = `INSERT INTO comparison (started_at, ended_at, complete, is_full, is_by_hand, data, differences)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;

const PUT_FACT =
  "INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

const COVER_RESTORE = `INSERT INTO fact (name, value)
  SELECT '${RESTORE_COVERED}', value FROM fact WHERE name = '${RESTORED_AT}'
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
