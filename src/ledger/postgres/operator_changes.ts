import type { OperatorResult, Selection } from "../../model/operations.ts";
import { laterText, whyNotReplayed } from "../replay_refusals.ts";
import type { PostgresClient, Queries } from "./client.ts";
import { arrayOf } from "./columns.ts";
import { listedState } from "./delivery_states.ts";
import { changeDeliveries, type PluginRow } from "./operator_transaction.ts";
import { partitionsFrom, restoreOrderKeys } from "./partitions.ts";
import { appliesTo, deliveriesOf, type SelectedDelivery } from "./selected_deliveries.ts";

/** Deliveries that one transaction changes: some tens of milliseconds, in which none is settled. */
const SLICE = 500;

/** The same where later events are looked up: 7 ms for each, with a million events since. */
const SLICE_WITH_LOOK_UPS = 50;

export interface ReplayOptions {
  readonly force: boolean;
  /** What the operator has named. */
  readonly selection: Selection;
  /** Finished events that are older may be forgotten. */
  readonly prunedBefore: number;
}

/** Replays deliveries. Each is read again first: lanes write between the selection and the change. */
export async function replayDeliveries(
  client: PostgresClient,
  selected: readonly SelectedDelivery[],
  { force, selection, prunedBefore }: ReplayOptions,
): Promise<readonly OperatorResult[]> {
  return await changeInSlices(
    client,
    { selected, size: force ? SLICE : SLICE_WITH_LOOK_UPS },
    async (queries, plugin, seqs) => {
      const found = await deliveriesOf(queries, plugin, seqs);
      const results = await replayResults(queries, found, { force, selection, prunedBefore });
      await reopen(queries, plugin, found.filter((_, index) => results[index]?.refused === null).map(({ seq }) => seq));
      return results;
    },
  );
}

/** Drops unfinished and dead deliveries. */
export async function dropDeliveries(
  client: PostgresClient,
  selected: readonly SelectedDelivery[],
  { now }: { readonly now: number },
): Promise<readonly OperatorResult[]> {
  return await changeInSlices(client, { selected, size: SLICE }, async (queries, plugin, seqs) => {
    const found = await deliveriesOf(queries, plugin, seqs);
    await queries.rows(DROP, [plugin, arrayOf(seqs), now]);
    return found.map(dropResult);
  });
}

/** What would be refused, of deliveries that are selected. */
export async function refusalsOf(
  queries: Queries,
  selected: readonly SelectedDelivery[],
  { action, force, selection, prunedBefore }: ReplayOptions & { readonly action: "replay" | "drop" },
): Promise<readonly OperatorResult[]> {
  if (action === "drop") return selected.map(dropResult);
  const results = new Map<SelectedDelivery, OperatorResult>();
  for (const deliveries of Map.groupBy(selected, (delivery) => delivery.plugin).values()) {
    const found = await replayResults(queries, deliveries, { force, selection, prunedBefore });
    for (const [index, result] of found.entries()) results.set(deliveries[index] as SelectedDelivery, result);
  }
  return selected.flatMap((delivery) => results.get(delivery) ?? []);
}

/** Of deliveries of one plugin. An older event must not undo a later one that shares an order key. */
async function replayResults(
  queries: Queries,
  deliveries: readonly SelectedDelivery[],
  { force, selection, prunedBefore }: ReplayOptions,
): Promise<readonly OperatorResult[]> {
  const [first] = deliveries;
  const later = force || first === undefined
    ? new Map<number, string>()
    : await laterDone(queries, first.plugin, deliveries.map(({ seq }) => seq));
  const refused = (delivery: SelectedDelivery): string | null => {
    const { seq, state, attempts, decidedAt } = delivery;
    const why = whyNotReplayed(listedState(state, attempts), selection);
    if (why !== null || force) return why;
    if (decidedAt < prunedBefore) {
      return "it is so old that later events may be forgotten; --force sends it all the same";
    }
    return later.get(seq) ?? null;
  };
  return deliveries.map((delivery) => resultOf(delivery, refused(delivery)));
}

