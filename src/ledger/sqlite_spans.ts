import { ORDER_SEED } from "./order_hash.ts";
import { SPAN } from "./schema.ts";

/** SQL: all stretches of `event_order` that there are, a row `span` each; some hundred for a million events. */
export const SPANS = `WITH RECURSIVE stretch (span) AS (
  SELECT min(seq) / ${SPAN} FROM event UNION ALL
  SELECT span + 1 FROM stretch WHERE span < (SELECT max(seq) / ${SPAN} FROM event)) SELECT span FROM stretch WHERE span IS NOT NULL`;

/** SQL: the number of an order key, `?`. */
export const ORDER_HASH = orderHashSql("?");

/** SQL: the number of an order key that an expression gives. */
export function orderHashSql(key: string): string {
  return `CAST(order_hash((SELECT value FROM fact WHERE name = '${ORDER_SEED}'), ${key}) AS INTEGER)`;
}
