import type { Queries } from "./client.ts";
import { original } from "./columns.ts";

/** The ids of the messages that led to events, by the numbers of the events. */
export async function causesOf(queries: Queries, seqs: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const rows = await queries.rows(CAUSES, [seqs.join(",")]);
  return new Map(rows.map((row) => [Number(row["seq"]), original(row["message_id"] as string)]));
}

const CAUSES = `SELECT e.seq, n.message_id FROM event AS e JOIN notification AS n ON n.seq = e.notification
  WHERE e.seq = ANY(string_to_array($1, ',')::bigint[])`;
