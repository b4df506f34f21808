import type { Context, Hono } from "hono";
import type { ConsoleEnv } from "../console_env.ts";
import { BodyLimit } from "../guard/body_limit.ts";
import type { EventStreams } from "../event_streams.ts";
import type { Refusals } from "../guard/refusals.ts";
import type { LiveAnswers } from "../live_answers.ts";
import { mayAct, whoOf } from "../sign_in/identity.ts";
import { type WorkerClient, WorkerUnavailable } from "../worker_client.ts";
import { type ApiRoute, ROUTES, type ServiceRouteId } from "./routes.ts";
import { readQuery } from "./read_query.ts";
import { readBody } from "./read_body.ts";
import { openApi } from "./openapi.ts";

export interface ApiOptions {
  readonly answers: LiveAnswers;
  readonly streams: EventStreams;
  readonly worker: WorkerClient;
  readonly refusals: Refusals;
}

const API = "/api/v1";

/** Adds the operations of the API, each as its row in `routes.ts` says. */
export function addApi(app: Hono<ConsoleEnv>, options: ApiOptions): void {
  const { answers, streams } = options;
  const bodies = new BodyLimit();
  for (const [id, route] of Object.entries<ApiRoute>(ROUTES)) {
    if (id === "endSession") continue;
    app.on(route.method, pattern(route.path), (context) => {
      return answer(context, { id, route, options, bodies });
    });
  }
  app.get(`${API}/stream`, (context) => {
    // Nobody would read it, or end it.
    if (context.req.method === "HEAD") return context.body(null, 200, { "content-type": "text/event-stream" });
    const session = context.get("identity").csrf;
    return streams.open(context.req.raw, { session, isAllowed: context.get("isSignedIn") });
  });
  app.get(`${API}/openapi.json`, (context) => context.json(openApi(answers.version)));
  for (const [path, methods] of methodsByPath()) app.all(path, (context) => otherMethod(context, methods));
  app.all(`${API}/*`, (context) => context.json({ error: "Cannot find this: see /api/v1/openapi.json" }, 404));
}

/** The methods of each operation's path, as the header `Allow` says them. */
function methodsByPath(): ReadonlyMap<string, readonly string[]> {
  const operations = [...Object.values<ApiRoute>(ROUTES), ...["/stream", "/openapi.json"].map(readOnly)];
  const byPath = Map.groupBy(operations, ({ path }) => pattern(path));
  return new Map([...byPath].map(([path, same]) => [path, same.map(({ method }) => method)]));
}

function readOnly(path: string) {
  return { path, method: "GET" } as const;
}

/** The path of an operation as hono has it. */
function pattern(path: string): string {
  return `${API}${path.replace(/\{(\w+)\}/g, ":$1")}`;
}

function otherMethod(context: Context<ConsoleEnv>, methods: readonly string[]): Response {
  const allowed = methods.map((method) => method === "GET" ? "GET, HEAD" : method).join(", ");
  context.header("allow", allowed);
  return context.json({ error: `Cannot answer this method here: use ${allowed}` }, 405);
}

async function answer(
  context: Context<ConsoleEnv>,
  { id, route, options: { answers, worker, refusals }, bodies }: {
    readonly id: string;
    readonly route: ApiRoute;
    readonly options: ApiOptions;
    readonly bodies: BodyLimit;
  },
): Promise<Response> {
  const identity = context.get("identity");
  if (!mayAct(identity, route.role)) {
    refusals.note(`a ${identity.role} may not`, { address: context.env.address, request: context.req.raw });
    return context.json({ error: `Cannot do this as ${identity.role}: it takes the role ${route.role}` }, 403);
  }
  const query = readQuery(route, { query: context.req.queries(), path: context.req.param() });
  if (typeof query === "string") return context.json({ error: query }, 400);
  using place = route.body === undefined ? undefined : bodies.enter(identity.csrf);
  if (place === null) {
    context.header("retry-after", "1");
    return context.json({ error: "Cannot take more at once: others are under way. Try again" }, 503);
  }
  const body = route.body === undefined ? null : await readBody(context.req.raw);
  if (body !== null && "error" in body) return context.json({ error: body.error }, body.status);
  try {
    if (route.by === "service") return context.json(await answers.of(id as ServiceRouteId, { identity, query }));
    const limitMs = (route.by.workerSeconds + 5) * 1000;
    const call = { route: id, query, body: body?.bytes ?? null, who: whoOf(identity) };
    const { status, body: bytes } = await worker.ask(call, { limitMs });
    return jsonBytes(bytes, status);
  } catch (error) {
    if (!(error instanceof WorkerUnavailable)) throw error;
    context.header("retry-after", "1");
    return context.json({ error: error.message }, 503);
  }
}

/** JSON that is there already. Compressing it would take the service's thread. */
function jsonBytes(bytes: Uint8Array<ArrayBuffer>, status: number): Response {
  return new Response(bytes, {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store, no-transform" },
  });
}
