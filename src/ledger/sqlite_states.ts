import type { ListedState } from "../model/operations.ts";
import { UNWRITTEN_FROM } from "./schema.ts";

/** SQL: a delivery, `d`, that is not finished. A list of states would do, but SQLite makes a table of it whenever a row is written. */
export const UNFINISHED = "d.finished_at IS NULL";

/** SQL: an unfinished one of which the file says what it waits for. */
export const OPEN = `${UNFINISHED} AND d.state <> 'recent'`;

/** SQL: the event from which on deliveries may be `recent`, and hold order keys that `held` does not have. */
export const UNWRITTEN_FROM_SQL = `(SELECT CAST(value AS INTEGER) FROM fact WHERE name = '${UNWRITTEN_FROM}')`;

/** An operator's word for a delivery's state in the file. */
export function listedState(state: string, attempts: number): ListedState {
  if (state === "done" || state === "dead" || state === "dropped") return state;
  return attempts > 0 ? "retrying" : "waiting";
}
