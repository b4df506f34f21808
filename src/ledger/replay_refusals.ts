import type { ListedState, Selection } from "../model/operations.ts";

/** Why a delivery in this state is not replayed; `null`: it may be. */
export function whyNotReplayed(state: ListedState, { keys = [], plugin }: Selection): string | null {
  if (state === "dead" || state === "dropped") return null;
  if (state !== "skipped") return `it is ${state}, neither dead nor dropped`;
  // Others of the same key are not told by the way what their filters hold back.
  return keys.length > 0 && plugin !== undefined
    ? null
    : "it was skipped; name its key and its plugin, and it is told all the same";
}

/** Why a delivery is not replayed behind a later one that shares an order key. */
export function laterText(key: string, attempts: number): string {
  return `the later event ${key} was ${attempts > 0 ? "delivered" : "skipped"}; --force sends it all the same`;
}
