import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { bareHost } from "../model/bracketed_host.ts";
import type { Answer } from "./server_options.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Certificate and key, PEM; without them it serves HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Must not reject. */
  readonly answer: Answer;
  readonly onListen: (port: number) => void;
  /** @default {@linkcode HTTP_LIMITS} */
  readonly limits?: HttpLimits;
}

/** Bounds of what clients take before they have signed in, and of how long they may take. */
export interface HttpLimits {
  /** Connections at once; one beyond them is closed. Each takes a file descriptor. */
  readonly connections: number;
  /** Until the head of a request is there, or the handshake is over. */
  readonly headMs: number;
  /** Until the whole request is there, with its body. */
  readonly requestMs: number;
  /** From an answer to the next request. */
  readonly betweenMs: number;
  /** Without a byte from or to the client: longer than an answer may take, and streams are silent. */
  readonly stuckMs: number;
}

/** Connections: as many as event streams, and as many others. */
export const HTTP_LIMITS: HttpLimits = {
  connections: 512,
  headMs: 10_000,
  requestMs: 60_000,
  betweenMs: 30_000,
  stuckMs: 90_000,
};

/** How often times are compared with the limits, at least. */
const CHECK_MS = 1000;
/** Browsers send all cookies of 127.0.0.1, whatever port they are of. */
const MAX_HEAD_BYTES = 65_536;
/** At the end, requests that are being answered have this time. */
const END_MS = 2000;

/**
 * Serves HTTP until the signal aborts. Node's server, since `Deno.serve` bounds neither the number of
 * connections nor the time that they may be idle.
 */
export async function serveHttp(options: HttpServerOptions, signal: AbortSignal): Promise<void> {
  const server = makeServer(options);
  const silent = silentConnections(server, options.tls === null ? "connection" : "secureConnection");
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  server.on("error", reject);
  server.on("close", resolve);
  server.listen({ host: bareHost(options.host), port: options.port }, () => {
    options.onListen((server.address() as { readonly port: number }).port);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  function end(): void {
    server.close();
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
    timer = setTimeout(() => server.closeAllConnections(), END_MS);
  }
  try {
    await closed;
  } finally {
    server.close();
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** Connections that have not sent a request yet, as browsers open in advance. */
function silentConnections(server: Server, event: "connection" | "secureConnection"): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    silent.add(socket);
    socket.on("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  return silent;
}

function makeServer({ tls, answer, limits = HTTP_LIMITS }: HttpServerOptions): Server {
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void serve(incoming, { outgoing, answer });
  const options: ServerOptions = {
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.betweenMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headMs),
    maxHeaderSize: MAX_HEAD_BYTES,
  };
  const server = tls === null
    ? createServer(options, listener)
    : createTlsServer({ ...options, ...tls, handshakeTimeout: limits.headMs }, listener);
  server.maxConnections = limits.connections;
  server.setTimeout(limits.stuckMs, (socket) => socket.destroy());
  return server;
}

async function serve(
  incoming: IncomingMessage,
  { outgoing, answer }: { readonly outgoing: ServerResponse; readonly answer: Answer },
): Promise<void> {
  // The client breaks off: what is read and written then ends, too.
  for (const part of [incoming, outgoing]) part.on("error", () => {});
  try {
    const address = incoming.socket.remoteAddress ?? "";
    await write(await answer(requestOf(incoming), { address, repeated: repeatedHeaders(incoming) }), outgoing);
  } catch {
    // The client has gone, or its stream was given up.
    outgoing.destroy();
  }
}

/** Its URL has no host: what the client calls us is in the header alone, which is checked there. */
function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of pairsOf(incoming.rawHeaders)) headers.append(name, value);
  const { url = "/" } = incoming;
  // `Request` takes neither of these; the guards refuse whatever is not known.
  const method = ["TRACE", "TRACK"].includes(incoming.method ?? "") ? "UNKNOWN" : incoming.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(incoming);
  return new Request(`http://console.invalid${url.startsWith("/") ? url : "/?not-a-path"}`, { method, headers, body });
}

/** Not `Readable.toWeb()`: what it makes of a client that breaks off is an error that nobody can catch. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOver = false;
  const once = (end: () => void) => () => {
    if (!isOver) end();
    isOver = true;
  };
  return new ReadableStream({
    start(controller) {
      incoming.on("data", (part: Uint8Array) => {
        // What comes behind the end that somebody saw is thrown away.
        if (isOver) return;
        controller.enqueue(new Uint8Array(part));
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.on("end", once(() => controller.close()));
      incoming.on("close", once(() => controller.error(new Error("The request breaks off"))));
      incoming.pause();
    },
    pull: () => void incoming.resume(),
    cancel: once(() => incoming.resume()),
  });
}

/** Names of headers that a request has more than once, in lower case. */
function repeatedHeaders({ rawHeaders }: IncomingMessage): ReadonlySet<string> {
  const names = pairsOf(rawHeaders).map(([name]) => name.toLowerCase());
  return new Set(names.filter((name, index) => names.indexOf(name) < index));
}

function pairsOf(list: readonly string[]): readonly (readonly [string, string])[] {
  return Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index] ?? "", list[2 * index + 1] ?? ""]);
}

/** @throws when the client has gone, or the answer's stream fails. */
async function write(response: Response, outgoing: ServerResponse): Promise<void> {
  const cookies = response.headers.getSetCookie();
  const headers = [...response.headers].filter(([name]) => name !== "set-cookie");
  outgoing.writeHead(response.status, [...headers, ...cookies.map((cookie) => ["set-cookie", cookie])].flat());
  if (response.body === null) return void outgoing.end();
  const reader = response.body.getReader();
  // A stream that nobody reads any more ends.
  outgoing.once("close", () => void reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return void outgoing.end();
    if (!outgoing.write(value)) await drained(outgoing);
  }
}

/** Resolves when the client has read enough, or has gone. */
function drained(outgoing: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ["drain", "close"]) outgoing.once(event, resolve);
  return promise.finally(() => {
    for (const event of ["drain", "close"]) outgoing.off(event, resolve);
  });
}
