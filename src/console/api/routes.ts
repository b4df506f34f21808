import type { Role } from "../api.ts";
import { oneOf, type Schema, TEXT, WHOLE } from "./api_schema.ts";
import { KINDS, STATES, SUBJECTS } from "./schema_parts.ts";
import type { SchemaName } from "./schemas.ts";

/** One operation of the API: what the server routes by, and what the OpenAPI document says. */
export interface ApiRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below /api/v1; `{name}` is a part that varies. */
  readonly path: string;
  readonly role: Role;
  readonly summary: string;
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: SchemaName;
  readonly answer: SchemaName;
  /** Where it is answered: at once by the service's thread, or by the worker in this time. */
  readonly by: "service" | { readonly workerSeconds: number };
}

/** A parameter of the URL. */
export interface Parameter {
  readonly in: "query" | "path";
  readonly isRequired?: boolean;
  readonly description: string;
  readonly schema: Schema;
}

const WORKER = { workerSeconds: 20 };
const LONG_WORKER = { workerSeconds: 60 };

const NAME: Schema = { ...TEXT, minLength: 1, maxLength: 512 };
const TIME_OF_QUERY: Schema = { ...WHOLE, minimum: 0, maximum: 8_640_000_000_000_000 };
const NUMBER_OF_EVENT: Schema = { ...WHOLE, minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** All operations by their ids. */
export const ROUTES = {
  getSession: {
    method: "GET",
    path: "/session",
    role: "viewer",
    summary: "Who is signed in, and what the console has",
    answer: "SessionAnswer",
    by: "service",
  },
  endSession: {
    method: "DELETE",
    path: "/session",
    role: "viewer",
    summary: "Signs out",
    answer: "SignedOutAnswer",
    by: "service",
  },
  getOverview: {
    method: "GET",
    path: "/overview",
    role: "viewer",
    summary: "The state of everything, and what is wrong",
    answer: "OverviewAnswer",
    by: "service",
  },
  getHistory: {
    method: "GET",
    path: "/history",
    role: "viewer",
    summary: "Figures of the last hour or day",
    query: { range: query("hour or day", oneOf(["hour", "day"]), { isRequired: true }) },
    answer: "HistoryAnswer",
    by: "service",
  },
  listEvents: {
    method: "GET",
    path: "/events",
    role: "viewer",
    summary: "Deliveries, newest first, in pages",
    query: {
      text: query("an id, a key, a name, an address or a project", { ...TEXT, maxLength: 512 }),
      plugin: query("the name of a plugin", NAME),
      state: query("the state of the delivery", oneOf(STATES)),
      kind: query("the kind of the event", oneOf(KINDS)),
      subject: query("what the event is of", oneOf(SUBJECTS)),
      since: query("decided at this time or later, milliseconds since the epoch", TIME_OF_QUERY),
      until: query("decided before this time", TIME_OF_QUERY),
      before: query("`next` of the page before", { ...TEXT, maxLength: 40 }),
      after: query("only events with greater numbers", NUMBER_OF_EVENT),
      limit: query("rows of a page", { ...WHOLE, minimum: 1, maximum: 500 }),
    },
    answer: "EventsAnswer",
    by: WORKER,
  },
  listStates: {
    method: "GET",
    path: "/events/states",
    role: "viewer",
    summary: "The deliveries of some events, as they are",
    query: {
      seqs: query("numbers of events, separated by commas, at most 500", { ...TEXT, minLength: 1, maxLength: 8500 }, {
        isRequired: true,
      }),
    },
    answer: "StatesAnswer",
    by: WORKER,
  },
  getEvent: {
    method: "GET",
    path: "/event",
    role: "viewer",
    summary: "Everything about one event",
    query: { key: query("the event's key", NAME, { isRequired: true }) },
    answer: "EventAnswer",
    by: WORKER,
  },
  previewEvent: {
    method: "GET",
    path: "/preview",
    role: "viewer",
    summary: "What plugins would be sent for an event now",
    query: { key: query("the event's key", NAME, { isRequired: true }) },
    answer: "PreviewAnswer",
    by: WORKER,
  },
  getServer: {
    method: "GET",
    path: "/server",
    role: "viewer",
    summary: "The life of one server",
    query: { id: query("the server's id", NAME, { isRequired: true }) },
    answer: "ServerAnswer",
    by: WORKER,
  },
  listDeadLetters: {
    method: "GET",
    path: "/dead-letters",
    role: "viewer",
    summary: "Dead letters by plugin and reason",
    answer: "DeadLettersAnswer",
    by: WORKER,
  },
  planAction: {
    method: "POST",
    path: "/actions/plan",
    role: "operator",
    summary: "What a replay or a drop would do, without doing it",
    body: "ActionRequest",
    answer: "ActionPlan",
    by: LONG_WORKER,
  },
  beginAction: {
    method: "POST",
    path: "/actions",
    role: "operator",
    summary: "Begins to replay or to drop deliveries",
    body: "ActionRequest",
    answer: "ActionAnswer",
    by: LONG_WORKER,
  },
  getAction: {
    method: "GET",
    path: "/actions/{id}",
    role: "viewer",
    summary: "How far an action is",
    query: { id: pathPart("of the action") },
    answer: "ActionAnswer",
    by: WORKER,
  },
  stopAction: {
    method: "DELETE",
    path: "/actions/{id}",
    role: "operator",
    summary: "Stops an action: what was done stays done",
    query: { id: pathPart("of the action") },
    answer: "ActionAnswer",
    by: WORKER,
  },
  listPlugins: {
    method: "GET",
    path: "/plugins",
    role: "viewer",
    summary: "The plugins, with their settings",
    answer: "PluginsAnswer",
    by: "service",
  },
  checkPlugin: {
    method: "POST",
    path: "/plugins/check",
    role: "operator",
    summary: "Asks a plugin's target whether it is there",
    body: "PluginName",
    answer: "CheckAnswer",
    by: { workerSeconds: 35 },
  },
  pausePlugin: {
    method: "POST",
    path: "/plugins/pause",
    role: "operator",
    summary: "Attempts no deliveries of a plugin until it is resumed",
    body: "PluginName",
    answer: "PluginActionAnswer",
    by: WORKER,
  },
  resumePlugin: {
    method: "POST",
    path: "/plugins/resume",
    role: "operator",
    summary: "Attempts the deliveries of a paused plugin again",
    body: "PluginName",
    answer: "PluginActionAnswer",
    by: WORKER,
  },
  tryPlugin: {
    method: "POST",
    path: "/plugins/try",
    role: "operator",
    summary: "Makes all retries of a plugin due, and probes its target",
    body: "PluginName",
    answer: "PluginActionAnswer",
    by: LONG_WORKER,
  },
  getDrift: {
    method: "GET",
    path: "/drift",
    role: "viewer",
    summary: "The last comparison with OpenStack, and one that runs",
    answer: "DriftAnswer",
    by: WORKER,
  },
  beginComparison: {
    method: "POST",
    path: "/drift/compare",
    role: "operator",
    summary: "Begins a comparison with OpenStack",
    body: "CompareRequest",
    answer: "DriftRun",
    by: WORKER,
  },
  stopComparison: {
    method: "DELETE",
    path: "/drift/compare",
    role: "operator",
    summary: "Stops the comparison that this console has begun",
    answer: "DriftRun",
    by: WORKER,
  },
  getCluster: {
    method: "GET",
    path: "/cluster",
    role: "viewer",
    summary: "The processes that share the ledger",
    answer: "ClusterAnswer",
    by: WORKER,
  },
  tryNotifications: {
    method: "POST",
    path: "/try",
    role: "viewer",
    summary: "What notifications would lead to, as --dry-run says it",
    body: "TryRequest",
    answer: "TryAnswer",
    by: LONG_WORKER,
  },
  listAuditLog: {
    method: "GET",
    path: "/audit-log",
    role: "viewer",
    summary: "Who did what, newest first",
    query: {
      before: query("`next` of the page before", NUMBER_OF_EVENT),
      limit: query("records of a page", { ...WHOLE, minimum: 1, maximum: 500 }),
    },
    answer: "AuditLogAnswer",
    by: WORKER,
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;

export type RouteId = keyof typeof ROUTES;

/** Routes that the service's thread answers. */
export type ServiceRouteId = { [Id in RouteId]: (typeof ROUTES)[Id]["by"] extends "service" ? Id : never }[RouteId];
/** Routes that the worker answers. */
export type WorkerRouteId = Exclude<RouteId, ServiceRouteId>;

function query(
  description: string,
  schema: Schema,
  { isRequired = false }: { readonly isRequired?: boolean } = {},
): Parameter {
  return { in: "query", description, schema, isRequired };
}

function pathPart(description: string): Parameter {
  return { in: "path", description, schema: { ...TEXT, minLength: 1, maxLength: 64 }, isRequired: true };
}