function dropResult(delivery: SelectedDelivery): OperatorResult {
  return resultOf(
    delivery,
    appliesTo("drop", delivery) ? null : `it is ${listedState(delivery.state, delivery.attempts)} already`,
  );
}

/** Opens deliveries again at their old place: they hold their order keys, also those that were pruned. */
export async function reopen(queries: Queries, plugin: number, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await queries.rows(REOPEN, [plugin, arrayOf(seqs)]);
  await queries.rows(RESTORE, [arrayOf(seqs)]);
}

/** Changes deliveries, a plugin at a time; the results have their order. */
async function changeInSlices(
  client: PostgresClient,
  { selected, size }: { readonly selected: readonly SelectedDelivery[]; readonly size: number },
  change: (queries: Queries, plugin: number, seqs: readonly number[]) => Promise<readonly OperatorResult[]>,
): Promise<readonly OperatorResult[]> {
  const results = new Map<string, OperatorResult>();
  for (let at = 0; at < selected.length; at += size) {
    const slice = selected.slice(at, at + size);
    for (const [plugin, deliveries] of Map.groupBy(slice, (delivery) => delivery.plugin)) {
      const row: PluginRow = { plugin, name: deliveries[0]!.name };
      const seqs = deliveries.map(({ seq }) => seq);
      for (const result of await changeDeliveries(client, row, (queries) => change(queries, plugin, seqs))) {
        results.set(`${result.plugin} ${result.key}`, result);
      }
    }
  }
  return selected.flatMap(({ name, key }) => results.get(`${name} ${key}`) ?? []);
}

function resultOf({ key, name }: SelectedDelivery, refused: string | null): OperatorResult {
  return { key, plugin: name, refused };
}

/**
 * For each event why a later one forbids its replay: one that shares an order key and was delivered by
 * the plugin, or is a deletion that was skipped.
 */
async function laterDone(
  queries: Queries,
  plugin: number,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await queries.rows(LATER_DONE, [plugin, arrayOf(seqs), Math.min(...seqs)]);
  return new Map(rows.map(({ seq, key, attempts }) => [Number(seq), laterText(key as string, Number(attempts))]));
}

/** SQL: the later events are looked up by their keys, partition by partition. */
export const LATER_DONE = `WITH part AS MATERIALIZED (${partitionsFrom("$3::bigint")})
  SELECT own.seq, later.key, later.attempts FROM unnest($2::text::bigint[]) AS c (seq) JOIN event AS own ON own.seq = c.seq
  CROSS JOIN LATERAL (SELECT l.key, d.attempts FROM part AS s CROSS JOIN unnest(own.order_keys) AS k (order_key)
    JOIN event_order AS o ON o.span = s.span AND o.order_key = k.order_key AND o.seq > own.seq
    JOIN delivery AS d ON d.seq = o.seq AND d.plugin = $1::integer AND d.state = 'done'
    JOIN event AS l ON l.seq = o.seq AND (d.attempts > 0 OR l.key LIKE '%/deletion') LIMIT 1) AS later`;

/** One that was skipped and is replayed is told, whatever a filter says. */
const REOPEN = `UPDATE delivery SET state = 'open', due_at = 0, finished_at = NULL, tried_ms = 0,
  last_attempt_at = CASE WHEN state = 'done' AND attempts = 0 THEN finished_at END
  WHERE plugin = $1::integer AND seq = ANY($2::text::bigint[])`;

const RESTORE = restoreOrderKeys("SELECT unnest($1::text::bigint[])");

const DROP = `INSERT INTO delivery AS d (seq, plugin, state, due_at, attempts, tried_ms, finished_at)
  SELECT e.seq, $1::integer, 'dropped', e.decided_at, 0, 0, $3::bigint FROM event AS e
    WHERE e.seq = ANY($2::text::bigint[]) AND $1::integer = ANY(e.plugins)
  ON CONFLICT (seq, plugin) DO UPDATE SET state = 'dropped', finished_at = excluded.finished_at
    WHERE d.state IN ('open', 'dead')`;
