import { bracketedHost } from "../model/bracketed_host.ts";
import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import { EXPOSITION_TYPE } from "./exposition.ts";
import type { Health } from "./health.ts";

export interface StatusServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly health: Pick<Health, "livenessProblems" | "readinessProblems">;
  readonly metrics: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Delay between attempts to listen on a port that is in use, as by a process that is shutting down.
 */
const RETRY_MS = 10_000;

/**
 * Serves `/healthz`, `/readyz` and `/metrics` until the signal aborts. A port in use does not stop
 * the service: it is logged once and retried.
 */
export async function serveStatus(options: StatusServerOptions, signal: AbortSignal): Promise<void> {
  const { host, port, clock, log } = options;
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      const server = Deno.serve({
        hostname: host,
        port,
        signal,
        onListen: (address) => log.info(`Metrics and health at http://${bracketedHost(host)}:${address.port}/`),
        onError: (error) => failed(error, log),
      }, (request) => answer(request, options));
      return await server.finished;
    } catch (error) {
      if (tries === 0) log.warn(`Cannot answer at ${bracketedHost(host)}:${port}: ${whyNot(error)}`);
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

/** Answers GET and HEAD requests for the three paths, and refuses all others. */
async function answer(request: Request, { health, metrics }: StatusServerOptions): Promise<Response> {
  const { pathname } = new URL(request.url);
  const known = ["/healthz", "/readyz", "/metrics"].includes(pathname);
  if (!known) return text("Not found. There are /healthz, /readyz and /metrics\n", { status: 404 });
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text("Only GET and HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  if (pathname === "/metrics") return text(await metrics(), { headers: { "content-type": EXPOSITION_TYPE } });
  const problems = pathname === "/healthz"
    ? health.livenessProblems()
    : [...health.livenessProblems(), ...health.readinessProblems()];
  return problems.length === 0 ? text("ok\n") : text(`${problems.join("\n")}\n`, { status: 503 });
}

function text(body: string, { status = 200, headers = {} }: ResponseInit = {}): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

function failed(error: unknown, log: Logger): Response {
  log.error(`Cannot report the status: ${error instanceof Error ? error.message : error}`);
  return text("Cannot report the status: see the log\n", { status: 500 });
}

function whyNot(error: unknown): string {
  const goesOn = "The service goes on without; trying again every 10 s";
  if (error instanceof Deno.errors.AddrInUse) {
    return `the port is in use. ${goesOn}. A second service on this machine needs another metrics.port`;
  }
  return `${error instanceof Error ? error.message : error}. ${goesOn}. See metrics.host and metrics.port`;
}
