// The JSON of the console's API, /api/v1/. Times: milliseconds since the epoch. Texts may be hostile: tenants chose them.
import type { Action, AuditRecord } from "../model/audit_trail.ts";
import type { ComparisonReport, Undecided } from "../model/comparison.ts";
import type { Detail } from "../model/detail.ts";
import type { FailureReason } from "../model/errors.ts";
import type { EventKind } from "../model/event.ts";
import type { DeadGroup, FoundDelivery, ServerLife } from "../model/event_search.ts";
import type { HistoryColumns, LiveSource, RecentAttempts } from "../model/live_service.ts";
import type { Json } from "../model/notification.ts";
import type { Listed, PluginState, ShownDelivery, ShownEvent } from "../model/operations.ts";
import type { TargetOutage } from "../model/outage.ts";
import type { PluginPause } from "../model/pause.ts";
import type { ProcessList } from "../model/processes.ts";
import type { IntakeCounts } from "../model/readings.ts";

/** `viewer` reads. `operator` replays, drops, pauses, and applies plans. */
export type Role = "viewer" | "operator";

/** GET /api/v1/session */
export interface SessionAnswer {
  readonly user: string;
  readonly role: Role;
  /** To be sent with each POST and DELETE, in the header `X-CSRF-Token`. */
  readonly csrf: string;
  /** `null`: a proxy signs in. */
  readonly expiresAt: number | null;
  readonly version: string;
  /** Of the process that answers. */
  readonly startedAt: number;
  /** Which screens have something to show. */
  readonly has: { readonly openstack: boolean; readonly cluster: boolean };
}

/** Any answer with a status of 400 or more. */
export interface ErrorAnswer {
  /** What cannot be done, why, and what to do next. */
  readonly error: string;
}

/** What is wrong, and what mends it. */
export interface Problem {
  readonly level: "error" | "warning";
  readonly text: string;
  /** The next step: a sentence, with commands between backticks. */
  readonly remedy: string;
  /** The page that shows more, as `#/plugins/RestNotify`; `null`: none. */
  readonly link: string | null;
}

/** One plugin, in figures; its attempts are those of this process. */
export interface PluginOverview extends RecentAttempts {
  readonly name: string;
  readonly isConfigured: boolean;
  readonly waiting: number;
  /** Of `waiting`: attempted at least once. */
  readonly retrying: number;
  readonly dead: number;
  /** When the oldest delivery that waits was decided; `null`: none waits. */
  readonly oldestAt: number | null;
  /** `null`: another process has its deliveries, or it is not configured. */
  readonly breaker: "open" | "closed" | null;
  /** When and by whom it was paused; `null`: it is not. */
  readonly paused: PluginPause | null;
  readonly outage: TargetOutage | null;
}

/** GET /api/v1/overview; also the data of the event `overview` of the stream. */
export interface OverviewAnswer {
  readonly now: number;
  readonly version: string;
  readonly startedAt: number;
  /** The most serious first; empty: all is well. */
  readonly problems: readonly Problem[];
  /** `consuming` is `false` also while another process of the cluster consumes. */
  readonly sources: readonly LiveSource[];
  readonly lastMessageAt: number | null;
  readonly messages: IntakeCounts;
  readonly ledger: { readonly kind: "sqlite" | "postgres"; readonly writable: boolean };
  /** `null`: config.ts has no section `openstack`. */
  readonly openstack: {
    readonly lastComparison: Pick<ComparisonReport, "endedAt" | "outcome" | "problem" | "drift" | "undecided"> | null;
    readonly agreedAt: number | null;
    /** `false` during priming: messages are recorded and not decided. */
    readonly deciding: boolean;
  } | null;
  readonly plugins: readonly PluginOverview[];
  readonly process: { readonly residentBytes: number; readonly cpuSeconds: number };
}

/** GET /api/v1/history?range=hour|day: columns of equal length; `null` where the process did not run or nothing was measured. */
export interface HistoryAnswer extends HistoryColumns {
  readonly range: "hour" | "day";
}

/**
 * GET /api/v1/events?text=&plugin=&state=&kind=&subject=&since=&until=&before=CURSOR&after=SEQ&limit=
 * Times are milliseconds since the epoch.
 */
export interface EventsAnswer {
  readonly rows: readonly FoundDelivery[];
  /** For `before` of the next page; `null`: the end. */
  readonly next: string | null;
  readonly searchedTo: number | null;
  /** The number of the newest event, for `after` and the stream. */
  readonly newest: number;
}

/** GET /api/v1/events/states?seqs=1,2,3 (at most 500): the deliveries of these events as they are. */
export interface StatesAnswer {
  readonly rows: readonly FoundDelivery[];
}

/** GET /api/v1/event?key=KEY */
export interface EventAnswer
  extends
    Pick<ShownEvent["event"], "key" | "subject" | "time" | "eventType" | "creationSeen" | "serverId">,
    // The notification is without secrets; `null`: it is not kept.
    Pick<ShownEvent, "decidedAt" | "notification" | "detail"> {
  readonly kind: EventKind;
  readonly origin: Listed["origin"];
  readonly deliveries: readonly (ShownDelivery & {
    /** Keys of the detail that differ from what the plugin was told before; `null`: nothing was told before. */
    readonly changed: readonly { readonly key: string; readonly before: Json; readonly after: Json }[] | null;
  })[];
}

/** GET /api/v1/preview?key=KEY: what would be sent now. */
export interface PreviewAnswer {
  readonly plugins: readonly {
    readonly name: string;
    readonly method: "notify" | "update" | "none";
    /** `null`: it has no preview. */
    readonly preview: Json;
    readonly error: string | null;
  }[];
}

