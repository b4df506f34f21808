import { PARTITION_EVENTS } from "./schema.ts";

/**
 * SQL: the partitions of `event_order` from the one of event `seq` on, an expression; one row `span`
 * each, 500 for a million events. Each row is one look-up, so gaps of years behind old dead letters
 * cost nothing.
 */
export function partitionsFrom(seq: string): string {
  const next = (condition: string) => `SELECT (SELECT min(span) FROM event_order WHERE span ${condition})`;
  return `WITH RECURSIVE part (span) AS (${next(`>= (${seq}) / ${PARTITION_EVENTS}`)}
    UNION ALL ${next("> part.span")} FROM part WHERE part.span IS NOT NULL)
  SELECT span FROM part WHERE span IS NOT NULL`;
}

/** SQL: writes the order keys of events, whose numbers `seqs` selects; those that are there stay. */
export function restoreOrderKeys(seqs: string): string {
  return `INSERT INTO event_order (span, order_key, seq)
    SELECT e.seq / ${PARTITION_EVENTS}, k.order_key, e.seq FROM event AS e, unnest(e.order_keys) AS k (order_key)
    WHERE e.seq IN (${seqs}) ON CONFLICT DO NOTHING`;
}
