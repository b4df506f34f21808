import { ORDER_SEED } from "../order_hash.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/**
 * SQL: the partitions of `event_order`, one row `span` each. 500 for a million events
 * ({@linkcode PARTITION_EVENTS}).
 */
export const PARTITIONS = partitionsFrom("0");

/**
 * SQL: the partitions from the one of event `seq` on, an expression. Each row is one look-up, so
 * gaps of years behind old dead letters cost nothing.
 */
export function partitionsFrom(seq: string): string {
  const next = (condition: string) => `SELECT (SELECT min(span) FROM event_order WHERE span ${condition})`;
  return `WITH RECURSIVE part (span) AS (${next(`>= CAST(${seq} AS INTEGER) / ${PARTITION_EVENTS}`)}
    UNION ALL ${next("> part.span")} FROM part WHERE part.span IS NOT NULL)
  SELECT span FROM part WHERE span IS NOT NULL`;
}

/** SQL: the hash of an order key, `?`. */
export const ORDER_HASH = orderHashSql("?");

/** SQL: the hash of an order key, an expression. */
export function orderHashSql(key: string): string {
  return `CAST(order_hash((SELECT value FROM fact WHERE name = '${ORDER_SEED}'), ${key}) AS INTEGER)`;
}
