import type { Queries } from "./client.ts";

/** Events that one statement looks at. */
const SLICE = 100_000;

/**
 * Saves where the queue of each plugin begins. Whoever delivers saves that seldom, and nobody delivers
 * for a plugin that was removed: look-ups of what waits begin there. It only ever grows, so it is
 * right whatever is written meanwhile.
 */
export async function saveQueueStarts(queries: Queries): Promise<void> {
  for (const { id, queued_from } of await queries.rows("SELECT id, queued_from FROM plugin")) {
    const plugin = Number(id);
    for (let from = Number(queued_from);;) {
      const [row] = await queries.rows(FIRST_WAITING, [plugin, from]);
      const start = Number(row?.["first"] ?? row?.["beyond"]);
      if (start > from) await queries.rows(SAVE, [plugin, start]);
      if (row?.["first"] !== null || row["is_end"] === true) break;
      from = start;
    }
  }
}

/**
 * The first event from $2 on whose delivery by plugin $1 has no row, among the next 100,000 events;
 * the first number beyond these; and whether there are no more.
 */
const FIRST_WAITING = `WITH slice AS (SELECT seq FROM event WHERE seq >= $2::bigint ORDER BY seq LIMIT ${SLICE}),
  bounds AS MATERIALIZED (SELECT count(*) < ${SLICE} AS is_end, coalesce(max(seq) + 1, $2::bigint) AS beyond FROM slice)
  SELECT is_end, beyond, (SELECT e.seq FROM event AS e
      WHERE e.seq >= $2::bigint AND e.seq < beyond AND $1::integer = ANY(e.plugins)
        AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = e.seq AND d.plugin = $1::integer)
      ORDER BY e.seq LIMIT 1) AS first
    FROM bounds`;

const SAVE = "UPDATE plugin SET queued_from = $2::bigint WHERE id = $1::integer AND queued_from < $2::bigint";
