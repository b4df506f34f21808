import type { ComparisonReadings } from "../model/readings.ts";
import type { Plan } from "../reconcile/comparison.ts";
import { describeDrift } from "../reconcile/report.ts";
import { type DueComparison, nextComparison, RETRY_MS } from "../reconcile/schedule.ts";
import { aborted } from "./aborted.ts";
import { runComparison, type RunComparisonOptions, settingsOf } from "./run_comparison.ts";
import { RECONCILE_DEFAULTS } from "../model/config_defaults.ts";

export interface ReconcilingOptions extends RunComparisonOptions {
  /** Called now and then: another process may have recorded observations. */
  readonly onMaybeRecorded: () => void;
}

/** Time between two looks at the schedule. */
const LOOK_EVERY_MS = 10_000;
/** Operators' commands are noticed within this time. */
const NOTICE_EVERY_MS = 2000;

/**
 * Compares memory with OpenStack when that is due, and tells what was missed: what never reached
 * RabbitMQ, or was lost there. Runs beside the stages, and records what it finds as intake does.
 */
export class Reconciling {
  readonly #options: ReconcilingOptions;
  readonly #startedAt: number;
  /** After an unexpected failure, nothing is compared before this time, in monotonic milliseconds. */
  #notBeforeMs = -Infinity;
  /** Whether it has been logged that the account does not see all projects. */
  #hasToldLimits = false;
  #readings: ComparisonReadings = { last: null, agreedAt: null };

  constructor(options: ReconcilingOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  get readings(): ComparisonReadings {
    return this.#readings;
  }

  /**
   * Works until the signal aborts.
   *
   * @param ready.bound Resolves when our queues are bound: what changes from then on comes as a
   * message.
   * @param ready.primed Resolves when the ledger has read what is in OpenStack.
   */
  async run(
    { bound, primed }: { readonly bound: Promise<unknown>; readonly primed: Promise<unknown> },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, onMaybeRecorded } = this.#options;
    // A ledger that cannot be read is told below.
    await this.#refresh().catch(() => {});
    void this.#noticeOthers(signal);
    await Promise.race([bound, aborted(signal)]);
    await primed;
    while (!signal.aborted) {
      if (this.#notBeforeMs <= clock.passedMs()) await this.#compareIfDue(signal);
      onMaybeRecorded();
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #compareIfDue(signal: AbortSignal): Promise<void> {
    const { clock, log, config } = this.#options;
    try {
      const due = config.openstack?.reconcile === false ? null : await this.#next();
      await this.#refresh();
      if (due !== null && due.dueAt <= clock.now()) await this.#compare(due, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#notBeforeMs = clock.passedMs() + RETRY_MS;
      const problem = error instanceof Error ? error.message : error;
      log("reconcile").error(`Cannot compare with OpenStack: ${problem}. Trying again in 15 minutes`);
    }
  }

  async #noticeOthers(signal: AbortSignal): Promise<void> {
    const { clock, onMaybeRecorded } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(NOTICE_EVERY_MS, signal);
      onMaybeRecorded();
    }
  }

  async #next(): Promise<DueComparison | null> {
    const { ledger, config, clock } = this.#options;
    const { lastTried, ...others } = await ledger.past();
    // A failure is waited for in the run that had it: a restart tries again at once.
    const isOfThisRun = lastTried !== null && lastTried.endedAt >= this.#startedAt;
    const past = { ...others, lastTried: lastTried?.outcome === "failed" && !isOfThisRun ? null : lastTried };
    const gaps = await ledger.gapsSince(past.lastComplete?.startedAt ?? past.beganAt ?? 0);
    const everyHours = settingsOf(config).everyHours ?? RECONCILE_DEFAULTS.everyHours;
    return nextComparison({ past, gaps, everyHours, now: clock.now() });
  }

  /** Once per run of the service. A listing of changes may have nothing that proves the rights. */
  #tellLimits({ seesAllProjects, isFull }: Plan): void {
    if (seesAllProjects || !isFull || this.#hasToldLimits) return;
    this.#hasToldLimits = true;
    this.#options.log("reconcile").info(
      "Our account is not proven to see the resources of all projects: what is gone is concluded of its own project " +
        "alone. Give it a role with which it sees all, as admin",
    );
  }

  async #refresh(): Promise<void> {
    const { ledger, config } = this.#options;
    const { last, agreedAt, beganAt } = await ledger.past();
    // An alert rule needs a time, also if no comparison ever agrees.
    const since = config.openstack?.reconcile === false ? null : beganAt;
    this.#readings = { last, agreedAt: agreedAt ?? since };
  }

  async #compare({ why, isFull, changesSince }: DueComparison, signal: AbortSignal): Promise<void> {
    const log = this.#options.log("reconcile");
    log.info(`Comparing with OpenStack${isFull ? "" : " what has changed"}: ${why}`);
    const { report, plan } = await runComparison(this.#options, { changesSince, why, apply: true }, signal);
    await this.#refresh();
    if (plan !== null) this.#tellLimits(plan);
    const seconds = Math.round((report.endedAt - report.startedAt) / 1000);
    const { servers, floatingIps } = report.found;
    const what = `${describeDrift(report)}, of ${servers} servers and ${floatingIps} floating IPs, after ${seconds} s`;
    switch (report.outcome) {
      case "failed":
        return log.error(`Cannot compare with OpenStack: ${report.problem}. Trying again in 15 minutes`);
      case "withheld":
        return log.error(
          `OpenStack and what targets were told differ: ${what}. ${report.problem}. Nothing is told. Look at ` +
            '"oss-watcher reconcile", then run "oss-watcher reconcile --apply --force"',
        );
      case "applied":
        return log.warn(`OpenStack and what targets were told differed: ${what}. It is told now`);
      default:
        return log.info(`Compared with OpenStack: ${what}`);
    }
  }
}
