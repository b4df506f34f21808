/** A real HTTP(S) server on a free port of the loopback interface. */
export class TestServer implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly port: number;
  /** Every request that came, with its body read. */
  readonly requests: { method: string; path: string; headers: Headers; body: string }[] = [];

  constructor(
    handler: (request: Request) => Response | Promise<Response> = () => new Response("ok"),
    tls?: { cert: string; key: string },
  ) {
    const options = { hostname: "127.0.0.1", port: 0, signal: this.#stop.signal, onListen() {}, ...pick(tls) };
    this.#server = Deno.serve(options, async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      this.requests.push({ method, path: pathname + search, headers, body: await request.text() });
      return handler(request);
    });
    this.port = this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }
}

/** `Deno.serve` refuses options that it does not know. */
function pick(tls?: { cert: string; key: string }): { cert: string; key: string } | Record<never, never> {
  return tls === undefined ? {} : { cert: tls.cert, key: tls.key };
}

/** A port of the loopback interface where nobody listens. */
export function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A body that begins and never ends; `cancelled` settles when the other side does not want more. */
export function endlessBody(
  chunk: string,
  repeat: boolean,
): { body: ReadableStream<Uint8Array>; cancelled: Promise<void> } {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const bytes = new TextEncoder().encode(chunk);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes),
    pull: (controller) => repeat ? controller.enqueue(bytes) : new Promise(() => {}),
    cancel: () => resolve(),
  });
  return { body, cancelled };
}