/** GET /api/v1/server?id=ID */
export interface ServerAnswer extends ServerLife {
  /** What each plugin was last told of it. */
  readonly told: readonly {
    readonly plugin: string;
    /** The key of the last event that was delivered; `null`: none was. */
    readonly key: string | null;
    readonly at: number | null;
    readonly detail: Detail | null;
  }[];
}

/** GET /api/v1/dead-letters */
export interface DeadLettersAnswer {
  readonly groups: readonly DeadGroup[];
}

/** The deliveries of an action: keys of a plugin or of all; or all dead letters of a plugin, perhaps of one reason. */
export type ActionTarget =
  | { readonly keys: readonly string[]; readonly plugin?: string }
  | { readonly plugin: string; readonly reason?: FailureReason };

/** What operators do to deliveries. */
export type DeliveryAction = Extract<Action, "replay" | "drop">;

/** POST /api/v1/actions/plan: what an action would do, without doing it. */
export interface ActionRequest {
  readonly action: DeliveryAction;
  readonly target: ActionTarget;
  /** Of a replay: also where a later event that shares an order key was delivered. */
  readonly force?: boolean;
}

/** The answer: how many, and what may overtake. */
export interface ActionPlan {
  readonly count: number;
  /** Those that would be refused, counted by reason; of the first 1,000 deliveries. */
  readonly refused: readonly { readonly reason: string; readonly count: number; readonly sampleKey: string }[];
  /** Whether `refused` was counted for all. */
  readonly isComplete: boolean;
}

/** POST /api/v1/actions (operator), and GET /api/v1/actions/ID; DELETE stops it (operator). */
export interface ActionAnswer {
  readonly id: string;
  readonly action: DeliveryAction;
  readonly state: "running" | "done" | "stopped" | "failed";
  readonly total: number;
  /** Deliveries that were looked at so far, with those refused. */
  readonly done: number;
  readonly refused: readonly { readonly key: string; readonly plugin: string; readonly reason: string }[];
  /** Those refused, also beyond the first 100 that `refused` has. */
  readonly refusedCount: number;
  readonly error: string | null;
}

/** GET /api/v1/plugins */
export interface PluginsAnswer {
  readonly plugins: readonly (PluginOverview & {
    readonly deliveries: PluginState["deliveries"];
    /** The class, and its options without secrets; `null`: it is not configured here. */
    readonly settings: { readonly kind: string; readonly options: Json } | null;
    readonly can: {
      readonly preview: boolean;
      readonly check: boolean;
      readonly update: boolean;
      readonly list: boolean;
    };
    readonly retry: Json;
  })[];
}

/** POST /api/v1/plugins/check {name} (operator): calls the plugin's `check`. */
export interface CheckAnswer {
  readonly ok: boolean;
  /** What went wrong; `null`: nothing. */
  readonly error: string | null;
  readonly tookMs: number;
}

/** POST /api/v1/plugins/pause|resume|try {name} (operator) */
export interface PluginActionAnswer {
  readonly name: string;
  /** Of `try`: the deliveries that waited for their next attempt. */
  readonly count: number;
}

/** GET /api/v1/drift */
export interface DriftAnswer {
  /** `null`: there was none. */
  readonly last: ComparisonReport | null;
  readonly agreedAt: number | null;
  /** A comparison that this page has begun; `null`: none. */
  readonly running: DriftRun | null;
}

/** POST /api/v1/drift/compare {apply, force} (operator) begins one; DELETE /api/v1/drift/compare stops it. */
export interface DriftRun {
  readonly state: "running" | "done" | "failed" | "stopped";
  readonly apply: boolean;
  readonly by: string;
  readonly startedAt: number;
  /** What it does, in words. */
  readonly progress: string;
  readonly report: ComparisonReport | null;
  readonly undecided: readonly Undecided[];
  readonly error: string | null;
}

/** GET /api/v1/cluster; `null`: the ledger is a file, and this process does all the work. */
export interface ClusterAnswer {
  readonly processes: ProcessList | null;
}

/** POST /api/v1/try {text}: one notification or a recording, as `--dry-run` reads it; at most 4 MiB. */
export interface TryAnswer {
  readonly results: readonly {
    readonly messageId: string;
    readonly event: string;
    readonly time: string | null;
    readonly outcome: string;
    readonly reason: string | null;
    readonly events: readonly {
      readonly key: string;
      readonly created: boolean;
      readonly detail: Detail;
      readonly before: Detail | null;
      readonly changed: readonly string[] | null;
      readonly keysToAsk: readonly string[];
    }[];
    readonly plugins: readonly {
      readonly name: string;
      readonly key: string;
      readonly created: boolean;
      /** `none`: its filter skips the event. */
      readonly method: "notify" | "update" | "none";
      readonly preview: Json;
      readonly error: string | null;
    }[];
  }[];
  /** What could not be read. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

/** GET /api/v1/audit-log?before=SEQ&limit= */
export interface AuditLogAnswer {
  readonly records: readonly AuditRecord[];
  /** For `before` of the next page; `null`: the end. */
  readonly next: number | null;
}

/**
 * GET /api/v1/stream: server-sent events. `overview`, every two seconds, is an {@linkcode OverviewAnswer}. `events` are new
 * deliveries ({@linkcode StreamedEvents}), its id the number of their newest event: with `Last-Event-ID` nothing is left out,
 * unless more than 500 came meanwhile.
 */
export interface StreamedEvents {
  readonly rows: readonly FoundDelivery[];
  /** Whether some are left out: the page reads the list again. */
  readonly isCut: boolean;
}
