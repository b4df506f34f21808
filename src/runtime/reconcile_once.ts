import type { ComparisonLedger } from "../model/comparison_ledger.ts";
import { type Compared, runComparison, type RunComparisonOptions } from "./run_comparison.ts";
import { settled } from "./settled.ts";
import { configuredSources } from "./sources.ts";

export interface ReconcileOnceOptions extends Omit<RunComparisonOptions, "settled" | "record" | "maxSilenceMs"> {
  readonly ledger: ComparisonLedger;
}

export interface ReconcileOnce {
  readonly apply: boolean;
  readonly force: boolean;
  readonly acceptsScope: boolean;
  /** Compare this server alone, with its floating IPs; `null`: everything. */
  readonly server: string | null;
}

/** An operator waits at a terminal. */
const MAX_SILENCE_MS = 30_000;

/**
 * A full comparison for an operator's command, beside the running service or without it. What it
 * records is decided and delivered by the service.
 */
export async function reconcileOnce(
  options: ReconcileOnceOptions,
  wanted: ReconcileOnce,
  signal: AbortSignal,
): Promise<Compared> {
  const { config, ledger, clock } = options;
  const sources = configuredSources(config);
  // The service records what it has taken from a queue within a second.
  const flush = () => clock.sleep(1000, signal);
  return await runComparison(
    {
      ...options,
      maxSilenceMs: MAX_SILENCE_MS,
      settled: (signal) => settled({ sources, delivered: null, flush, ledger, clock }, signal),
      record: (observations) => ledger.record(observations),
    },
    { ...wanted, changesSince: null, isByHand: true, why: "an operator has asked for it" },
    signal,
  );
}
