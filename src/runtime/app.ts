import type { Lane } from "../dispatch/lane.ts";
import type { Config, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { StoredLedger } from "../model/stored_ledger.ts";
import { FACTS, pluginLease, type Tenure } from "../model/tenancy.ts";
import { WakeSignal } from "../model/wake_signal.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { aborted } from "./aborted.ts";
import { type Cloud, makeCloud } from "./cloud.ts";
import { followOptionsOf } from "./follow_options.ts";
import { Listening } from "./listening.ts";
import { makeLane } from "./make_lane.ts";
import { makeStages } from "./make_stages.ts";
import { checkOpenStack, openOpenStack } from "./openstack.ts";
import { runPipeline, type Stages } from "./pipeline.ts";
import type { Reconciling } from "./reconciling.ts";
import { openServiceLedger, ServiceLedger } from "./service_ledger.ts";
import type { ServiceOptions } from "./service_options.ts";
import { shutDown } from "./shutdown.ts";
import { configuredSources } from "./sources.ts";
import { logStartup } from "./startup_log.ts";
import { Status } from "./status.ts";
import { allEnded, holdWork, type TenuredWork } from "./tenures.ts";

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
  await using stored = await openServiceLedger(options, {
    onRescheduled: () => service.wakeLanes(),
    onRecorded: () => service.wake(),
  });
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
  /** Of the plugins whose deliveries are ours now. */
  readonly #lanes = new Map<string, Lane>();
  /** Of the loops of lanes, by the names of their plugins. */
  readonly #heartbeats: ReadonlyMap<string, LoopHeartbeat>;
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
    const { version, plugins, clock, log, show, telemetry } = options;
    this.#status = new Status({ version, plugins: [...plugins.keys()], clock, log, show, telemetry });
    this.#ledger = this.#makeLedger(stored);
    const ledger = this.#ledger.retrying;
    const wake = () => this.wake();
    this.#cloud = openstack && makeCloud(openstack, {
      ...options,
      ledger,
      onOpen: wake,
      onScope: (scope) => ledger.retried(() => stored.comparisons.primed(scope)),
    });
    this.#heartbeats = new Map([...plugins.keys()].map((name) => [name, new LoopHeartbeat()]));
    const onFailed = this.#failed.reject;
    const { isShared: isLedgerShared } = stored.tenancy;
    this.#listening = new Listening({ service: options, sources, ledger, isLedgerShared, onRecorded: wake, onFailed });
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
        lanes: this.#lanes.values(),
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

  /** Settles when all stages have ended. Each runs while its part of the work is ours. */
  #startStages(): Promise<unknown> {
    const { signal } = this.#stopping;
    const { stored } = this.#ledger;
    const hold = (part: TenuredWork) => holdWork({ tenancy: stored.tenancy, signal }, part);
    // Not part of the work that is awaited: the status server does not delay shutdown.
    void this.#runStatus(signal);
    const work = [
      hold({ name: FACTS, heartbeat: this.#status.pipeline, work: (tenure) => this.#decide(tenure) }),
      ...[...this.#heartbeats].map(([plugin, heartbeat]) =>
        hold({ name: pluginLease(plugin), heartbeat, work: (tenure) => this.#dispatch(plugin, { tenure, heartbeat }) })
      ),
      stored.run(signal),
    ];
    return Promise.all(work.map((part) => part.catch(this.#failed.reject)));
  }

  /** Stages 2 and 3, and what reads the cloud beside them. */
  async #decide({ ending }: Tenure): Promise<void> {
    await allEnded([
      (signal) => runPipeline(this.#makeStages(signal), signal),
      (signal) => this.#readCloud(signal),
    ], ending);
  }

  async #readCloud(signal: AbortSignal): Promise<void> {
    const { bound } = this.#listening;
    const primed = this.#cloud?.priming.run(bound, signal) ?? Promise.resolve();
    await allEnded([
      () => primed,
      (ending) => this.#reconciling?.run({ bound, primed }, ending) ?? Promise.resolve(),
    ], signal);
  }

  #makeStages(signal: AbortSignal): Stages {
    return makeStages({
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
  }

  /** Stage 4 of one plugin. */
  async #dispatch(
    plugin: string,
    { tenure, heartbeat }: { readonly tenure: Tenure; readonly heartbeat: LoopHeartbeat },
  ): Promise<void> {
    const [service, { retrying: ledger }, status] = [this.#options, this.#ledger, this.#status];
    const lane = makeLane(plugin, { service, ledger, status, tenure, heartbeat });
    const giveUp = () => lane.abortInFlight();
    tenure.lost.addEventListener("abort", giveUp, { once: true });
    this.#lanes.set(plugin, lane);
    try {
      await lane.run(tenure.ending);
    } finally {
      this.#lanes.delete(plugin);
    }
  }

  #runStatus(signal: AbortSignal): Promise<void> {
    return this.#status.run({
      metrics: this.#options.config.metrics,
      ledger: this.#ledger.stored,
      intake: this.#listening.intake,
      brokers: this.#listening.brokers,
      lanes: this.#lanes,
      heartbeats: new Map([["the pipeline", this.#status.pipeline], ...this.#heartbeats]),
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
    for (const lane of this.#lanes.values()) lane.wake();
  }

  /** To be called when something was recorded, or a stage can continue. */
  wake(): void {
    this.#wakeSignal.notify();
  }
}

function sourcesOf(config: Config): readonly RabbitSource[] {
  const sources = configuredSources(config);
  if (sources.length === 0) {
    throw new UserError("Cannot start the service: config.ts has no `rabbit` section. Add one, or use --dry-run FILE");
  }
  return sources;
}
