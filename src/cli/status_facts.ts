import type { OverviewAnswer, PluginOverview, Problem } from "../console/api.ts";
import { problemsOf } from "../console/problems.ts";
import type { ServiceFigures } from "../inspect/status/service_figures.ts";
import type { LedgerPlace } from "../ledger/place.ts";
import type { Config } from "../model/config.ts";
import type { LiveSource, RecentAttempts } from "../model/live_service.ts";
import type { LedgerOperations } from "../model/operations.ts";

/** What `status` shows; also its JSON. Times: milliseconds since the epoch. */
export interface Status extends Pick<OverviewAnswer, "now" | "openstack"> {
  /** The most serious first; empty: all is well. */
  readonly problems: readonly Omit<Problem, "link">[];
  readonly service: {
    /** `seen`: it wrote to the ledger lately, and was not asked, or does not answer. */
    readonly state: "running" | "seen" | "stopped";
    readonly version: string | null;
    readonly startedAt: number | null;
    /** When it last wrote to the ledger, to the minute; `null`: never. */
    readonly seenAt: number | null;
    readonly residentBytes: number | null;
  };
  /** `null`: only the running service knows. */
  readonly sources: readonly LiveSource[] | null;
  readonly lastMessageAt: number | null;
  readonly messages: OverviewAnswer["messages"] | null;
  readonly ledger: { readonly kind: "sqlite" | "postgres"; readonly writable: boolean | null };
  readonly plugins: readonly Omit<PluginOverview, keyof RecentAttempts>[];
}

/** The service writes each minute that it runs. */
const SEEN_MS = 150_000;

/** @param given `config`: `null` where the ledger alone is known. */
export async function statusOf(
  opened: LedgerOperations,
  { config, place }: { readonly config: Config | null; readonly place: LedgerPlace },
): Promise<Status> {
  const now = Date.now();
  const isShared = "postgres" in place;
  const [answer, states, seenAt, past] = await Promise.all([
    config === null ? "unknown" : answerOf(config, now),
    opened.pluginStates(),
    opened.serviceSeenAt(),
    opened.comparisons.past(),
  ]);
  const figures = typeof answer === "string" ? null : answer;
  const isSeen = seenAt !== null && now - seenAt < SEEN_MS;
  // A ledger in a file has one service, on this machine.
  const isGone = answer === "refused" && !isShared;
  const state = figures !== null ? "running" : isSeen && !isGone ? "seen" : "stopped";
  const plugins = states.map(({ plugin: name, deliveries, isConfigured, outage, paused }) => ({
    name,
    isConfigured,
    waiting: deliveries.waiting + deliveries.retrying,
    retrying: deliveries.retrying,
    dead: deliveries.dead,
    oldestAt: figures?.oldestAt.get(name) ?? null,
    breaker: figures === null ? null : figures.openBreakers.has(name) ? "open" as const : "closed" as const,
    paused,
    // Without the service, nobody has tried to reach the target since.
    outage: state === "stopped" ? null : outage,
  }));
  const { last, agreedAt, beganAt } = past;
  const facts = {
    now,
    startedAt: figures?.startedAt ?? now,
    sources: figures === null || config === null ? [] : await sourcesWith(figures, config),
    lastMessageAt: figures === null || figures.messages.received === 0 ? null : figures.lastMessageAt,
    ledger: { kind: isShared ? "postgres" as const : "sqlite" as const, writable: figures?.ledgerWritable ?? true },
    openstack: (config?.openstack === undefined && beganAt === null) ? null : {
      lastComparison: last === null ? null : {
        endedAt: last.endedAt,
        outcome: last.outcome,
        problem: last.problem,
        drift: last.drift,
        undecided: last.undecided,
      },
      agreedAt,
      deciding: figures?.deciding ?? true,
    },
    plugins,
  };
  const problems = problemsOf(facts, { liveness: figures?.livenessProblems ?? [] });
  return {
    now,
    service: {
      state,
      version: figures?.version ?? null,
      startedAt: figures?.startedAt ?? null,
      seenAt,
      residentBytes: figures?.residentBytes ?? null,
    },
    problems: [...absenceOf(state, { seenAt, asked: answer !== "unknown" }), ...problems].map(
      ({ level, text, remedy }) => {
        return { level, text, remedy };
      },
    ),
    sources: figures === null ? null : facts.sources,
    lastMessageAt: facts.lastMessageAt,
    messages: figures?.messages ?? null,
    ledger: { kind: facts.ledger.kind, writable: figures?.ledgerWritable ?? null },
    openstack: facts.openstack,
    plugins,
  };
}

/** What the service answers; `unknown`: nobody can ask it. */
async function answerOf(
  { metrics = {} }: Config,
  now: number,
): Promise<ServiceFigures | "refused" | "nothing" | "unknown"> {
  if (metrics === false) return "unknown";
  const { serviceFigures } = await import("../inspect/status/service_figures.ts");
  try {
    return await serviceFigures(metrics, now) ?? "nothing";
  } catch (error) {
    return error instanceof Error && /refused/.test(error.message) ? "refused" : "nothing";
  }
}

/** The sources that config.ts has now; the service may have others, until it is reloaded. */
async function sourcesWith(figures: ServiceFigures, config: Config): Promise<readonly LiveSource[]> {
  const { liveSources } = await import("../inspect/status/live_sources.ts");
  return liveSources(config, figures.sources);
}

/** The problem that nobody else can tell: the service is not there. */
function absenceOf(
  state: Status["service"]["state"],
  { seenAt, asked }: { readonly seenAt: number | null; readonly asked: boolean },
): readonly Problem[] {
  if (state === "stopped") {
    const since = seenAt === null ? "has never run with this ledger" : "does not run";
    const remedy = "Start it: `systemctl start oss-watcher`. If it ends again, its log says why";
    return [{ level: "error", text: `The service ${since}: nothing is recorded or sent`, remedy, link: null }];
  }
  if (state === "running" || !asked) return [];
  const text = "The service writes to the ledger, but does not answer where config.ts says (metrics)";
  const remedy = "Look at its log: the port may be taken, or it runs on another machine";
  return [{ level: "warning", text, remedy, link: null }];
}
