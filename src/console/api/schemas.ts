import type * as api from "../api.ts";
import { ACTIONS, type AuditRecord } from "../../model/audit_trail.ts";
import { CHANGES, type ComparisonReport, type Difference, type Undecided } from "../../model/comparison.ts";
import { FAILURE_REASONS } from "../../model/errors.ts";
import type { DeadGroup, FoundDelivery, LifeEvent } from "../../model/event_search.ts";
import type { ShownAttempt, ShownDelivery } from "../../model/operations.ts";
import type { TargetOutage } from "../../model/outage.ts";
import type { PluginPause } from "../../model/pause.ts";
import type { ProcessList, ProcessState } from "../../model/processes.ts";
import {
  ANY,
  BOOL,
  listOf,
  mapOf,
  NUMBER,
  objectOf,
  oneOf,
  orNull,
  type Schema,
  TEXT,
  TIME,
  WHOLE,
} from "./api_schema.ts";

export const ROLE = oneOf(["viewer", "operator"]);
export const STATES = ["waiting", "retrying", "done", "dead", "dropped"] as const;
export const KINDS = ["creation", "update", "deletion"] as const;
export const SUBJECTS = ["server", "floatingip"] as const;
const ORIGIN = oneOf(["bus", "reconcile"]);
const METHOD = ["notify", "update"] as const;
/** Keys of the detail: those of docs/CONFIGURATION.md, and config.ts's own. */
const DETAIL: Schema = { type: "object", description: "the JSON that plugins get" };
const REASON = oneOf(FAILURE_REASONS);
const PAUSE = objectOf<PluginPause>({ at: TIME, by: TEXT });

