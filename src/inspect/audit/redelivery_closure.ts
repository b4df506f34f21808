import { bySeq, type DeliveryHistory, repairOf } from "./delivery_history.ts";

/**
 * The events to deliver again, in order, so that none of them undoes a later one: the given ones,
 * and every later creation of an existing resource that shares an order key with one of these. With
 * the creation of a server come the events of its floating IPs: its detail may list some that have
 * gone since.
 *
 * @param seqs The events that repair the target.
 * @param orderKeys Reads the order keys of events.
 */
export async function redeliveryClosure(
  seqs: Iterable<number>,
  { history, orderKeys }: {
    readonly history: Pick<DeliveryHistory, "creations">;
    readonly orderKeys: (seqs: readonly number[]) => Promise<ReadonlyMap<number, readonly number[]>>;
  },
): Promise<readonly number[]> {
  const closure = new Set(seqs);
  if (closure.size === 0) return [];
  const creations = history.creations();
  const followers = new Map(creations.map(({ record, group }) => [record.seq, repairOf(record, group)]));
  const all = new Set([...closure, ...[...followers.values()].flat()]);
  const keys = await orderKeys([...all]);
  const holders = holdersOf(creations.map(({ record }) => record).sort(bySeq), keys);
  const waiting = [...closure];
  const add = (seq: number) => {
    if (closure.has(seq)) return;
    closure.add(seq);
    waiting.push(seq);
  };
  /** The later creations of a key are added once: those behind the earliest event that has it. */
  const addedFrom = new Map<number, number>();
  for (let seq = waiting.pop(); seq !== undefined; seq = waiting.pop()) {
    for (const follower of followers.get(seq) ?? []) add(follower);
    for (const key of keys.get(seq) ?? []) {
      const before = addedFrom.get(key) ?? Infinity;
      if (before <= seq) continue;
      addedFrom.set(key, seq);
      for (const later of holders.get(key) ?? []) if (later > seq && later <= before) add(later);
    }
  }
  return [...closure].sort((one, other) => one - other);
}

/** The events that have each order key, oldest first. */
function holdersOf(
  records: readonly { readonly seq: number }[],
  keys: ReadonlyMap<number, readonly number[]>,
): ReadonlyMap<number, readonly number[]> {
  const holders = new Map<number, number[]>();
  for (const { seq } of records) {
    for (const key of keys.get(seq) ?? []) {
      const held = holders.get(key);
      if (held === undefined) holders.set(key, [seq]);
      else held.push(seq);
    }
  }
  return holders;
}
