import { MAX_ITEMS } from "../model/bounds.ts";

/** Order keys that an event takes over: as many as two events of a server have at most. */
const MAX_FORMER_KEYS = 2 * (MAX_ITEMS + 4);

/**
 * The order keys of an event of a server that changes: its own, and the former ones, under which a
 * plugin may know the server. Their number is limited, since a tenant may change a server any number
 * of times.
 *
 * @param former Of the creation, then of what was announced last: its own keys first.
 */
export function withFormerKeys<Key>(own: readonly Key[], former: readonly Key[]): readonly Key[] {
  const keys = new Set(own);
  const limit = keys.size + MAX_FORMER_KEYS;
  for (const key of former) {
    if (keys.size === limit) break;
    keys.add(key);
  }
  return [...keys];
}
