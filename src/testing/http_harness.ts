import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Behaviour, TargetHarness } from "./target_harness.ts";
import { TcpGate } from "./tcp_gate.ts";

/** A request that an {@linkcode HttpHarness} has accepted. */
export interface HttpTaken {
  /** As `POST`. */
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case; without `host`, which names the port. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read as UTF-8. */
  readonly body: string;
}

const STATUSES: Readonly<Partial<Record<Behaviour, number>>> = {
  unauthorized: 401,
  busy: 503,
  fails: 500,
  refuses: 422,
};

/** Methods that only ask; they deliver no event. */
const ASKING = ["GET", "HEAD", "OPTIONS"];

/**
 * A real HTTP server on the loopback interface, for plugins that speak HTTP. Error answers quote
 * the whole request with its credentials, so that a careless error text would show them.
 *
 * @example
 * ```ts
 * import { HttpHarness, type HttpTaken } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * await using target = await HttpHarness.open();
 *
 * await (await fetch(`${target.url}/servers`, { method: "POST", body: "{}" })).body?.cancel();
 *
 * const [taken]: readonly HttpTaken[] = target.taken();
 * assert.deepEqual([taken?.method, taken?.path, taken?.body], ["POST", "/servers", "{}"]);
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

  /**
   * Starts the server on a free port.
   *
   * @param tls PEM. With `clientCa`, clients must show a certificate of this authority.
   */
  static async open(
    tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string },
  ): Promise<HttpHarness> {
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

  /**
   * The requests since the last call that were answered with a success, but for those that only
   * ask.
   */
  taken(): readonly HttpTaken[] {
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }

  /** Stops the server and ends its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const taken = await readRequest(request).catch(() => null);
    // A client that disconnects in the middle of a request, because it was killed, gets no answer.
    if (taken === null) return void response.destroy();
    const { status, headers } = this.#answer;
    if (status < 300 && !ASKING.includes(taken.method)) this.#taken.push(taken);
    response.writeHead(status, headers);
    response.end(
      status < 300 ? undefined : `${taken.method} ${taken.path} ${JSON.stringify(taken.headers)} ${taken.body}`,
    );
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
