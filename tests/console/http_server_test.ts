import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { HTTP_LIMITS, type HttpLimits, serveHttp } from "../../src/console/http_server.ts";
import type { Answer, Client } from "../../src/console/server_options.ts";
import { until } from "../support/until.ts";
import { LONG_MS } from "./consoles.ts";

/** A server until it is disposed of. */
class Served implements AsyncDisposable {
  readonly port: number;
  readonly #stop: AbortController;
  readonly #over: Promise<void>;

  private constructor(port: number, { stop, over }: { stop: AbortController; over: Promise<void> }) {
    this.port = port;
    this.#stop = stop;
    this.#over = over;
  }

  static async start(answer: Answer, limits: Partial<HttpLimits> = {}): Promise<Served> {
    const [stop, { promise: port, resolve: onListen }] = [new AbortController(), Promise.withResolvers<number>()];
    const options = { host: "127.0.0.1", port: 0, tls: null, answer, onListen, limits: { ...HTTP_LIMITS, ...limits } };
    const over = serveHttp(options, stop.signal);
    return new Served(await port, { stop, over });
  }

  /** A connection that has sent some text. */
  open(text = ""): Connection {
    return new Connection(this.port, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }
}

class Connection implements Disposable {
  received = "";
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number, text: string) {
    this.socket = connect(port, "127.0.0.1", () => void (text === "" || this.socket.write(text)));
    this.socket.on("data", (part) => this.received += part);
    this.socket.on("close", () => this.isClosed = true);
    this.socket.on("error", () => {});
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed, LONG_MS);
  }

  async answered(text: string): Promise<void> {
    await until(() => this.received.includes(text), LONG_MS);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const GET = "GET /it HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const hello: Answer = () => Promise.resolve(new Response("hello"));

Deno.test("serveHttp() closes connections that say nothing, half a request, or nothing more", async () => {
  await using served = await Served.start(hello, { headMs: 200, requestMs: 300, betweenMs: 200 });
  using silent = served.open();
  using half = served.open("GET / HTTP/1.1\r\nHost:");
  using body = served.open("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{");
  using idle = served.open(GET);
  await idle.answered("hello");
  for (const connection of [silent, half, body, idle]) await connection.closed();
});

Deno.test("serveHttp() takes so many connections and no more, and others when these have ended", async () => {
  await using served = await Served.start(hello, { connections: 3 });
  const opened = Array.from({ length: 3 }, () => served.open(GET));
  for (const connection of opened) await connection.answered("hello");
  using refused = served.open(GET);
  await refused.closed();
  assert.equal(refused.received, "");
  opened[0]![Symbol.dispose]();
  await until(async () => {
    using next = served.open(GET);
    await until(() => next.isClosed || next.received.includes("hello"), LONG_MS);
    return next.received.includes("hello");
  }, LONG_MS);
  for (const connection of opened) connection[Symbol.dispose]();
});

Deno.test("serveHttp() ends the stream of a client that has gone, or does not read", async () => {
  let cancelled = 0;
  const endless: Answer = () => {
    const body = new ReadableStream({
      pull: (to) => to.enqueue(new Uint8Array(65_536)),
      cancel: () => void cancelled++,
    });
    return Promise.resolve(new Response(body));
  };
  await using served = await Served.start(endless, { stuckMs: 300 });
  const gone = served.open(GET);
  await gone.answered("200");
  gone[Symbol.dispose]();
  await until(() => cancelled === 1, LONG_MS);
  using slow = served.open(GET);
  slow.socket.pause();
  await until(() => cancelled === 2, LONG_MS);
});

Deno.test("serveHttp() hands on what was sent, names headers that were sent twice, and answers as it is told", async () => {
  const seen: { readonly request: Request; readonly client: Client; readonly text: string }[] = [];
  const answer: Answer = async (request, client) => {
    seen.push({ request, client, text: await request.text() });
    const headers = new Headers({ "x-own": "1" });
    for (const cookie of ["a=1; Path=/", "b=2"]) headers.append("set-cookie", cookie);
    return new Response(request.method === "HEAD" ? null : "told", { status: 418, headers });
  };
  await using served = await Served.start(answer);
  const head = "Host: 127.0.0.1\r\nX-User: anna\r\nx-user: eve\r\nX-Group: a\r\nConnection: close\r\n";
  using post = served.open(`POST //a/../b?c=%2e HTTP/1.1\r\n${head}Content-Length: 4\r\n\r\nbody`);
  await post.closed();
  assert.match(post.received, /^HTTP\/1\.1 418 [^]*\r\nx-own: 1\r\n[^]*told/);
  assert.match(post.received, /set-cookie: a=1; Path=\/\r\nset-cookie: b=2\r\n/);
  const { request, client, text } = seen[0]!;
  assert.deepEqual([request.method, new URL(request.url).pathname, text], ["POST", "//b", "body"]);
  assert.deepEqual([client.address, [...client.repeated]], ["127.0.0.1", ["x-user"]]);
  using trace = served.open(`TRACE / HTTP/1.1\r\n${head}\r\n`);
  await trace.closed();
  using absolute = served.open(`GET http://evil.example/it HTTP/1.1\r\n${head}\r\n`);
  await absolute.closed();
  using asHead = served.open(`HEAD / HTTP/1.1\r\n${head}\r\n`);
  await asHead.closed();
  assert.deepEqual(
    seen.slice(1).map(({ request: { method, url } }) => [method, new URL(url).hostname]),
    [["UNKNOWN", "console.invalid"], ["GET", "console.invalid"], ["HEAD", "console.invalid"]],
  );
});

Deno.test("serveHttp() that is stopped lets an answer end, and closes connections that wait", async () => {
  const [{ promise, resolve }, started] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const served = await Served.start(async () => {
    started.resolve();
    await promise;
    return new Response("late");
  });
  using idle = served.open();
  using asking = served.open(GET);
  await started.promise;
  const over = served[Symbol.asyncDispose]();
  resolve();
  await asking.answered("late");
  await over;
  await idle.closed();
});

Deno.test("serveHttp() outlives clients that break off, and answers those that send more than is read", async () => {
  const reasons: string[] = [];
  await using served = await Served.start(async ({ method, body }) => {
    if (method === "PUT") return new Response("enough", { status: 413 });
    try {
      for await (const _ of body!);
    } catch (error) {
      reasons.push(String(error));
    }
    return new Response("read");
  });
  const post = (method: string, length: number) =>
    `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(1000)}`;
  const broken = served.open(post("POST", 9_000_000));
  await until(() => broken.socket.bytesWritten > 0, LONG_MS);
  broken[Symbol.dispose]();
  await until(() => reasons.length === 1, LONG_MS);
  assert.deepEqual(reasons, ["Error: The request breaks off"]);
  using unread = served.open(post("PUT", 20_000_000));
  await unread.answered("enough");
  using whole = served.open(post("POST", 1000));
  await whole.answered("read");
});
