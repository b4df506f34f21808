import type { Lane } from "../dispatch/lane.ts";
import type { Config, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { StoredLedger } from "../model/stored_ledger.ts";
import { WakeSignal } from "../model/wake_signal.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { aborted } from "./aborted.ts";
import { type Cloud, makeCloud } from "./cloud.ts";
import { followOptionsOf } from "./follow_options.ts";
import { Listening } from "./listening.ts";
import { makeLanes } from "./make_lanes.ts";
import { makeStages } from "./make_stages.ts";
import { checkOpenStack, openOpenStack } from "./openstack.ts";
import { runPipeline } from "./pipeline.ts";
import type { Reconciling } from "./reconciling.ts";
import { openServiceLedger, ServiceLedger } from "./service_ledger.ts";
import type { ServiceOptions } from "./service_options.ts";
import { shutDown } from "./shutdown.ts";
import { configuredSources } from "./sources.ts";
import { logStartup } from "./startup_log.ts";
import { Status } from "./status.ts";

/**
 * Runs the service until `stop` aborts: opens ledger and cloud, runs all stages, and shuts down
 * with everything recorded.
 *
 * @throws {UserError} when it cannot start: no broker is configured, a password is refused, the
 * ledger is in use, or the cloud refuses us.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { config, clock, log } = options;
  const sources = sourcesOf(config);
  await using openstack = config.openstack === undefined
    ? null
    : await openOpenStack(config.openstack, { clock, log: log("openstack") });
  // Without an `openstack` section nothing of it is loaded.
  const reconciling = openstack && await import("./make_reconciling.ts");
  await using stored = await openServiceLedger(options, () => service.wakeLanes());
  const service = new Service(options, { sources, openstack, reconciling, stored });
  await service.run();
}

/** Composes all stages; the only place that knows them all. */
class Service {
  readonly #options: ServiceOptions;
  readonly #openstack: OpenStackApi | null;
  readonly #ledger: ServiceLedger;
  readonly #status: Status;
  readonly #listening: Listening;
  /** `null`: config.ts has no `openstack` section. */
  readonly #cloud: Cloud | null;
  /** `null` as well. */
  readonly #reconciling: Reconciling | null;
  readonly #lanes: readonly Lane[];
  /** Wakes the pipeline: something was recorded, or a stage can continue. */
  readonly #wakeSignal = new WakeSignal();
  /** Rejects when a stage cannot continue. */
  readonly #failed = Promise.withResolvers<never>();
  /** Aborts when the stages shall stop. */
  readonly #stopping = new AbortController();
  /** Aborts everything that still waits. */
  readonly #ended = new AbortController();

  constructor(
    options: ServiceOptions,
    { sources, openstack, reconciling, stored }: {
      readonly sources: readonly RabbitSource[];
      readonly openstack: OpenStackApi | null;
      readonly reconciling: Pick<typeof import("./make_reconciling.ts"), "makeReconciling"> | null;
      readonly stored: StoredLedger;
    },
  ) {
    this.#options = options;
    this.#openstack = openstack;
    const { version, plugins, clock, log } = options;
    this.#status = new Status({ version, plugins: [...plugins.keys()], clock, log });
    this.#ledger = this.#makeLedger(stored);
    const ledger = this.#ledger.retrying;
    const wake = () => this.#wakeSignal.notify();
    this.#cloud = openstack && makeCloud(openstack, {
      ...options,
      ledger,
      onOpen: wake,
      onScope: (scope) => stored.comparisons.primed(scope),
    });
    this.#lanes = makeLanes(options, { ledger, status: this.#status });
    const onFailed = this.#failed.reject;
    this.#listening = new Listening({ service: options, sources, ledger, onRecorded: wake, onFailed });
    this.#reconciling = reconciling && reconciling.makeReconciling(options, {
      comparisons: stored.comparisons,
      sources,
      ledger,
      listening: this.#listening,
      onMaybeRecorded: wake,
    });
    // A failure before run() awaits this must not be an unhandled rejection.
    this.#failed.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const { plugins, stop, clock, log } = this.#options;
    await Promise.race([this.#prepare(), aborted(stop)]);
    logStartup(this.#options, this.#listening.brokers);
    const work = this.#startStages();
    try {
      const connected = Promise.all([this.#checkOpenStack(), this.#listening.start(this.#stopping.signal)]);
      await Promise.race([this.#failed.promise, connected, aborted(stop)]);
      await Promise.race([this.#failed.promise, aborted(stop)]);
      log("service").info("Stopping: waiting for attempts in flight");
    } finally {
      await shutDown({
        listening: this.#listening,
        lanes: this.#lanes,
        plugins: plugins.values(),
        work,
        clock,
        stopping: this.#stopping,
        ended: this.#ended,
      });
    }
    log("service").info("Stopped");
  }

  #makeLedger(stored: StoredLedger): ServiceLedger {
    return new ServiceLedger({
      service: this.#options,
      stored,
      signal: this.#ended.signal,
      onDown: () => this.#listening.pause(),
      onUp: () => {
        if (!this.#options.stop.aborted) this.#listening.resume();
        this.wakeLanes();
      },
    });
  }

  async #prepare(): Promise<void> {
    const { config, plugins } = this.#options;
    await this.#ledger.stored.start(this.#options.stop);
    await this.#ledger.retrying.activate([...plugins.keys()]);
    const rules = () => ({ restoredAtMs: this.#ledger.stored.restoredAtMs });
    const following = followOptionsOf(config, { plugins, rules });
    if (following !== null) await this.#ledger.retrying.follow(following);
  }

  /** Runs in the background: an unreachable cloud must not delay message handling. */
  async #checkOpenStack(): Promise<void> {
    if (this.#openstack === null) return;
    const { log, stop } = this.#options;
    await checkOpenStack(this.#openstack, { log: log("openstack"), signal: stop });
  }

  /** Settles when all stages have ended. */
  #startStages(): Promise<unknown> {
    const { signal } = this.#stopping;
    const stages = makeStages({
      service: this.#options,
      ledger: this.#ledger.retrying,
      cloud: this.#cloud,
      status: this.#status,
      wakeSignal: this.#wakeSignal,
      oldestCreation: () => this.#ledger.oldestCreation(),
      restoredAtMs: () => this.#ledger.stored.restoredAtMs,
      mayDecide: () => this.#mayDecide(),
      onDetailed: () => this.wakeLanes(),
      onFailed: this.#failed.reject,
      signal,
    });
    // Not part of the work that is awaited: the status server does not delay shutdown.
    void this.#runStatus(signal);
    const priming = this.#cloud?.priming.run(this.#listening.bound, signal) ?? Promise.resolve();
    const work = [
      runPipeline(stages, signal),
      priming,
      this.#reconciling?.run({ bound: this.#listening.bound, primed: priming }, signal) ?? Promise.resolve(),
      ...this.#lanes.map((lane) => lane.run(signal)),
      this.#ledger.stored.run(signal),
    ];
    return Promise.all(work.map((stage) => stage.catch(this.#failed.reject)));
  }

  #runStatus(signal: AbortSignal): Promise<void> {
    return this.#status.run({
      metrics: this.#options.config.metrics,
      ledger: this.#ledger.stored,
      intake: this.#listening.intake,
      brokers: this.#listening.brokers,
      lanes: this.#lanes,
      ledgerWritable: () => this.#ledger.retrying.writable,
      deciding: () => this.#mayDecide(),
      comparisons: () => this.#reconciling?.readings ?? null,
    }, signal);
  }

  #mayDecide(): boolean {
    return this.#cloud?.priming.isOpen ?? true;
  }

  /** To be called when deliveries may have become due. */
  wakeLanes(): void {
    for (const lane of this.#lanes) lane.wake();
  }
}

function sourcesOf(config: Config): readonly RabbitSource[] {
  const sources = configuredSources(config);
  if (sources.length === 0) {
    throw new UserError("Cannot start the service: config.ts has no `rabbit` section. Add one, or use --dry-run FILE");
  }
  return sources;
}
