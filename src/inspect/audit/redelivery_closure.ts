import type { DeliveryRecord } from "../../model/delivered.ts";

/**
 * The events to deliver again, in order, so that none of them undoes a later one: the given ones,
 * and every later creation of an existing resource that shares an order key with one of these.
 *
 * @param seqs The events that repair the target.
 * @param options.creations The delivered creations of all resources that exist, oldest first.
 * @param options.orderKeys Reads the order keys of events.
 */
export function redeliveryClosure(
  seqs: Iterable<number>,
  { creations, orderKeys }: {
    readonly creations: readonly Pick<DeliveryRecord, "seq">[];
    readonly orderKeys: (seqs: readonly number[]) => ReadonlyMap<number, readonly number[]>;
  },
): readonly number[] {
  const closure = new Set(seqs);
  if (closure.size === 0) return [];
  const keys = orderKeys([...new Set([...closure, ...creations.map(({ seq }) => seq)])]);
  const holders = holdersOf(creations, keys);
  const waiting = [...closure];
  /** The later creations of a key are added once: those behind the earliest event that has it. */
  const addedFrom = new Map<number, number>();
  for (let seq = waiting.pop(); seq !== undefined; seq = waiting.pop()) {
    for (const key of keys.get(seq) ?? []) {
      const before = addedFrom.get(key) ?? Infinity;
      if (before <= seq) continue;
      addedFrom.set(key, seq);
      for (const later of (holders.get(key) ?? []).filter((one) => one > seq && one <= before)) {
        if (closure.has(later)) continue;
        closure.add(later);
        waiting.push(later);
      }
    }
  }
  return [...closure].sort((one, other) => one - other);
}

function holdersOf(
  creations: readonly Pick<DeliveryRecord, "seq">[],
  keys: ReadonlyMap<number, readonly number[]>,
): ReadonlyMap<number, readonly number[]> {
  const holders = new Map<number, number[]>();
  for (const { seq } of creations) {
    for (const key of keys.get(seq) ?? []) {
      const held = holders.get(key);
      if (held === undefined) holders.set(key, [seq]);
      else held.push(seq);
    }
  }
  return holders;
}
