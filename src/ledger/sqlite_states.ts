import type { ListedState } from "../model/operations.ts";
import { UNWRITTEN_FROM } from "./schema.ts";

/** SQL: what an unfinished delivery waits for, where the file says it. */
export const OPEN = "('new', 'blocked', 'ready')";

/** SQL: the states of a delivery that is not finished. */
export const UNFINISHED = "('recent', 'new', 'blocked', 'ready')";

/** SQL: the event from which on deliveries may be `recent`, and hold order keys that `held` does not have. */
export const UNWRITTEN_FROM_SQL = `(SELECT CAST(value AS INTEGER) FROM fact WHERE name = '${UNWRITTEN_FROM}')`;

/** An operator's word for a delivery's state in the file. */
export function listedState(state: string, attempts: number): ListedState {
  if (state === "done" || state === "dead" || state === "dropped") return state;
  return attempts > 0 ? "retrying" : "waiting";
}
