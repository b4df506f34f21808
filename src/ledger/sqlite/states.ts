import type { ListedState } from "../../model/operations.ts";

/** SQL: a delivery, `d`, that is not finished. A list of states would do, but SQLite makes a table of it whenever a row is written. */
export const UNFINISHED = "d.finished_at IS NULL";

/** SQL: an unfinished one of which the file says what it waits for. */
export const OPEN = `${UNFINISHED} AND d.state <> 'queued'`;

/** SQL: one of which memory has to be asked, or whoever works it out. They are in no index, but none is older than `queued_from`. */
export const QUEUED = "d.state = 'queued' AND d.seq >= (SELECT min(queued_from) FROM plugin)";

/** An operator's word for a delivery's state in the file. */
export function listedState(state: string, attempts: number): ListedState {
  if (state === "done" || state === "dead" || state === "dropped") return state;
  return attempts > 0 ? "retrying" : "waiting";
}
