import type { ComparisonLedger } from "../model/comparison_ledger.ts";
import type { RabbitSource } from "../model/config.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Listening } from "./listening.ts";
import { Reconciling } from "./reconciling.ts";
import type { ServiceOptions } from "./service_options.ts";
import { settled } from "./settled.ts";

export interface MakeReconcilingOptions {
  readonly comparisons: ComparisonLedger;
  readonly sources: readonly RabbitSource[];
  readonly ledger: Pick<Ledger, "record">;
  readonly listening: Listening;
  /** Called when notifications or observations may have been recorded. */
  readonly onMaybeRecorded: () => void;
}

const MAX_SILENCE_MS = 120_000;

/** The service's comparisons of memory with OpenStack. */
export function makeReconciling(service: ServiceOptions, options: MakeReconcilingOptions): Reconciling {
  const { config, clock, random, log } = service;
  const { comparisons, sources, ledger, listening, onMaybeRecorded } = options;
  const delivered = (index: number) => listening.deliveredBy(index);
  const flush = () => listening.intake.flush();
  return new Reconciling({
    config,
    ledger: comparisons,
    settled: (signal) => settled({ sources, delivered, flush, ledger: comparisons, clock }, signal),
    record: async (observations) => {
      const receivedAt = clock.now();
      await ledger.record(observations.map((notification) => ({ receivedAt, notification })));
      onMaybeRecorded();
    },
    maxSilenceMs: MAX_SILENCE_MS,
    clock,
    random,
    log,
    onMaybeRecorded,
  });
}
