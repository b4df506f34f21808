import type { CreationFate } from "../model/ledger.ts";

/** The columns of a creation's delivery that tell what the plugin has heard of it. */
export interface FateRow {
  readonly state?: unknown;
  readonly attempts?: unknown;
  readonly last_attempt_at?: unknown;
}

/** What a plugin has heard of a creation, by its delivery; `undefined`: it has none. */
export function fateOf(row: FateRow | undefined): CreationFate {
  if (row === undefined) return "unknown";
  if (Number(row.attempts) > 0 || row.last_attempt_at !== null) return "told";
  if (row.state === "dead") return "undecided";
  return row.state === "done" || row.state === "dropped" ? "skipped" : "unknown";
}
