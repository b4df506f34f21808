import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Json } from "../../mod.ts";
import type { Behaviour, TargetHarness } from "./target_harness.ts";
import { TcpGate } from "./tcp_gate.ts";
import type { TargetAnswer } from "./plugin_contract.ts";

/** A request that an {@linkcode HttpHarness} has taken. */
export interface HttpTaken {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case; without `host`, which names the port. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read as UTF-8. */
  readonly body: string;
}

/** Certificates of an {@linkcode HttpHarness}, in PEM. */
export interface HttpHarnessTls {
  readonly cert: string;
  readonly key: string;
  /** The authority of the certificates that clients must show. Without it they need none. */
  readonly clientCa?: string;
}

const STATUSES: Readonly<Partial<Record<Behaviour, number>>> = {
  unauthorized: 401,
  busy: 503,
  fails: 500,
  refuses: 422,
};

/** Asking is not telling. */
const ASKING = ["GET", "HEAD", "OPTIONS"];

/**
 * A real HTTP server on the loopback interface, for plugins that speak HTTP. Failures quote the whole request, credentials and all: a
 * careless error text would tell them.
 *
 * @example
 * ```ts
 * import { HttpHarness } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * await using target = await HttpHarness.open();
 *
 * await (await fetch(`${target.url}/servers`, { method: "POST", body: "{}" })).body?.cancel();
 *
 * assert.deepEqual(target.taken().map(({ method, path, body }) => [method, path, body]), [["POST", "/servers", "{}"]]);
 * ```
 */
export class HttpHarness implements TargetHarness<HttpTaken> {
  readonly #server: Server;
  readonly #gate: TcpGate;
  readonly #scheme: string;
  #answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> } = {
    status: 204,
    headers: {},
  };
  #taken: HttpTaken[] = [];

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#handle(request, response));
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: (server.address() as AddressInfo).port });
  }

  /** Starts the server on a free port. */
  static async open(tls?: HttpHarnessTls): Promise<HttpHarness> {
    const mutual = tls?.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true };
    const server = tls === undefined ? createServer() : createTlsServer({ cert: tls.cert, key: tls.key, ...mutual });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new HttpHarness(server, tls === undefined ? "http" : "https");
  }

  /** `http://127.0.0.1:PORT`, or `https://localhost:PORT`. */
  get url(): string {
    return `${this.#scheme}://${this.#scheme === "http" ? "127.0.0.1" : "localhost"}:${this.#gate.port}`;
  }

  behave(behaviour: Behaviour): void {
    this.#gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
    this.#answer = { status: STATUSES[behaviour] ?? 204, headers: {} };
  }

  /** Answers every request with a status and headers from now on. */
  answer(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.#gate.set("passes");
    this.#answer = { status, headers };
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  /** The requests since the last call that were answered with a success, but for those that only ask. */
  taken(): readonly HttpTaken[] {
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const taken = await readRequest(request);
    const { status, headers } = this.#answer;
    if (status < 300 && !ASKING.includes(taken.method)) this.#taken.push(taken);
    response.writeHead(status, headers);
    response.end(
      status < 300 ? undefined : `${taken.method} ${taken.path} ${JSON.stringify(taken.headers)} ${taken.body}`,
    );
  }
}

/** Fails unless a preview of the form `{ method, url, headers, body }` tells exactly what was sent, secrets (`***`) aside. */
export function assertHttpPreview(preview: Json, { method, path, headers, body }: HttpTaken): void {
  const { url, ...shown } = preview as { method: string; url: string; headers: Record<string, string>; body: Json };
  const { pathname, search } = new URL(url);
  assert.deepEqual([shown.method, masked(pathname + search)], [method, masked(path)]);
  for (const [name, value] of Object.entries(shown.headers)) {
    if (value !== "***") assert.equal(headers[name], value, `the header ${name} is not as previewed`);
    else assert.ok(headers[name] !== undefined, `the header ${name} was not sent`);
  }
  const own = Object.keys(headers).filter((name) => !BY_THE_RUNTIME.has(name));
  assert.deepEqual(own.filter((name) => !(name in shown.headers)), [], "headers were sent that are not in the preview");
  assert.deepEqual(bodyOf(shown.body), bodyOf(body));
}

const BY_THE_RUNTIME = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "connection",
  "content-length",
  "transfer-encoding",
  "user-agent",
]);

function masked(path: string): string {
  return path.replace(/=[^&]*/g, "=***");
}

/** The value of a JSON text, whichever way it is written; any other text as it is. */
function bodyOf(body: Json): Json {
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body);
  } catch {
    return body === "" ? null : body;
  }
}

async function readRequest(request: IncomingMessage): Promise<HttpTaken> {
  const decoder = new TextDecoder();
  let body = "";
  for await (const chunk of request) body += decoder.decode(chunk, { stream: true });
  const { host: _, ...headers } = request.headers;
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: body + decoder.decode(),
  };
}

/** The retry table in full, for the option `answers` of a contract: what every status must lead to. */
export const HTTP_ANSWERS: readonly TargetAnswer<HttpHarness>[] = [
  ...[301, 302, 307, 308, 403, 404, 405, 408, 425].map((status) => row(status, { outcome: "retry" })),
  row(401, { outcome: "retry", reason: "unauthorized" }),
  row(429, { outcome: "retry", reason: "rate_limited" }),
  ...[500, 501, 502, 503, 504].map((status) => row(status, { outcome: "retry", reason: "server_error" })),
  ...[400, 409, 410, 413, 414, 415, 422, 431].map((status) => row(status, { outcome: "permanent" })),
  row(503, { outcome: "retry", reason: "server_error", retryAfterMs: 7000 }, { "Retry-After": "7" }),
  row(429, { outcome: "retry", reason: "rate_limited", retryAfterMs: 120_000 }, { "Retry-After": "120" }),
];

function row(
  status: number,
  expected: Pick<TargetAnswer<HttpHarness>, "outcome" | "reason" | "retryAfterMs">,
  headers: Readonly<Record<string, string>> = {},
): TargetAnswer<HttpHarness> {
  const extra = Object.entries(headers).map(([name, value]) => ` and ${name}: ${value}`).join("");
  const location: Record<string, string> = status < 400 ? { Location: "/elsewhere" } : {};
  return {
    name: `answers ${status}${extra}`,
    prepare: (target) => target.answer(status, { ...location, ...headers }),
    ...expected,
  };
}