/** The schemas of the document, by their names in it. */
export const SCHEMAS = {
  ErrorAnswer: objectOf<api.ErrorAnswer>({ error: TEXT }),
  SessionAnswer: objectOf<api.SessionAnswer>({
    user: TEXT,
    role: ROLE,
    csrf: TEXT,
    expiresAt: orNull(TIME),
    version: TEXT,
    startedAt: TIME,
    has: objectOf<api.SessionAnswer["has"]>({ openstack: BOOL, cluster: BOOL }),
  }),
  SignedOutAnswer: objectOf<{ signedOut: boolean }>({ signedOut: BOOL }),
  Problem: objectOf<api.Problem>({
    level: oneOf(["error", "warning"]),
    text: TEXT,
    remedy: TEXT,
    link: orNull(TEXT),
  }),
  TargetOutage: objectOf<TargetOutage>({ since: TIME, nextProbeAt: TIME, reason: REASON, error: TEXT }),
  PluginOverview: objectOf<api.PluginOverview>(pluginOverview()),
  OverviewAnswer: objectOf<api.OverviewAnswer>({
    now: TIME,
    version: TEXT,
    startedAt: TIME,
    problems: listOf(ref("Problem")),
    sources: listOf(objectOf<api.OverviewAnswer["sources"][number]>({
      broker: TEXT,
      queue: TEXT,
      connected: BOOL,
      consuming: BOOL,
    })),
    lastMessageAt: orNull(TIME),
    messages: objectOf<api.OverviewAnswer["messages"]>({
      received: WHOLE,
      ignored: WHOLE,
      rejected: WHOLE,
      recorded: WHOLE,
    }),
    ledger: objectOf<api.OverviewAnswer["ledger"]>({ kind: oneOf(["sqlite", "postgres"]), writable: BOOL }),
    openstack: orNull(objectOf<NonNullable<api.OverviewAnswer["openstack"]>>({
      lastComparison: orNull(
        objectOf<NonNullable<NonNullable<api.OverviewAnswer["openstack"]>["lastComparison"]>>({
          endedAt: TIME,
          outcome: TEXT,
          problem: orNull(TEXT),
          drift: mapOf(WHOLE),
          undecided: WHOLE,
        }),
      ),
      agreedAt: orNull(TIME),
      deciding: BOOL,
    })),
    plugins: listOf(ref("PluginOverview")),
    process: objectOf<api.OverviewAnswer["process"]>({ residentBytes: NUMBER, cpuSeconds: NUMBER }),
  }),
  HistoryAnswer: objectOf<api.HistoryAnswer>({
    range: oneOf(["hour", "day"]),
    stepSeconds: WHOLE,
    times: listOf(TIME),
    events: listOf(orNull(NUMBER)),
    deliveries: listOf(orNull(NUMBER)),
    failures: listOf(orNull(NUMBER)),
    p50Seconds: listOf(orNull(NUMBER)),
    p99Seconds: listOf(orNull(NUMBER)),
    waiting: listOf(orNull(NUMBER)),
  }),
  FoundDelivery: objectOf<FoundDelivery>({
    key: TEXT,
    state: oneOf(STATES),
    name: orNull(TEXT),
    address: orNull(TEXT),
    origin: ORIGIN,
    plugin: TEXT,
    at: TIME,
    attempts: WHOLE,
    dueAt: orNull(TIME),
    reason: orNull(TEXT),
    seq: WHOLE,
    kind: oneOf(KINDS),
    subject: oneOf(SUBJECTS),
    serverId: orNull(TEXT),
    projectId: orNull(TEXT),
    projectName: orNull(TEXT),
    finishedAt: orNull(TIME),
    isPaused: { const: true },
  }, ["isPaused"]),
  EventsAnswer: objectOf<api.EventsAnswer>({
    rows: listOf(ref("FoundDelivery")),
    next: orNull(TEXT),
    searchedTo: orNull(TIME),
    newest: WHOLE,
  }),
  StatesAnswer: objectOf<api.StatesAnswer>({ rows: listOf(ref("FoundDelivery")) }),
  StreamedEvents: objectOf<api.StreamedEvents>({ rows: listOf(ref("FoundDelivery")), isCut: BOOL }),
  EventAnswer: objectOf<api.EventAnswer>({
    key: TEXT,
    subject: oneOf(SUBJECTS),
    kind: oneOf(KINDS),
    time: TEXT,
    decidedAt: TIME,
    origin: ORIGIN,
    eventType: TEXT,
    creationSeen: BOOL,
    serverId: orNull(TEXT),
    notification: orNull({ type: "object" }),
    detail: orNull(DETAIL),
    deliveries: listOf(objectOf<ShownDelivery & { readonly changed: unknown }>({
      plugin: TEXT,
      state: oneOf(STATES),
      attempts: WHOLE,
      dueAt: orNull(TIME),
      finishedAt: orNull(TIME),
      failures: listOf(objectOf<ShownAttempt>({
        attempt: WHOLE,
        startedAt: TIME,
        endedAt: TIME,
        reason: oneOf([...FAILURE_REASONS, "partial"]),
        error: TEXT,
      })),
      before: orNull(DETAIL),
      waitsFor: listOf(TEXT),
      paused: PAUSE,
      changed: orNull(listOf(objectOf<{ key: string; before: unknown; after: unknown }>({
        key: TEXT,
        before: ANY,
        after: ANY,
      }))),
    }, ["before", "paused"])),
  }),
  PreviewAnswer: objectOf<api.PreviewAnswer>({
    plugins: listOf(objectOf<api.PreviewAnswer["plugins"][number]>({
      name: TEXT,
      method: oneOf([...METHOD, "none"]),
      preview: ANY,
      error: orNull(TEXT),
    })),
  }),
  ServerAnswer: objectOf<api.ServerAnswer>({
    id: TEXT,
    name: orNull(TEXT),
    projectId: orNull(TEXT),
    projectName: orNull(TEXT),
    exists: orNull(BOOL),
    events: listOf(objectOf<LifeEvent>({
      seq: WHOLE,
      key: TEXT,
      subject: oneOf(SUBJECTS),
      kind: oneOf(KINDS),
      at: TIME,
      time: TEXT,
      address: orNull(TEXT),
      origin: ORIGIN,
      deliveries: listOf(objectOf<LifeEvent["deliveries"][number]>({
        plugin: TEXT,
        state: oneOf(STATES),
        attempts: WHOLE,
        finishedAt: orNull(TIME),
      })),
    })),
    isCut: BOOL,
    told: listOf(objectOf<api.ServerAnswer["told"][number]>({
      plugin: TEXT,
      key: orNull(TEXT),
      at: orNull(TIME),
      detail: orNull(DETAIL),
    })),
  }),
  DeadLettersAnswer: objectOf<api.DeadLettersAnswer>({
    groups: listOf(objectOf<DeadGroup>({
      plugin: TEXT,
      reason: REASON,
      count: WHOLE,
      oldestAt: TIME,
      newestAt: TIME,
      sampleError: TEXT,
      sampleKey: TEXT,
    })),
  }),
  ActionRequest: objectOf<api.ActionRequest>({
    action: oneOf(["replay", "drop"]),
    target: {
      anyOf: [
        objectOf<{ keys: readonly string[]; plugin?: string }>({
          keys: { ...listOf({ ...TEXT, minLength: 1, maxLength: 512 }), minItems: 1, maxItems: 10_000 },
          plugin: { ...TEXT, minLength: 1, maxLength: 512 },
        }, ["plugin"]),
        objectOf<{ plugin: string; reason?: string }>({
          plugin: { ...TEXT, minLength: 1, maxLength: 512 },
          reason: REASON,
        }, ["reason"]),
      ],
    },
    force: BOOL,
  }, ["force"]),
  ActionPlan: objectOf<api.ActionPlan>({
    count: WHOLE,
    refused: listOf(objectOf<api.ActionPlan["refused"][number]>({ reason: TEXT, count: WHOLE, sampleKey: TEXT })),
    isComplete: BOOL,
  }),
  ActionAnswer: objectOf<api.ActionAnswer>({
    id: TEXT,
    action: oneOf(["replay", "drop"]),
    state: oneOf(["running", "done", "stopped", "failed"]),
    total: WHOLE,
    done: WHOLE,
    refused: listOf(objectOf<api.ActionAnswer["refused"][number]>({ key: TEXT, plugin: TEXT, reason: TEXT })),
    refusedCount: WHOLE,
    error: orNull(TEXT),
  }),
  PluginsAnswer: objectOf<api.PluginsAnswer>({
    plugins: listOf(objectOf<api.PluginsAnswer["plugins"][number]>({
      ...pluginOverview(),
      deliveries: objectOf<api.PluginsAnswer["plugins"][number]["deliveries"]>({
        waiting: WHOLE,
        retrying: WHOLE,
        done: WHOLE,
        dead: WHOLE,
        dropped: WHOLE,
      }),
      settings: orNull(objectOf<NonNullable<api.PluginsAnswer["plugins"][number]["settings"]>>({
        kind: TEXT,
        options: ANY,
      })),
      can: objectOf<api.PluginsAnswer["plugins"][number]["can"]>({
        preview: BOOL,
        check: BOOL,
        update: BOOL,
        list: BOOL,
      }),
      retry: ANY,
    })),
  }),
  PluginName: objectOf<{ name: string }>({ name: { ...TEXT, minLength: 1, maxLength: 512 } }),
  CheckAnswer: objectOf<api.CheckAnswer>({ ok: BOOL, error: orNull(TEXT), tookMs: NUMBER }),
  PluginActionAnswer: objectOf<api.PluginActionAnswer>({ name: TEXT, count: WHOLE }),
  ComparisonReport: objectOf<ComparisonReport>({
    startedAt: TIME,
    endedAt: TIME,
    why: TEXT,
    isFull: BOOL,
    isByHand: BOOL,
    isPartial: BOOL,
    outcome: oneOf(["agreed", "applied", "planned", "withheld", "failed"]),
    problem: orNull(TEXT),
    scope: orNull(objectOf<NonNullable<ComparisonReport["scope"]>>({
      projectId: orNull(TEXT),
      isAdmin: BOOL,
      fields: mapOf(TEXT),
    })),
    found: mapOf(WHOLE),
    drift: mapOf(WHOLE),
    corrected: WHOLE,
    undecided: WHOLE,
    differences: listOf(objectOf<Difference>({
      change: oneOf(CHANGES),
      subject: oneOf(SUBJECTS),
      id: TEXT,
      name: orNull(TEXT),
      address: orNull(TEXT),
      keys: listOf(TEXT),
      evidence: listOf(TEXT),
    })),
  }),
  DriftRun: objectOf<api.DriftRun>({
    state: oneOf(["running", "done", "failed", "stopped"]),
    apply: BOOL,
    by: TEXT,
    startedAt: TIME,
    progress: TEXT,
    report: orNull(ref("ComparisonReport")),
    undecided: listOf(objectOf<Undecided>({ subject: oneOf([...SUBJECTS, "port"]), id: TEXT, reason: TEXT })),
    error: orNull(TEXT),
  }),
  DriftAnswer: objectOf<api.DriftAnswer>({
    last: orNull(ref("ComparisonReport")),
    agreedAt: orNull(TIME),
    running: orNull(ref("DriftRun")),
  }),
  CompareRequest: objectOf<{ apply: boolean; force: boolean }>({ apply: BOOL, force: BOOL }, ["force"]),
  ClusterAnswer: objectOf<api.ClusterAnswer>({
    processes: orNull(objectOf<ProcessList>({
      processes: listOf(objectOf<ProcessState>({
        name: TEXT,
        version: TEXT,
        state: oneOf(["running", "stopped", "silent"]),
        startedMsAgo: NUMBER,
        seenMsAgo: NUMBER,
        plugins: listOf(TEXT),
        leases: listOf(objectOf<ProcessState["leases"][number]>({ name: TEXT, heldMs: NUMBER })),
      })),
      free: listOf(TEXT),
      differences: listOf(TEXT),
    })),
  }),
  TryRequest: objectOf<{ text: string }>({ text: { ...TEXT, maxLength: 4_194_304 } }),
  TryAnswer: objectOf<api.TryAnswer>({
    results: listOf(objectOf<api.TryAnswer["results"][number]>({
      messageId: TEXT,
      event: TEXT,
      time: orNull(TEXT),
      outcome: TEXT,
      reason: orNull(TEXT),
      events: listOf(objectOf<api.TryAnswer["results"][number]["events"][number]>({
        key: TEXT,
        created: BOOL,
        detail: DETAIL,
        before: orNull(DETAIL),
        changed: orNull(listOf(TEXT)),
        keysToAsk: listOf(TEXT),
      })),
      plugins: listOf(objectOf<api.TryAnswer["results"][number]["plugins"][number]>({
        name: TEXT,
        key: TEXT,
        created: BOOL,
        method: oneOf(METHOD),
        preview: ANY,
        error: orNull(TEXT),
      })),
    })),
    refused: listOf(objectOf<api.TryAnswer["refused"][number]>({ line: WHOLE, reason: TEXT })),
  }),
  AuditLogAnswer: objectOf<api.AuditLogAnswer>({
    records: listOf(objectOf<AuditRecord>({
      seq: WHOLE,
      at: TIME,
      who: TEXT,
      action: oneOf(ACTIONS),
      what: TEXT,
      details: ANY,
    })),
    next: orNull(WHOLE),
  }),
} as const satisfies Readonly<Record<string, Schema>>;

export type SchemaName = keyof typeof SCHEMAS;

/** A schema of the document by its name. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function pluginOverview(): { readonly [Key in keyof Required<api.PluginOverview>]: Schema } {
  return {
    name: TEXT,
    isConfigured: BOOL,
    waiting: WHOLE,
    retrying: WHOLE,
    dead: WHOLE,
    oldestAt: orNull(TIME),
    breaker: { anyOf: [oneOf(["open", "closed"]), { type: "null" }] },
    paused: orNull(PAUSE),
    outage: orNull(ref("TargetOutage")),
    attemptsPerMinute: NUMBER,
    failuresPerMinute: NUMBER,
    p50Seconds: orNull(NUMBER),
    p99Seconds: orNull(NUMBER),
  };
}
