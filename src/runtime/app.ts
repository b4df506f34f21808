import { Lane } from "../dispatch/lane.ts";
import { policyOf } from "../dispatch/policy.ts";
import { WATCHED_EVENT_TYPES } from "../facts/decide.ts";
import { Broker, type Delivered } from "../rabbitmq/consumer.ts";
import { warnOfDeliveryLimit } from "../rabbitmq/delivery_limit.ts";
import { Intake } from "../intake/intake.ts";
import { Housekeeping } from "../ledger/sqlite/housekeeping.ts";
import { ledgerFileOf, ownLedger } from "../ledger/sqlite/open.ts";
import { RetryingLedger } from "../ledger/retrying_ledger.ts";
import type { Database } from "../ledger/sqlite/database.ts";
import { SqliteLedger } from "../ledger/sqlite/ledger.ts";
import { WakeSignal } from "../model/wake_signal.ts";
import type { Clock } from "../model/clock.ts";
import type { Config, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { redact } from "../wire/secrets/redact.ts";

import { detailMaker, type DetailStage, ImmediateDetails } from "./detail_stage.ts";
import { type Cloud, makeCloud } from "./cloud.ts";
import { EnrichedDetails } from "./enriched_details.ts";
import { FactsStage } from "./facts_stage.ts";
import { checkOpenStack, openOpenStack } from "./openstack.ts";
import { runPipeline, type Stages } from "./pipeline.ts";
import { rulesOf } from "./rules.ts";
import { configuredSources } from "./sources.ts";
import { Status } from "./status.ts";
import { aborted } from "./aborted.ts";

export interface ServiceOptions {
  readonly config: Config;
  /** Of the program, for those who watch. */
  readonly version: string;
  /** The configured plugins by their unique names. */
  readonly plugins: ReadonlyMap<string, Plugin>;
  /** What the log says of each plugin that is loaded. */
  readonly loadedLines: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  /** A logger per part of the program. */
  readonly log: (part: string) => Logger;
  /** Aborts to stop cleanly. */
  readonly stop: AbortSignal;
}

/** How long everything that is under way may go on after a stop. */
const GRACE_MS = 10_000;
/** How long it may take to record what was cut off. */
const RECORDING_MS = 2_000;
const DAY_MS = 86_400_000;
const DEFAULT_KEEP_DAYS = 30;
/** A queue is not called old before this, however little is kept: an outage may last. */
const OLD_QUEUE_DAYS = 30;

/**
 * The service: wires all stages, runs until `stop` aborts, and leaves everything recorded.
 *
 * @throws {UserError} when it cannot begin: no broker configured, a refused password, a ledger that is in use, no way into OpenStack.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { config, clock, log } = options;
  const sources = sourcesOf(config);
  await using openstack = config.openstack === undefined
    ? null
    : await openOpenStack(config.openstack, { clock, log: log("openstack") });
  using owned = ownLedger(ledgerFileOf(config.ledger), {
    onOlder: ({ from, to }) =>
      log("ledger").info(`Taking the ledger forward from form ${from} to form ${to}: minutes for millions of events`),
  });
  await new Service(options, { sources, openstack, database: owned.database }).run();
}

/** The only place that knows all stages. */
class Service {
  readonly #options: ServiceOptions;
  readonly #keepDays: number;
  readonly #housekeeping: Housekeeping;
  readonly #sqlite: SqliteLedger;
  readonly #ledger: RetryingLedger;
  readonly #lanes: readonly Lane[];
  readonly #intake: Intake;
  readonly #sources: readonly RabbitSource[];
  readonly #brokers: readonly Broker[];
  readonly #status: Status;
  readonly #database: Database;
  /** Where details are completed; `null` when config.ts names no cloud. */
  readonly #openstack: OpenStackApi | null;
  /** What it is to the stages. */
  readonly #cloud: Cloud | null;
  /** Rung when something was recorded, or can go on. */
  readonly #recorded = new WakeSignal();
  /** Resolves when all queues are bound. */
  readonly #listening = Promise.withResolvers<void>();
  /** Rejects when a stage cannot go on at all. */
  readonly #failed = Promise.withResolvers<never>();
  /** Aborts when the stages shall stop. */
  readonly #stopping = new AbortController();
  /** Aborts when nothing shall wait any more. */
  readonly #ended = new AbortController();

  constructor(
    options: ServiceOptions,
    { sources, openstack, database }: {
      readonly sources: readonly RabbitSource[];
      readonly openstack: OpenStackApi | null;
      readonly database: Database;
    },
  ) {
    this.#options = options;
    this.#openstack = openstack;
    this.#database = database;
    const { version, plugins, clock } = options;
    this.#status = new Status({ version, plugins: [...plugins.keys()], clock, log: options.log });
    this.#keepDays = options.config.ledger?.keepDays ?? DEFAULT_KEEP_DAYS;
    this.#sqlite = new SqliteLedger(database, clock.now);
    this.#housekeeping = this.#makeHousekeeping(database);
    this.#ledger = this.#makeLedger();
    this.#cloud = openstack && makeCloud(openstack, {
      ...options,
      ledger: this.#ledger,
      onOpen: () => this.#recorded.notify(),
    });
    this.#lanes = this.#makeLanes();
    this.#intake = this.#makeIntake();
    const { log, random } = options;
    const onDelivered = (message: Delivered) => this.#intake.accept(message);
    const room = () => this.#intake.room();
    this.#sources = sources;
    this.#brokers = sources.map((source) =>
      new Broker({ source, onDelivered, room, log: log("broker"), random, gaps: this.#ledger })
    );
    // Whoever waits for it hears of it; nobody may be waiting yet.
    this.#failed.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const { plugins, stop, log } = this.#options;
    await Promise.race([this.#prepare([...plugins.keys()]), aborted(stop)]);
    announce(this.#options, this.#brokers);
    const work = this.#startStages();
    try {
      const connected = Promise.all([this.#checkOpenStack(), this.#listen()]);
      await Promise.race([this.#failed.promise, connected, aborted(stop)]);
      await Promise.race([this.#failed.promise, aborted(stop)]);
      log("service").info("Stopping: waiting for attempts in flight");
    } finally {
      await this.#shutDown(work);
    }
    log("service").info("Stopped");
  }

  async #prepare(plugins: readonly string[]): Promise<void> {
    await this.#housekeeping.start(this.#options.stop);
    await this.#ledger.activate(plugins);
  }

  async #listen(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.start()));
    this.#listening.resolve();
    // In the background: a management API that does not answer must not delay message handling.
    void this.#warnOfDeliveryLimits();
  }

  async #warnOfDeliveryLimits(): Promise<void> {
    const log = this.#options.log("broker");
    for (const [index, source] of this.#sources.entries()) {
      const connection = this.#brokers[index]?.connection ?? null;
      if (connection === null) continue;
      try {
        await warnOfDeliveryLimit({ source, ...connection, log, signal: this.#stopping.signal });
      } catch (error) {
        log.debug(`Cannot ask for delivery limits: ${error}`);
      }
    }
  }

  /** Nothing waits for this but its own failure: a cloud that is down must not keep messages waiting. */
  async #checkOpenStack(): Promise<void> {
    if (this.#openstack === null) return;
    const { log, stop } = this.#options;
    await checkOpenStack(this.#openstack, { log: log("openstack"), signal: stop });
  }

  #startStages(): Promise<unknown> {
    const details = this.#makeDetails();
    const stages: Stages = {
      facts: this.#makeFacts(details),
      details,
      recorded: this.#recorded,
      heartbeat: this.#status.pipeline,
    };
    const { signal } = this.#stopping;
    // Who only watches is not waited for.
    void this.#status.run({
      metrics: this.#options.config.metrics,
      database: this.#database,
      ledger: this.#sqlite,
      intake: this.#intake,
      brokers: this.#brokers,
      lanes: this.#lanes,
      ledgerWritable: () => this.#ledger.writable,
      deciding: () => this.#mayDecide(),
    }, signal);
    const work = [
      runPipeline(stages, signal),
      this.#cloud?.priming.run(this.#listening.promise, signal) ?? Promise.resolve(),
      ...this.#lanes.map((lane) => lane.run(signal)),
      this.#housekeeping.run(signal),
    ];
    return Promise.all(work.map((stage) => stage.catch(this.#failed.reject)));
  }

  #mayDecide(): boolean {
    return this.#cloud?.priming.isOpen ?? true;
  }

  /** A clock that has jumped ahead must not make everything old. */
  #oldestCreation(): string | null {
    if (!this.#housekeeping.trustsClock()) return null;
    const days = Math.max(this.#keepDays, OLD_QUEUE_DAYS);
    return new Date(this.#options.clock.now() - days * DAY_MS).toISOString();
  }

  /**
   * No more messages, no more attempts; those in flight may end, then they are cut off and recorded as interrupted. What is recorded and not
   * decided will be at the next start; what is not recorded by the end of the grace comes again.
   */
  async #shutDown(work: Promise<unknown>): Promise<void> {
    this.#stopping.abort();
    const grace = this.#options.clock.sleep(GRACE_MS, this.#ended.signal);
    await Promise.race([Promise.allSettled(this.#brokers.map((broker) => broker.pause())), grace]);
    await Promise.race([this.#intake.flush(), grace]);
    await Promise.race([work, grace]);
    for (const lane of this.#lanes) lane.cutOff();
    await Promise.race([work, this.#options.clock.sleep(RECORDING_MS, this.#ended.signal)]);
    this.#ended.abort();
    await Promise.allSettled(this.#brokers.map((broker) => broker.stop()));
    const { plugins } = this.#options;
    await Promise.allSettled([...plugins.values()].map((plugin) => plugin[Symbol.asyncDispose]?.()));
  }

  #makeHousekeeping(database: Database): Housekeeping {
    const { config, plugins, clock, log } = this.#options;
    const maxDelays = [...plugins.keys()].map((name) => policyOf(name, config.retry).maxDelayMs);
    return new Housekeeping({
      database,
      clock,
      keepDays: this.#keepDays,
      maxDelayMs: Math.max(...maxDelays),
      log: log("ledger"),
      onRescheduled: () => this.#wakeLanes(),
    });
  }

  #makeLedger(): RetryingLedger {
    const { clock, stop } = this.#options;
    const log = this.#options.log("ledger");
    const all = (act: (broker: Broker) => Promise<void>) => {
      for (const broker of this.#brokers) act(broker).catch((error) => log.error(`Cannot reach the broker: ${error}`));
    };
    return new RetryingLedger({
      ledger: this.#sqlite,
      clock,
      signal: this.#ended.signal,
      testWrite: () => this.#housekeeping.testWrite(),
      onDown: ({ message }) => {
        log.error(
          `Cannot write the ledger: ${message}. Nothing is acknowledged and nothing is sent until it can be written`,
        );
        all((broker) => broker.pause());
      },
      onUp: () => {
        log.info("The ledger can be written again");
        if (!stop.aborted) all((broker) => broker.resume());
        this.#wakeLanes();
      },
    });
  }

  #makeFacts({ prompt }: DetailStage): FactsStage {
    const { config, log } = this.#options;
    return new FactsStage({
      ledger: this.#ledger,
      prompt,
      rules: () => rulesOf(config.events, this.#oldestCreation()),
      mayDecide: () => this.#mayDecide(),
      nova: this.#cloud?.source ?? null,
      log: log("facts"),
      signal: this.#stopping.signal,
      onAnswered: () => this.#recorded.notify(),
      onDecided: this.#status.onDecided,
      onDetailed: () => this.#wakeLanes(),
    });
  }

  #makeDetails(): DetailStage {
    const { config: { detail }, log } = this.#options;
    const shared = {
      ledger: this.#ledger,
      make: detailMaker(detail, log("detail")),
      onDetailed: () => this.#wakeLanes(),
    };
    if (this.#cloud === null) return new ImmediateDetails(shared);
    return new EnrichedDetails({
      ...shared,
      source: this.#cloud.source,
      detail,
      log: log("detail"),
      signal: this.#stopping.signal,
      onRoom: () => this.#recorded.notify(),
      onFailed: this.#failed.reject,
    });
  }

  #makeLanes(): readonly Lane[] {
    const { config, plugins, clock, random, log } = this.#options;
    const ledger = this.#ledger;
    const canRecord = () => ledger.writable;
    return [...plugins].map(([name, plugin]) => {
      const policy = policyOf(name, config.retry);
      const { onAttempt, onOutage } = this.#status;
      return new Lane({
        onAttempt,
        onOutage,
        plugin,
        name,
        policy,
        ledger,
        clock,
        random,
        log: log(name),
        redact,
        canRecord,
      });
    });
  }

  #makeIntake(): Intake {
    const { config, clock, log } = this.#options;
    return new Intake({
      ledger: this.#ledger,
      wanted: WATCHED_EVENT_TYPES,
      keepRejectedBodies: config.ledger?.keepRejectedBodies ?? false,
      now: clock.now,
      log: log("intake"),
      onRecorded: () => this.#recorded.notify(),
      onFailed: this.#failed.reject,
    });
  }

  #wakeLanes(): void {
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

/** Says what is listened on, as the first generation did. */
function announce({ config, loadedLines, log }: ServiceOptions, brokers: readonly Broker[]): void {
  const service = log("service");
  for (const { queue } of brokers) service.info(`Listen queue ${queue}`);
  service.info(`Handled events of creation: ${config.events.creation.join(", ") || "none"}`);
  service.info(`Handled events of deletion: ${config.events.deletion.join(", ") || "none"}`);
  for (const line of loadedLines) service.info(line);
  for (const { addresses } of brokers) log("base_connection").info(`Connecting to ${addresses.join(", ")}`);
}
