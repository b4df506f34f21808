import type { Hono } from "hono";
import type { ConsoleEnv } from "../console_env.ts";
import type { AllowedHosts } from "./origin.ts";
import type { Refusals } from "./refusals.ts";

export interface GuardsOptions {
  readonly hosts: AllowedHosts;
  readonly refusals: Refusals;
}

interface Refusal {
  readonly status: 403 | 405 | 421;
  readonly reason: string;
  readonly error: string;
}

/** Refuses what no page of ours sends, before anything else looks at it. */
export function addGuards(app: Hono<ConsoleEnv>, { hosts, refusals }: GuardsOptions): void {
  app.use("*", async (context, next) => {
    const refusal = refusalOf(context.req.raw, hosts);
    if (refusal === null) return await next();
    refusals.note(refusal.reason, { address: context.env.address, request: context.req.raw });
    if (refusal.status === 405) context.header("allow", METHODS.join(", "));
    return context.json({ error: refusal.error }, refusal.status);
  });
}

function refusalOf(request: Request, hosts: AllowedHosts): Refusal | null {
  const { method, headers } = request;
  const host = headers.get("host") ?? new URL(request.url).host;
  if (!hosts.allows(host)) return FOREIGN_HOST;
  if (!METHODS.includes(method)) return OTHER_METHOD;
  if (FRAMES.includes(headers.get("sec-fetch-dest") ?? "")) return FRAMED;
  const origin = headers.get("origin");
  if (origin !== null && !hosts.isOwnOrigin(origin, host)) return FOREIGN_ORIGIN;
  const site = headers.get("sec-fetch-site");
  const isNavigation = headers.get("sec-fetch-mode") === "navigate" && method === "GET";
  if (site !== null && site !== "same-origin" && site !== "none" && !isNavigation) return FOREIGN_ORIGIN;
  return null;
}

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "DELETE"];
const FRAMES: readonly string[] = ["iframe", "frame", "object", "embed", "fencedframe"];

const FOREIGN_HOST: Refusal = {
  status: 421,
  reason: "it names another host than the console's. If this name is right, add it to console.allowedHosts",
  error: "Cannot answer under this name: it is not the console's. An operator adds it to console.allowedHosts",
};
const OTHER_METHOD: Refusal = {
  status: 405,
  reason: "its method is not one of GET, HEAD, POST, DELETE",
  error: "Cannot answer this method: use GET, HEAD, POST or DELETE",
};
const FRAMED: Refusal = {
  status: 403,
  reason: "another page shows it in a frame",
  error: "Cannot be shown in a frame. Open the console in a tab of its own",
};
const FOREIGN_ORIGIN: Refusal = {
  status: 403,
  reason: "another site's page sends it",
  error: "Cannot answer another site's page. Open the console in a tab of its own",
};
