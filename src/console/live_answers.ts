import type { LoadedConfig } from "../config/load_config.ts";
import { placeOf } from "../ledger/place.ts";
import type { LiveService } from "../model/live_service.ts";
import { type Backlog, unfinishedOf } from "../model/readings.ts";
import type { HistoryAnswer, OverviewAnswer, PluginOverview, PluginsAnswer, SessionAnswer } from "./api.ts";
import type { ServiceRouteId } from "./api/routes.ts";
import { paddedHistory } from "./history.ts";
import { problemsOf } from "./problems.ts";
import type { Identity } from "./sign_in/identity.ts";
import type { TargetFacts } from "./target_facts.ts";
import { TargetFactsCache } from "./target_facts_cache.ts";
import type { WorkerClient } from "./worker_client.ts";

export interface LiveAnswersOptions {
  readonly live: LiveService;
  readonly loaded: LoadedConfig;
  readonly worker: WorkerClient;
}

interface LiveRequest {
  readonly identity: Identity;
  readonly query: Readonly<Record<string, string | number>>;
}

type Handlers = { readonly [Id in Exclude<ServiceRouteId, "endSession">]: (request: LiveRequest) => Promise<unknown> };

/** The answers of the service's thread: of what it has in memory, with what the worker told last. */
export class LiveAnswers {
  readonly #options: LiveAnswersOptions;
  readonly #facts: TargetFactsCache;
  readonly #handlers: Handlers = {
    getSession: ({ identity }) => Promise.resolve(this.#session(identity)),
    getOverview: () => this.overview(),
    getHistory: ({ query }) => Promise.resolve(this.#history(query["range"] as "hour" | "day")),
    listPlugins: () => this.#plugins(),
  };

  constructor(options: LiveAnswersOptions) {
    this.#options = options;
    this.#facts = new TargetFactsCache(options.worker, options.live.readings.now);
  }

  get version(): string {
    return this.#options.live.readings.version;
  }

  of(id: ServiceRouteId, request: LiveRequest): Promise<unknown> {
    return this.#handlers[id as keyof Handlers](request);
  }

  async overview(): Promise<OverviewAnswer> {
    const { live, loaded } = this.#options;
    const { readings } = live;
    const [plugins] = await this.#pluginOverviews();
    const comparisons = readings.comparisons();
    const messages = readings.intake();
    const place = placeOf(loaded.config.ledger);
    const overview: Omit<OverviewAnswer, "problems"> = {
      now: readings.now(),
      version: readings.version,
      startedAt: readings.startedAt,
      sources: live.sources(),
      lastMessageAt: messages.received === 0 ? null : readings.lastMessageAt(),
      messages,
      ledger: { kind: "file" in place ? "sqlite" : "postgres", writable: readings.ledgerWritable() },
      openstack: comparisons === null ? null : {
        lastComparison: comparisons.last === null ? null : {
          endedAt: comparisons.last.endedAt,
          outcome: comparisons.last.outcome,
          problem: comparisons.last.problem,
          drift: comparisons.last.drift,
          undecided: comparisons.last.undecided,
        },
        agreedAt: comparisons.agreedAt,
        deciding: readings.deciding(),
      },
      plugins,
      process: { residentBytes: readings.residentBytes(), cpuSeconds: readings.cpuSeconds() },
    };
    return { ...overview, problems: problemsOf(overview, { liveness: live.livenessProblems() }) };
  }

  #session({ user, role, csrf, expiresAt }: Identity): SessionAnswer {
    const { live: { readings }, loaded: { config } } = this.#options;
    const has = { openstack: config.openstack !== undefined, cluster: config.ledger?.postgres !== undefined };
    return { user, role, csrf, expiresAt, version: readings.version, startedAt: readings.startedAt, has };
  }

  #history(range: "hour" | "day"): HistoryAnswer {
    const { live: { history, readings } } = this.#options;
    return { range, ...paddedHistory(history.columns(range), { range, now: readings.now() }) };
  }

  async #plugins(): Promise<PluginsAnswer> {
    const [overviews, facts] = await this.#pluginOverviews();
    const byName = new Map(facts.map((one) => [one.plugin, one]));
    return {
      plugins: overviews.map((overview) => {
        const { deliveries = NO_DELIVERIES, settings = null, can = CAN_NOTHING, retry = null } =
          byName.get(overview.name) ?? {};
        return { ...overview, deliveries, settings, can, retry };
      }),
    };
  }

  async #pluginOverviews(): Promise<readonly [readonly PluginOverview[], readonly TargetFacts[]]> {
    const { live, loaded } = this.#options;
    const [backlogs, facts] = await Promise.all([
      live.readings.backlog().catch((): ReadonlyMap<string, Backlog> => new Map()),
      this.#facts.read(),
    ]);
    const byName = new Map(facts.map((one) => [one.plugin, one]));
    const breakers = live.readings.breakers();
    const names = [...new Set([...loaded.pluginNames, ...byName.keys()])];
    const overviews = names.map((name) => {
      const isConfigured = loaded.pluginNames.includes(name);
      return {
        name,
        isConfigured,
        ...countsOf(backlogs.get(name), byName.get(name)),
        breaker: breakers.get(name) ?? null,
        paused: byName.get(name)?.paused ?? null,
        outage: byName.get(name)?.outage ?? null,
        ...live.history.recent(name),
      };
    });
    return [overviews, facts];
  }
}

function countsOf(
  backlog: Backlog | undefined,
  facts: TargetFacts | undefined,
): Pick<PluginOverview, "waiting" | "retrying" | "dead" | "oldestAt"> {
  const { waiting = 0, retrying = 0, dead = 0 } = facts?.deliveries ?? {};
  if (backlog === undefined) return { waiting: waiting + retrying, retrying, dead, oldestAt: null };
  const all = unfinishedOf(backlog);
  return { waiting: all, retrying: Math.min(retrying, all), dead: backlog.dead, oldestAt: backlog.oldestAt };
}

const NO_DELIVERIES = { waiting: 0, retrying: 0, done: 0, skipped: 0, dead: 0, dropped: 0 };
const CAN_NOTHING = { preview: false, check: false, update: false, list: false };
