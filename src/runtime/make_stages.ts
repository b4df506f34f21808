import { MAX_CLOCK_SKEW_MS } from "../facts/revisions.ts";
import type { Ledger } from "../model/ledger.ts";
import { followingOf } from "../model/following.ts";
import type { WakeSignal } from "../model/wake_signal.ts";
import type { Cloud } from "./cloud.ts";
import { detailMaker, detailOptionsOf, type DetailStage, ImmediateDetails } from "./detail_stage.ts";
import { EnrichedDetails } from "./enriched_details.ts";
import { FactsStage } from "./facts_stage.ts";
import type { Stages } from "./pipeline.ts";
import { rulesOf } from "./rules.ts";
import type { ServiceOptions } from "./service_options.ts";
import type { Status } from "./status.ts";
import { UpdatesStage } from "./updates_stage.ts";

export interface MakeStagesOptions {
  readonly service: ServiceOptions;
  readonly ledger: Ledger;
  /** `null`: config.ts has no `openstack` section. */
  readonly cloud: Cloud | null;
  readonly status: Pick<Status, "pipeline" | "onDecided">;
  /** Wakes the pipeline. */
  readonly wakeSignal: WakeSignal;
  /** Creations before this time count as old: see `service_ledger.ts`. */
  readonly oldestCreation: () => string | null;
  /** When the ledger was last restored from a backup, or copied, ms since the epoch; 0: never. */
  readonly restoredAtMs: () => number;
  /** Whether priming is over. */
  readonly mayDecide: () => boolean;
  /** Called when deliveries may have become ready. */
  readonly onDetailed: () => void;
  /** Called when a stage cannot continue. */
  readonly onFailed: (error: unknown) => void;
  /** Aborts when the stages shall stop. */
  readonly signal: AbortSignal;
}

/** Creates stages 2 and 3. */
export function makeStages(options: MakeStagesOptions): Stages {
  const { service: { config, clock, log }, ledger, cloud, status, wakeSignal, onDetailed, signal } = options;
  const details = makeDetails(options);
  const facts = new FactsStage({
    ledger,
    makeImmediate: details.makeImmediate,
    rules: () =>
      rulesOf(config, {
        oldestCreation: options.oldestCreation(),
        restoredAtMs: options.restoredAtMs(),
        latestStatement: new Date(clock.now() + MAX_CLOCK_SKEW_MS).toISOString(),
      }),
    mayDecide: options.mayDecide,
    nova: cloud?.source ?? null,
    log: log("facts"),
    signal,
    onAnswered: () => wakeSignal.notify(),
    onDecided: status.onDecided,
    onDetailed,
  });
  const stages = { facts, details, wakeSignal, heartbeat: status.pipeline };
  if (followingOf(config.events) === null) return stages;
  const updates = new UpdatesStage({
    ledger,
    makeImmediate: details.makeImmediate,
    clock,
    signal,
    onDue: () => wakeSignal.notify(),
    onDetailed,
  });
  return { ...stages, updates };
}

function makeDetails(
  { service: { config, log }, ledger, cloud, wakeSignal, onDetailed, onFailed, signal }: MakeStagesOptions,
): DetailStage {
  const detail = detailOptionsOf(config);
  const shared = { ledger, make: detailMaker(detail, log("detail")), onDetailed };
  if (cloud === null) return new ImmediateDetails(shared);
  return new EnrichedDetails({
    ...shared,
    source: cloud.source,
    detail,
    log: log("detail"),
    signal,
    onRoom: () => wakeSignal.notify(),
    onFailed,
  });
}
