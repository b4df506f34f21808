import type { ListedState } from "../../model/operations.ts";

/** The state that operators see, for a delivery's row; one without a row waits. */
export function listedState(state: unknown, attempts: unknown): ListedState {
  const isTried = Number(attempts ?? 0) > 0;
  if (state === "done") return isTried ? "done" : "skipped";
  if (state === "dead" || state === "dropped") return state;
  return isTried ? "retrying" : "waiting";
}

/** SQL: a plugin was told what this delivery says. One that is done without an attempt had nothing to tell. */
export function wasTold(delivery: string): string {
  return `${delivery}.state = 'done' AND ${delivery}.attempts > 0`;
}

/** SQL: deliveries `d` of events `e`, each with its plugin `w.plugin`; one that waits has no row. */
export const DELIVERIES = `event AS e CROSS JOIN LATERAL unnest(e.plugins) AS w (plugin)
  LEFT JOIN delivery AS d ON d.seq = e.seq AND d.plugin = w.plugin`;

/** SQL: delivery `d` of {@linkcode DELIVERIES} is not finished. */
export const UNFINISHED = "(d.seq IS NULL OR d.state = 'open')";
