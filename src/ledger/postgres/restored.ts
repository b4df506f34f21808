import type { Queries } from "./client.ts";

/** Row of table `fact`: when the last restore was noticed. */
export const RESTORED_AT = "restored_at";

/**
 * Row of table `fact`: {@linkcode CLUSTER_VALUE}. A restore has another identity, or another table; a
 * standby that was promoted, or a recovery to a time, begins a timeline.
 */
const CLUSTER = "cluster";

/**
 * SQL: the identity and the timeline of the server, and the number of a table: pg_restore makes it
 * anew. A server that was just promoted tells its new
 * timeline in its control file only after a checkpoint, minutes later, and in names of files at once.
 */
export const CLUSTER_VALUE = `(SELECT s.system_identifier || '/' || CASE WHEN pg_is_in_recovery() THEN c.timeline_id
      ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer END || '/' || 'event'::regclass::oid
    FROM pg_control_system() AS s, pg_control_checkpoint() AS c)`;

/**
 * Notices that the ledger was restored from a backup, or that the server has failed over: what was
 * committed last may be missing.
 */
export async function noticeRestore(
  queries: Queries,
  now: number,
): Promise<{ readonly isRestored: boolean; readonly restoredAt: number | null }> {
  const [row] = await queries.rows(NOTICE, [String(now)]);
  const restoredAt = row?.["restored_at"] ?? null;
  return { isRestored: row?.["is_restored"] === true, restoredAt: restoredAt === null ? null : Number(restoredAt) };
}

/** Whether another server has the ledger, or an earlier state of it, and nobody has noticed. */
export async function isRestored(queries: Queries): Promise<boolean> {
  const [row] = await queries.rows(IS_RESTORED, [CLUSTER]);
  return row?.["is_restored"] === true;
}

const IS_RESTORED = `SELECT EXISTS (SELECT 1 FROM fact WHERE name = $1 AND value <> ${CLUSTER_VALUE}) AS is_restored`;

const NOTICE = `WITH current AS MATERIALIZED (SELECT ${CLUSTER_VALUE} AS value),
  known AS (SELECT value FROM fact WHERE name = '${CLUSTER}' FOR UPDATE),
  noted AS (INSERT INTO fact (name, value) SELECT '${CLUSTER}', value FROM current
    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.value = current.value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value),
  restored AS (INSERT INTO fact (name, value) SELECT '${RESTORED_AT}', $1::text FROM known, current
    WHERE known.value <> current.value ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value)
  SELECT (SELECT count(*) > 0 FROM restored) AS is_restored,
    coalesce((SELECT value FROM restored), (SELECT value FROM fact WHERE name = '${RESTORED_AT}')) AS restored_at`;
