import type { ActionTarget } from "../api.ts";
import type { LedgerOperations, Selection } from "../../model/operations.ts";

/** Deliveries of one slice: progress is told, and a stop obeyed, behind each. */
const SLICE = 100;
/** Keys whose events are looked up, to take the oldest first. */
const MAX_SORTED = 1000;

/** How many deliveries an action is about: of keys, the keys. */
export async function countOf(target: ActionTarget, { search }: LedgerOperations): Promise<number> {
  if ("keys" in target) return new Set(target.keys).size;
  const groups = await search.deadGroups();
  return groups
    .filter(({ plugin, reason }) => plugin === target.plugin && (target.reason ?? reason) === reason)
    .reduce((total, { count }) => total + count, 0);
}

/**
 * The deliveries of an action in slices, oldest first: a later one that was delivered first would make
 * the ledger refuse the earlier.
 */
export async function* slicesOf(target: ActionTarget, ledger: LedgerOperations): AsyncIterable<Selection> {
  const of = (keys: readonly string[]): Selection =>
    target.plugin === undefined ? { keys } : { keys, plugin: target.plugin };
  if ("keys" in target) {
    const keys = await oldestFirst([...new Set(target.keys)], ledger);
    for (let at = 0; at < keys.length; at += SLICE) yield of(keys.slice(at, at + SLICE));
    return;
  }
  for (let after = 0;;) {
    const page = await ledger.search.deadKeys(target, { after, limit: SLICE });
    const last = page.at(-1);
    if (last === undefined) return;
    yield of(page.map(({ key }) => key));
    after = last.seq;
  }
}

/** What an action is about, in one line for the audit trail. */
export function wordsOf(target: ActionTarget, count: number): string {
  const letters = `${count} dead ${count === 1 ? "letter" : "letters"}`;
  if ("keys" in target) {
    const of = target.plugin === undefined ? "" : ` for ${target.plugin}`;
    return count === 1 ? `${target.keys[0]}${of}` : `${count} events${of}`;
  }
  return `${letters} of ${target.plugin}${target.reason === undefined ? "" : ` (${target.reason})`}`;
}

async function oldestFirst(keys: readonly string[], ledger: LedgerOperations): Promise<readonly string[]> {
  if (keys.length > MAX_SORTED) return keys;
  const timed: { readonly key: string; readonly at: number }[] = [];
  for (const key of keys) timed.push({ key, at: (await ledger.show(key))?.decidedAt ?? Infinity });
  return timed.sort((one, other) => one.at - other.at).map(({ key }) => key);
}
