import { Lane } from "../dispatch/lane.ts";
import { policyOf } from "../dispatch/policy.ts";
import { Settler } from "../dispatch/settler.ts";
import { WATCHED_EVENT_TYPES } from "../facts/decide.ts";
import { Broker } from "../intake/broker.ts";
import { Intake } from "../intake/intake.ts";
import { Housekeeping } from "../ledger/housekeeping.ts";
import { ledgerFileOf, ownLedger } from "../ledger/open_ledger.ts";
import { PatientLedger } from "../ledger/patient_ledger.ts";
import { SqliteLedger } from "../ledger/sqlite_ledger.ts";
import { Bell } from "../model/bell.ts";
import type { Clock } from "../model/clock.ts";
import type { Config, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import { redact } from "../wire/redact.ts";

import { detailStage } from "./detail_stage.ts";
import { runPipeline } from "./pipeline.ts";
import { rulesOf } from "./rules.ts";

export interface ServiceOptions {
  readonly config: Config;
  /** The configured plugins by their unique names. */
  readonly plugins: ReadonlyMap<string, Plugin>;
  readonly clock: Clock;
  readonly random: () => number;
  /** A logger per part of the program. */
  readonly log: (part: string) => Logger;
  /** Aborts to stop cleanly. */
  readonly stop: AbortSignal;
}

/** How long attempts in flight may go on after a stop. */
const GRACE_MS = 10_000;
const DAY_MS = 86_400_000;
const DEFAULT_KEEP_DAYS = 30;

/**
 * The service: wires all stages, runs until `stop` aborts, and leaves everything recorded.
 *
 * @throws {UserError} when it cannot begin: no broker configured, a refused password, a ledger that is in use.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { config, plugins, clock, random, stop } = options;
  const log = options.log("service");
  const sources = sourcesOf(config);
  const keepDays = config.ledger?.keepDays ?? DEFAULT_KEEP_DAYS;
  using owned = ownLedger(ledgerFileOf(config.ledger));

  const ended = new AbortController();
  const recorded = new Bell();
  const lanes: Lane[] = [];
  const brokers: Broker[] = [];
  const wakeLanes = () => lanes.forEach((lane) => lane.wake());
  const housekeeping = new Housekeeping({
    database: owned.database,
    clock,
    keepDays,
    maxDelayMs: Math.max(...[...plugins.keys()].map((name) => policyOf(name, config.retry).maxDelayMs), 0),
    log: options.log("ledger"),
    onRescheduled: wakeLanes,
  });
  const ledger = new PatientLedger({
    ledger: new SqliteLedger(owned.database, clock.now),
    clock,
    signal: ended.signal,
    testWrite: () => housekeeping.testWrite(),
    onDown: (error) => {
      options.log("ledger").error(
        `Cannot write the ledger: ${error.message}. Nothing is acknowledged and nothing is sent until it can`,
      );
      brokers.forEach((broker) => broker.pause().catch((cause) => log.error(`Cannot pause: ${cause}`)));
    },
    onUp: () => {
      options.log("ledger").info("The ledger can be written again");
      if (!stop.aborted) {
        brokers.forEach((broker) => broker.resume().catch((cause) => log.error(`Cannot resume: ${cause}`)));
      }
      wakeLanes();
    },
  });
  await ledger.activate([...plugins.keys()]);

  const settler = new Settler(ledger);
  for (const [name, plugin] of plugins) {
    const policy = policyOf(name, config.retry);
    const canRecord = () => ledger.writable;
    lanes.push(
      new Lane({ plugin, name, policy, ledger, settler, clock, random, log: options.log(name), redact, canRecord }),
    );
  }
  const intake = new Intake({
    ledger,
    wanted: WATCHED_EVENT_TYPES,
    keepRejectedBodies: config.ledger?.keepRejectedBodies ?? false,
    now: clock.now,
    log: options.log("intake"),
    onRecorded: () => recorded.ring(),
  });
  for (const source of sources) {
    brokers.push(
      new Broker({ source, onDelivered: (message) => intake.accept(message), log: options.log("broker"), random }),
    );
  }

  announce(options, brokers);
  const running = new AbortController();
  const failed = Promise.withResolvers<never>();
  const guard = (work: Promise<unknown>) => work.catch(failed.reject);
  const work = [
    guard(runPipeline({
      ledger,
      recorded,
      rules: () => rulesOf(config.events, new Date(clock.now() - keepDays * DAY_MS).toISOString()),
      makeDetail: detailStage(config.detail, options.log("detail")),
      onDetailed: wakeLanes,
    }, running.signal)),
    ...lanes.map((lane) => guard(lane.run(running.signal))),
    guard(housekeeping.run(running.signal)),
  ];
  try {
    await Promise.race([failed.promise, Promise.all(brokers.map((broker) => broker.start())), aborted(stop)]);
    await Promise.race([failed.promise, aborted(stop)]);
    log.info("Stopping: waiting for attempts in flight");
    await Promise.all(brokers.map((broker) => broker.pause()));
    await Promise.race([intake.flush(), clock.sleep(GRACE_MS, ended.signal)]);
  } finally {
    running.abort();
    await Promise.race([
      Promise.all(work),
      clock.sleep(GRACE_MS, ended.signal).then(() => lanes.forEach((lane) => lane.cutOff())),
    ]);
    await Promise.race([Promise.all(work), clock.sleep(GRACE_MS, ended.signal)]);
    ended.abort();
    await Promise.allSettled(brokers.map((broker) => broker.stop()));
    await Promise.allSettled([...plugins.values()].map((plugin) => plugin[Symbol.asyncDispose]?.()));
  }
  log.info("Stopped");
}

function sourcesOf({ rabbit }: Config): readonly RabbitSource[] {
  const sources = rabbit === undefined
    ? []
    : Array.isArray(rabbit)
    ? rabbit as readonly RabbitSource[]
    : [rabbit as RabbitSource];
  if (sources.length === 0) {
    throw new UserError("Cannot start the service: config.ts has no `rabbit` section. Add one, or use --dry-run FILE");
  }
  return sources;
}

/** Says what is listened on, as the first generation did. */
function announce({ config, plugins, log }: ServiceOptions, brokers: readonly Broker[]): void {
  const service = log("service");
  for (const { queue } of brokers) service.info(`Listen queue ${queue}`);
  service.info(`Handled events of creation: ${config.events.creation.join(", ")}`);
  service.info(`Handled events of deletion: ${config.events.deletion.join(", ")}`);
  for (const name of plugins.keys()) service.info(`Plugin \`${name}\` is loaded.`);
  if (config.openstack !== undefined) {
    service.warn("The section `openstack` is not used by this version: details come from notifications alone");
  }
  for (const { addresses } of brokers) log("base_connection").info(`Connecting to ${addresses.join(", ")}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
