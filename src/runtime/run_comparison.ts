import { observedNotification } from "../facts/observation.ts";
import type { Clock } from "../model/clock.ts";
import type { CloudScope, ComparisonReport } from "../model/comparison.ts";
import type { ComparisonLedger } from "../model/comparison_ledger.ts";
import type { Config, ReconcileOptions } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Notification } from "../model/notification.ts";
import type { Logger } from "../model/plugin.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { compare, type ComparisonProgress, type Plan } from "../reconcile/comparison.ts";
import { maxDeletions } from "../reconcile/max_deletions.ts";
import { NoConclusion } from "../reconcile/no_conclusion.ts";
import { failedReport, reportOf } from "../reconcile/report.ts";
import { scopeChanges } from "../reconcile/rights.ts";
import { CloudReader } from "./cloud_reader.ts";
import { cloudView, scopeOf } from "./cloud_view.ts";
import { openApiOnce } from "./openstack.ts";
import { findUpdateOf } from "./follow_options.ts";
import { rulesOf } from "./rules.ts";
import { RECONCILE_DEFAULTS } from "../model/config_defaults.ts";

export interface RunComparisonOptions {
  readonly config: Config;
  readonly ledger: ComparisonLedger;
  /** As in `ComparisonOptions`. */
  readonly settled: (signal: AbortSignal) => Promise<void>;
  /** Records observations behind all notifications. */
  readonly record: (observations: readonly Notification[]) => Promise<void>;
  /** The comparison is given up after OpenStack has not answered a request for this long. */
  readonly maxSilenceMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  readonly onProgress?: (progress: ComparisonProgress) => void;
}

/** What to compare, and what to do about differences. */
export interface RunComparison {
  /** `null`: everything. Everything, too, if the scope is not that of the last comparison. */
  readonly changesSince: string | null;
  /** For operators. */
  readonly why: string;
  /** Whether the events that repair differences are recorded. */
  readonly apply: boolean;
  /** Apply more deletions than `maxDeletions`. */
  readonly force?: boolean;
  readonly acceptsScope?: boolean;
  /**
   * Whether a command makes it, whose account may be another one than the service's. If it sees
   * less than in the last comparison, this one does not count as complete. @default false
   */
  readonly isByHand?: boolean;
  /** Compare this server alone, with its floating IPs: the report is not stored. @default null */
  readonly server?: string | null;
}

/** A comparison's report, and its plan if it came to an end. */
export interface Compared {
  readonly report: ComparisonReport;
  readonly plan: Plan | null;
}

/** Requests in flight: deliveries of the service have to be detailed beside them. */
const CONCURRENCY = 8;
/** To read and compare a page blocks the event loop for some milliseconds. */
const PAGE_SIZE = 100;
/** Observations that one transaction records. */
const BATCH = 100;

/**
 * Compares memory with OpenStack, tells the differences if asked to, and stores a report of that. A
 * comparison that fails is reported, too.
 */
export async function runComparison(
  options: RunComparisonOptions,
  wanted: RunComparison,
  signal: AbortSignal,
): Promise<Compared> {
  const { ledger, clock } = options;
  const { why, changesSince, isByHand = false } = wanted;
  const startedAt = clock.now();
  let compared: Compared;
  try {
    compared = await conclude(options, wanted, { startedAt, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NoConclusion) && !(error instanceof UserError)) throw error;
    const occasion = { startedAt, endedAt: clock.now(), why, isByHand, isFull: changesSince === null };
    compared = { report: failedReport(error.message, occasion), plan: null };
  }
  // A look at the plan leaves what the service has found, as deletions that it withholds.
  const isKept = wanted.apply || compared.report.outcome === "agreed";
  if (isKept && (wanted.server ?? null) === null) await ledger.report(compared.report);
  return compared;
}

async function conclude(
  options: RunComparisonOptions,
  { why, apply, force = false, acceptsScope = false, isByHand = false, server = null, ...wanted }: RunComparison,
  { startedAt, signal }: { readonly startedAt: number; readonly signal: AbortSignal },
): Promise<Compared> {
  const { config, ledger, settled, record, maxSilenceMs, clock, random, log, onProgress } = options;
  const { confirmSeconds, maxDeletions: limit } = settingsOf(config);
  const limits = { concurrency: CONCURRENCY, pageSize: PAGE_SIZE, signal };
  await using api = await openApiOnce(config.openstack, { clock, log: quiet(log("reconcile")), ...limits });
  const reader = new CloudReader({ api, clock, random, log: log("reconcile"), maxSilenceMs });
  const past = await ledger.past();
  if (past.beganAt === null) throw new NoConclusion(NOT_PRIMED);
  const { reference } = past;
  const isSameScope = await seesAs(reference, { api, signal });
  const rules = rulesOf(config, { restoredAtMs: past.lastRestoreAt ?? 0 });
  const plan = await compare({
    cloud: cloudView(reader, api),
    memory: ledger,
    settled,
    rules,
    findUpdate: findUpdateOf(config, rules),
    confirmMs: (confirmSeconds ?? RECONCILE_DEFAULTS.confirmSeconds) * 1000,
    beganAt: past.beganAt,
    changesSince: isSameScope ? wanted.changesSince : null,
    reference,
    acceptsScope,
    server,
    clock,
    ...(onProgress === undefined ? {} : { onProgress }),
  }, signal);
  const gone = plan.differences.filter(({ change }) => change === "gone").length;
  const most = maxDeletions(limit, plan.remembered);
  const isPartial = isByHand && !isSameScope && !acceptsScope && !plan.seesAllProjects;
  const occasion = () => ({ startedAt, endedAt: clock.now(), why, isByHand, isPartial });
  const problem = gone > most && !force
    ? `${gone} resources are gone, and at most ${most} are told so without asking`
    : null;
  if (!apply && plan.differences.length > 0) {
    return { plan, report: reportOf(plan, { outcome: "planned", problem, ...occasion() }) };
  }
  if (problem !== null) return { plan, report: reportOf(plan, { outcome: "withheld", problem, ...occasion() }) };
  if (apply) await tell(plan, { startedAt, record, clock });
  const outcome = plan.differences.length === 0 ? "agreed" : "applied";
  return { plan, report: reportOf(plan, { outcome, ...occasion() }) };
}

/** Whether the scope is that of the last complete comparison, if there was one. */
async function seesAs(
  reference: CloudScope | null,
  { api, signal }: { readonly api: Pick<OpenStackApi, "scope">; readonly signal: AbortSignal },
): Promise<boolean> {
  return reference === null || scopeChanges(reference, scopeOf(await api.scope(signal))).length === 0;
}

/** A logger for clients that say at each login what the service has said at its start. */
function quiet(log: Logger): Logger {
  return { ...log, info: log.debug };
}

/** Records the plan's observations, behind whatever was recorded before. */
async function tell(
  { observations }: Plan,
  { startedAt, record, clock }: Pick<RunComparisonOptions, "record" | "clock"> & { readonly startedAt: number },
): Promise<void> {
  const time = new Date(clock.now()).toISOString();
  const notifications = observations.map((observation, index) =>
    observedNotification(observation, { messageId: `reconcile-${startedAt}-${index}`, time })
  );
  for (let from = 0; from < notifications.length; from += BATCH) {
    await record(notifications.slice(from, from + BATCH));
  }
}

/** The section `openstack.reconcile` of config.ts. */
export function settingsOf({ openstack }: Config): ReconcileOptions {
  return openstack?.reconcile || {};
}

const NOT_PRIMED = "The ledger has not read yet what is in OpenStack: the service does that when it first runs";
