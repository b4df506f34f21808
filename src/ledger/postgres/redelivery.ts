import type { Redelivery } from "../../model/delivered.ts";
import type { OperatorResult } from "../../model/operations.ts";
import type { PostgresClient, Queries } from "./client.ts";
import { arrayOf, numbersOf, original } from "./columns.ts";
import { reopen } from "./operator_changes.ts";
import { changeDeliveries } from "./operator_transaction.ts";
import { partitionsFrom } from "./partitions.ts";
import { pluginNumber } from "./plugin_states.ts";

/** Deliveries that one transaction opens: some milliseconds for each where much waits. */
const SLICE = 100;

/** A delivery, and what speaks against making it again. */
interface Candidate {
  readonly seq: number;
  readonly key: string;
  readonly orderKeys: readonly number[];
  /** `null`: it may be made again. */
  readonly whyNot: string | null;
}

/** The plugin's number, and what was read before: as {@linkcode Redelivery}. */
interface Limits {
  readonly plugin: number;
  readonly through: number;
}

/**
 * Makes deliveries again that are done, at their old place in the order, to repair a target. Opens
 * them oldest first: a later one that shares an order key waits for the earlier one, and a lane may
 * begin with the first slice.
 */
export async function redeliver(
  client: PostgresClient,
  { plugin: name, seqs, through }: Redelivery,
): Promise<readonly OperatorResult[]> {
  const plugin = await pluginNumber(client, name);
  if (plugin === null) return [];
  const oldestFirst = seqs.toSorted((one, other) => one - other);
  const blocked = await blockedOnes(client, oldestFirst, { plugin, through });
  const results: OperatorResult[] = [];
  for (let at = 0; at < oldestFirst.length; at += SLICE) {
    const slice = oldestFirst.slice(at, at + SLICE);
    results.push(
      ...await changeDeliveries(client, { plugin, name }, async (queries) => {
        // Read again: lanes write between the slices.
        const found = await candidates(queries, slice, { plugin, through });
        const refused = found.map(({ seq, whyNot }) => blocked.get(seq) ?? whyNot);
        await open(queries, plugin, found.filter((_, index) => refused[index] === null).map(({ seq }) => seq));
        return found.map(({ key }, index) => ({ key, plugin: name, refused: refused[index] ?? null }));
      }),
    );
  }
  return results;
}

/**
 * Why deliveries cannot be made again, by event. A refused one also blocks the earlier ones that
 * share an order key with it: they would undo it.
 */
async function blockedOnes(
  queries: Queries,
  oldestFirst: readonly number[],
  limits: Limits,
): Promise<ReadonlyMap<number, string>> {
  const blocked = new Map<number, string>();
  const keys = new Map<number, string>();
  for (let end = oldestFirst.length; end > 0; end -= SLICE) {
    const found = await candidates(queries, oldestFirst.slice(Math.max(0, end - SLICE), end), limits);
    for (const { seq, key, orderKeys, whyNot } of found.toReversed()) {
      const blocker = orderKeys.flatMap((orderKey) => keys.get(orderKey) ?? [])[0];
      const why = blocker === undefined ? whyNot : `the later event ${blocker} cannot be delivered again behind it`;
      if (why === null) continue;
      blocked.set(seq, why);
      for (const orderKey of orderKeys) keys.set(orderKey, key);
    }
  }
  return blocked;
}

/** Reads deliveries in the order of their events. A later one must not be undone, nor overtaken. */
async function candidates(
  queries: Queries,
  seqs: readonly number[],
  { plugin, through }: Limits,
): Promise<readonly Candidate[]> {
  const rows = await queries.rows(CANDIDATES, [plugin, arrayOf(seqs), through]);
  return rows.map((row) => {
    const [state, later] = [row["state"], row["later"]];
    const cameMeanwhile = later === null
      ? null
      : `the later event ${original(later as string)} came meanwhile; run audit again`;
    return {
      seq: Number(row["seq"]),
      key: original(row["key"] as string),
      orderKeys: numbersOf(row["order_keys"]),
      whyNot: state === "done"
        ? cameMeanwhile
        : `it is ${state === "dead" || state === "dropped" ? state : "being made"} by now`,
    };
  });
}

async function open(queries: Queries, plugin: number, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await reopen(queries, plugin, seqs);
  await queries.rows(MARK_REPAIR, [plugin, arrayOf(seqs)]);
  // A part of the target that is lost counts as not done.
  await queries.rows(FORGET_PROGRESS, [plugin, arrayOf(seqs)]);
}

/**
 * SQL: deliveries, each with a later event that shares an order key and is unfinished, or came after
 * event $3. Those that were attempted or reopened are few; those without a row are looked up from
 * where the queue begins.
 */
export const CANDIDATES = `WITH chosen AS MATERIALIZED (
    SELECT e.seq, e.key, e.order_keys, d.state FROM unnest($2::text::bigint[]) AS c (seq) JOIN event AS e USING (seq)
      LEFT JOIN delivery AS d ON d.seq = e.seq AND d.plugin = $1::integer WHERE $1::integer = ANY(e.plugins)),
  own AS MATERIALIZED (SELECT DISTINCT seq, unnest(order_keys) AS order_key FROM chosen),
  opened AS MATERIALIZED (SELECT d.seq, unnest(e.order_keys) AS order_key FROM delivery AS d JOIN event AS e USING (seq)
    WHERE d.plugin = $1::integer AND d.state = 'open' AND d.seq > (SELECT min(seq) FROM chosen)),
  later AS (
    SELECT own.seq, o.seq AS later FROM own JOIN opened AS o USING (order_key) WHERE o.seq > own.seq
    UNION ALL
    SELECT own.seq, o.seq FROM own
      CROSS JOIN (${partitionsFrom("least($3::bigint, (SELECT queued_from FROM plugin WHERE id = $1::integer))")}) AS s
      JOIN event_order AS o ON o.span = s.span AND o.order_key = own.order_key AND o.seq > own.seq
      JOIN event AS l ON l.seq = o.seq AND $1::integer = ANY(l.plugins)
      LEFT JOIN delivery AS d ON d.seq = o.seq AND d.plugin = $1::integer
      WHERE d.seq IS NULL OR o.seq > $3::bigint),
  first AS (SELECT seq, min(later) AS later FROM later GROUP BY seq)
  SELECT c.seq, c.key, c.order_keys::text, c.state, l.key AS later
    FROM chosen AS c LEFT JOIN first USING (seq) LEFT JOIN event AS l ON l.seq = first.later ORDER BY c.seq`;

const MARK_REPAIR = `UPDATE delivery SET repair = true WHERE plugin = $1::integer AND seq = ANY($2::text::bigint[])`;

const FORGET_PROGRESS =
  `UPDATE failure SET progress = NULL WHERE plugin = $1::integer AND seq = ANY($2::text::bigint[])`;
