import type { Delivery, Ledger } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import type { AttemptEnd } from "../model/readings.ts";
import type { FilteredCall } from "./filtered_call.ts";

/** A delivery for which no method of the plugin is called. */
export type UntoldCall = Exclude<FilteredCall, { readonly method: "notify" | "update" }>;

export interface UntoldOptions {
  readonly call: UntoldCall;
  readonly ledger: Pick<Ledger, "settle">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Finishes a delivery without calling the plugin, which proves nothing of the target. Returns what
 * is counted of it; `null`: nothing.
 */
export async function finishUntold(
  { seq, plugin, triedMs, attempts, event: { key } }: Delivery,
  { call, ledger, log, at }: UntoldOptions,
): Promise<AttemptEnd | null> {
  const settlement = { seq, plugin, startedAt: at, endedAt: at, dueAt: 0, triedMs };
  const end = { plugin, repeated: false, tookMs: 0 };
  if (call.method === "none" || call.method === "skipped") {
    const isSkipped = call.method === "skipped";
    log.debug(isSkipped ? `Skipped ${key}: the plugin's filter does not match` : `Nothing to tell with ${key}`);
    await ledger.settle([{ ...settlement, outcome: "unneeded", failure: null }]);
    return isSkipped ? { ...end, outcome: "unneeded", reason: null } : null;
  }
  const [outcome, error] = call.method === "undecided"
    ? ["undecided" as const, call.error]
    : ["dead" as const, UNKNOWN_SERVER];
  log.error(`Gave up ${key} without an attempt: ${error}`);
  await ledger.settle([{ ...settlement, outcome, failure: { reason: "permanent", error } }]);
  return { ...end, outcome, reason: "permanent", repeated: attempts > 0 };
}

const UNKNOWN_SERVER = "The server's creation was not delivered to this plugin: replay that first, then this";
