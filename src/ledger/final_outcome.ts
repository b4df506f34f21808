import type { Settlement } from "../model/ledger.ts";

/** Whether an outcome finishes its delivery. */
export function isFinal(outcome: Settlement["outcome"]): boolean {
  return outcome === "done" || outcome === "dead" || isUntold(outcome);
}

/** Whether an outcome finishes its delivery without an attempt. */
export function isUntold(outcome: Settlement["outcome"]): boolean {
  return outcome === "unneeded" || outcome === "undecided";
}
