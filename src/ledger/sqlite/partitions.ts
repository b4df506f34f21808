import { ORDER_SEED } from "./order_hash.ts";
import { PARTITION_EVENTS } from "./schema.ts";

/** SQL: the stretches of `event_order` that there are, a row `span` each; some hundred for a million events. */
export const PARTITIONS = partitionsFrom("0");

/** SQL: those that events have from the number `seq` on, an expression. Old dead letters may have gaps of years behind them: each step is a look-up. */
export function partitionsFrom(seq: string): string {
  const next = (condition: string) => `SELECT (SELECT min(span) FROM event_order WHERE span ${condition})`;
  return `WITH RECURSIVE stretch (span) AS (${next(`>= CAST(${seq} AS INTEGER) / ${PARTITION_EVENTS}`)}
    UNION ALL ${next("> stretch.span")} FROM stretch WHERE stretch.span IS NOT NULL)
  SELECT span FROM stretch WHERE span IS NOT NULL`;
}

/** SQL: the number of an order key, `?`. */
export const ORDER_HASH = orderHashSql("?");

/** SQL: the number of an order key that an expression gives. */
export function orderHashSql(key: string): string {
  return `CAST(order_hash((SELECT value FROM fact WHERE name = '${ORDER_SEED}'), ${key}) AS INTEGER)`;
}
