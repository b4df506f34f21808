import process from "node:process";
import type { Lane } from "../dispatch/lane.ts";
import type { Broker } from "../rabbitmq/consumer.ts";
import type { Intake } from "../intake/intake.ts";
import type { Clock } from "../model/clock.ts";
import { DEFAULT_METRICS, type MetricsOptions } from "../model/config.ts";
import type { Outcome } from "../model/decision.ts";
import type { Logger } from "../model/plugin.ts";
import { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { LiveService, LiveSource, ShowLive } from "../model/live_service.ts";
import { type AttemptEnd, type Readings, unfinishedOf } from "../model/readings.ts";
import type { StoredLedger } from "../model/stored_ledger.ts";
import { AttemptCounts } from "../observe/attempts.ts";
import { Health } from "../observe/health.ts";
import { History } from "../observe/history.ts";
import { OutageLog } from "../observe/outage_log.ts";
import { metricFamilies, metricsText } from "../observe/metrics.ts";
import { serveStatus } from "../observe/status_server.ts";
import type { Telemetry } from "../observe/telemetry/telemetry.ts";
import { reportToSystemd, Systemd, systemdEnvironment } from "../observe/systemd.ts";

export interface StatusOptions {
  readonly version: string;
  readonly plugins: readonly string[];
  readonly clock: Clock;
  /** A logger per part of the program. */
  readonly log: (part: string) => Logger;
  readonly show?: ShowLive | undefined;
  readonly telemetry?: Telemetry | undefined;
}

/** The stages that status is read from. */
export interface Watched {
  readonly metrics: MetricsOptions | false | undefined;
  readonly ledger: Pick<StoredLedger, "count" | "pauses" | "tenancy">;
  readonly intake: Intake;
  readonly brokers: readonly Broker[];
  /** Of the plugins whose deliveries are ours now. */
  readonly lanes: ReadonlyMap<string, Lane>;
  /** Of all loops, by the names of what they work on. */
  readonly heartbeats: ReadonlyMap<string, LoopHeartbeat>;
  readonly ledgerWritable: () => boolean;
  readonly deciding: () => boolean;
  readonly comparisons: Readings["comparisons"];
}

/**
 * Observes the stages: counts what they report, and publishes it for Prometheus, load balancers and
 * systemd. Decides nothing.
 */
export class Status {
  /** Liveness of the loop that drives stages 2 and 3. */
  readonly pipeline = new LoopHeartbeat();
  readonly #options: StatusOptions;
  readonly #attempts: AttemptCounts;
  readonly #decided: Record<Outcome, number> = { event: 0, remembered: 0, repeated: 0, superseded: 0 };
  readonly #startedAt: number;
  readonly #log: Logger;
  readonly #outages: OutageLog;
  /** Counts the backlog, once the stages run. */
  #backlog: Readings["backlog"] = () => Promise.resolve(new Map());

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#log = options.log("status");
    const { clock, log } = options;
    this.#outages = new OutageLog({ clock, log, waiting: (plugin) => this.#waitingFor(plugin) });
    this.#attempts = new AttemptCounts(options.plugins);
    this.#startedAt = options.clock.now();
  }

  readonly onDecided = (outcomes: readonly Outcome[]): void => {
    for (const outcome of outcomes) this.#decided[outcome]++;
  };

  readonly onAttempt = (end: AttemptEnd): void => this.#attempts.count(end);

  /** Takes the outages that lanes report. */
  get onOutage(): OutageLog["onOutage"] {
    return this.#outages.onOutage;
  }

  /** Publishes status until the signal aborts. Errors are logged, and never stop the service. */
  async run(watched: Watched, signal: AbortSignal): Promise<void> {
    const [{ clock, show, telemetry }, log] = [this.#options, this.#log];
    const { heartbeats, metrics = {} } = watched;
    const readings = this.#readings(watched);
    this.#backlog = readings.backlog;
    signal.addEventListener("abort", () => this.#outages.close(), { once: true });
    const health = new Health({ readings, heartbeats, clock });
    using systemd = new Systemd(systemdEnvironment(), { pid: Deno.pid, log });
    const publishers = [health.run(signal), reportToSystemd({ systemd, health, clock }, signal)];
    if (metrics !== false) {
      const text = () => metricsText(readings, this.#attempts);
      publishers.push(serveStatus({ ...DEFAULT_METRICS, ...metrics, health, metrics: text, clock, log }, signal));
    }
    if (telemetry !== undefined) {
      const families = () => metricFamilies(readings, this.#attempts);
      publishers.push(telemetry.exportMetrics(families, { startedAt: this.#startedAt, signal }));
    }
    if (show !== undefined) publishers.push(this.#show(show, { readings, health, watched }, signal));
    const logged = (error: unknown) => log.error(`Cannot tell the status: ${error}`);
    await Promise.all(publishers.map((publisher) => publisher.catch(logged)));
  }

  async #show(
    show: ShowLive,
    { readings, health, watched }: {
      readonly readings: Readings;
      readonly health: Health;
      readonly watched: Pick<Watched, "brokers">;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const history = new History({ attempts: this.#attempts, readings, clock: this.#options.clock });
    const live: LiveService = {
      readings,
      sources: () => watched.brokers.map(liveSource),
      history,
      livenessProblems: () => health.livenessProblems(),
      readinessProblems: () => health.readinessProblems(),
    };
    await Promise.all([history.run(signal), show(live, signal)]);
  }

  async #waitingFor(plugin: string): Promise<number> {
    const backlog = (await this.#backlog()).get(plugin);
    return backlog === undefined ? 0 : unfinishedOf(backlog);
  }

  #readings(watched: Watched): Readings {
    const { ledger, intake, brokers, lanes, ledgerWritable, deciding, comparisons } = watched;
    const { clock: { now }, version } = this.#options;
    return {
      startedAt: this.#startedAt,
      version,
      now,
      intake: () => intake.counts,
      lastMessageAt: () => intake.lastMessageAt ?? this.#startedAt,
      decided: () => this.#decided,
      sources: () => brokers.map(({ connected, consuming }) => ({ connected, consuming })),
      ledgerWritable,
      deciding,
      comparisons,
      backlog: () => ledger.count(),
      pauses: () => ledger.pauses(),
      breakers: () => new Map([...lanes.values()].map(({ name, breakerState }) => [name, breakerState])),
      leases: () => ledger.tenancy.held(),
      cpuSeconds,
      residentBytes: () => Deno.memoryUsage().rss,
    };
  }
}

function liveSource({ addresses, vhost, queue, connected, consuming }: Broker): LiveSource {
  return { broker: `${addresses.join(",")}/${vhost === "/" ? "" : vhost}`, queue, connected, consuming };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
