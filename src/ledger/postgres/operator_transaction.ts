import { pluginLease } from "../../model/tenancy.ts";
import { told } from "./channel.ts";
import type { PostgresClient, Queries } from "./client.ts";
import { plain } from "./columns.ts";
import { sqlStateOf } from "./failure.ts";

/** A plugin's row. */
export interface PluginRow {
  readonly plugin: number;
  readonly name: string;
}

/** Times that a transaction is begun again after a deadlock. */
const MAX_ATTEMPTS = 5;

/** SQL: operators' commands and pruning take turns, until the end of the transaction. */
export const LOCK_CHANGES =
  "SELECT pg_advisory_xact_lock(hashtextextended('oss-watcher changes ' || current_schema(), 0))";

/**
 * Changes deliveries of one plugin in a transaction, and tells its lane to read them again. Until the
 * commit no outcome of the plugin is settled: whoever settles proves the lease, which is locked here.
 * `change` may run several times.
 */
export async function changeDeliveries<Result>(
  client: PostgresClient,
  { plugin, name }: PluginRow,
  change: (queries: Queries) => Promise<Result>,
): Promise<Result> {
  return await retryingDeadlocks(() =>
    client.transaction(async (queries) => {
      await queries.rows(LOCK_CHANGES);
      await queries.rows(LOCK_LEASE, [plain(pluginLease(name))]);
      const result = await change(queries);
      await queries.rows(MARK_CHANGED, [plugin]);
      return result;
    })
  );
}

/** Runs a transaction again that PostgreSQL has rolled back because of others. */
export async function retryingDeadlocks<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1;; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !/^40/.test(sqlStateOf(error) ?? "")) throw error;
    }
  }
}

/** A plugin that was never delivered to has no row yet: it gets one. */
const LOCK_LEASE = `INSERT INTO lease AS l (name, epoch, taken_at, expires_at)
  VALUES ($1, 0, clock_timestamp(), clock_timestamp()) ON CONFLICT (name) DO UPDATE SET epoch = l.epoch`;

const MARK_CHANGED = `WITH marked AS (UPDATE plugin SET changes = changes + 1 WHERE id = $1 RETURNING 1)
  SELECT ${told("changed")} FROM marked`;
