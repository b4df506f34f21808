import { UNFINISHED } from "./delivery_states.ts";
import { partitionsFrom } from "./partitions.ts";

/**
 * SQL: a later event that shares an order key with event ?2 and was delivered by plugin ?1, or is a
 * deletion that was skipped: what is told now would never end. CROSS JOIN fixes the order of the
 * joins: any other walks through all later deliveries.
 */
export const LATER_DONE = `SELECT e.key, d.attempts FROM event AS own CROSS JOIN json_each(own.order_keys) AS k
    CROSS JOIN (${partitionsFrom("?2")}) AS s
    CROSS JOIN event_order AS o ON o.span = s.span AND o.order_key = k.value AND o.seq > own.seq
    CROSS JOIN delivery AS d ON d.plugin = ?1 AND d.seq = o.seq AND d.state = 'done'
    CROSS JOIN event AS e ON e.seq = o.seq
    WHERE own.seq = ?2 AND (d.attempts > 0 OR e.key GLOB '*/deletion') LIMIT 1`;

/**
 * SQL: the events that block the delivery of event ?2 by plugin ?1. Table `held` has the keys of
 * deliveries that are not `queued`; those of queued ones are looked up in `event_order`.
 */
export const WAITS_FOR =
  `WITH key AS (SELECT k.value FROM event AS own, json_each(own.order_keys) AS k WHERE own.seq = ?2),
    earlier (seq) AS (
      SELECT h.seq FROM key CROSS JOIN held AS h ON h.plugin = ?1 AND h.order_key = key.value AND h.seq < ?2
      UNION
      SELECT o.seq FROM key CROSS JOIN (${partitionsFrom("(SELECT queued_from FROM plugin WHERE id = ?1)")}) AS s
        CROSS JOIN event_order AS o ON o.span = s.span AND o.order_key = key.value AND o.seq < ?2)
  SELECT e.key FROM earlier CROSS JOIN delivery AS d ON d.seq = earlier.seq AND d.plugin = ?1 AND ${UNFINISHED}
    CROSS JOIN event AS e ON e.seq = earlier.seq ORDER BY e.seq LIMIT 20`;
