import type { ListedState } from "../../model/operations.ts";

/**
 * SQL: delivery `d` is not finished. A list of states would say the same, but SQLite builds a
 * temporary table of it whenever a row is written.
 */
export const UNFINISHED = "d.finished_at IS NULL";

/** SQL: delivery `d` is unfinished, and the file has its state. */
export const OPEN = `${UNFINISHED} AND d.state <> 'queued'`;

/**
 * SQL: delivery `d` is queued: its state is in the service's memory alone. No index has these, but
 * none is older than `queued_from`.
 */
export const QUEUED = "d.state = 'queued' AND d.seq >= (SELECT min(queued_from) FROM plugin)";

/** SQL: a plugin was told what this delivery says. One that is done without an attempt had nothing to tell. */
export function wasTold(delivery: string): string {
  return `${delivery}.state = 'done' AND ${delivery}.attempts > 0`;
}

/** The state that operators see, for a delivery's state in the file. */
export function listedState(state: string, attempts: number): ListedState {
  if (state === "done") return attempts > 0 ? "done" : "skipped";
  if (state === "dead" || state === "dropped") return state;
  return attempts > 0 ? "retrying" : "waiting";
}
