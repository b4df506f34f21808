import type { ListedState } from "../model/operations.ts";

/** SQL: the states of a delivery that is not finished. */
export const OPEN = "('new', 'blocked', 'ready')";

/** An operator's word for a delivery's state in the file. */
export function listedState(state: string, attempts: number): ListedState {
  if (state === "done" || state === "dead" || state === "dropped") return state;
  return attempts > 0 ? "retrying" : "waiting";
}
