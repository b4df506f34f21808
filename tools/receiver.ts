// An HTTP receiver for the demo and the tests, which keeps all requests.

/** One request as it arrived. */
export interface Received {
  /** The path of the URL. */
  readonly path: string;
  /** The header `Idempotency-Key`. */
  readonly key: string;
  readonly authorization: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What the receiver answers; by default 204. */
export type Answer = (received: Received) => Response | Promise<Response>;

/** Listens on a free port of the loopback address. */
export class Receiver implements AsyncDisposable {
  readonly requests: Received[] = [];
  readonly port: number;
  answer: Answer = () => new Response(null, { status: 204 });
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
      if (request.method === "OPTIONS") return new Response(null, { status: 204 });
      const received: Received = {
        path: new URL(request.url).pathname,
        key: request.headers.get("idempotency-key") ?? "",
        authorization: request.headers.get("authorization"),
        detail: await request.json(),
        at: Date.now(),
      };
      this.requests.push(received);
      return await this.answer(received);
    });
    this.port = this.#server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
