import { creationBefore } from "../../model/event_key.ts";
import type { CreationFate } from "../../model/ledger.ts";
import { fateOf } from "../creation_fate.ts";
import type { Queries } from "./client.ts";
import { plain } from "./columns.ts";

/** What a plugin has heard of the creation before an event, as {@linkcode Ledger.creationFate}. */
export async function creationFate(
  queries: Queries,
  plugin: number,
  { seq, key }: { readonly seq: number; readonly key: string },
): Promise<CreationFate> {
  const place = creationBefore(key);
  if (place === null) return "unknown";
  const { from, to } = place.range ?? { from: "", to: "" };
  const [row] = await queries.rows(FATE, [plugin, plain(place.key), plain(from), plain(to), seq]);
  return fateOf(row);
}

/**
 * The delivery of the creation of this key; if there is none, of the last earlier event of the same
 * floating IP, if that was a creation.
 */
const FATE = `SELECT d.state, d.attempts, d.last_attempt_at FROM (
    (SELECT 1 AS place, seq, key FROM event WHERE key = $2)
    UNION ALL (SELECT 2, seq, key FROM event WHERE key > $3 AND key < $4 AND seq < $5::bigint ORDER BY seq DESC LIMIT 1)
    ORDER BY place LIMIT 1) AS e
  JOIN delivery AS d ON d.seq = e.seq AND d.plugin = $1::integer WHERE e.key LIKE '%/creation'`;
