// The end of the way: an HTTP receiver that reads what it is sent and tells when all of it has
// come.

/** Counts the different events that it was told of, by their keys. */
export class CountingReceiver implements AsyncDisposable {
  readonly port: number;
  /** Called with the key of each event and the time, in milliseconds of `performance.now()`. */
  onEvent: (key: string, at: number) => void = () => {};
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #keys = new Set<string>();
  #expected = Infinity;
  #finished = Promise.withResolvers<number>();

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const at = performance.now();
      await request.bytes();
      this.#count(request.headers.get("idempotency-key") ?? "", at);
      return new Response(null, { status: 204 });
    });
    this.port = this.#server.addr.port;
  }

  /**
   * Begins anew. Resolves when so many events have come, with the time, milliseconds since the
   * epoch.
   */
  expect(events: number): Promise<number> {
    this.#keys.clear();
    this.#expected = events;
    this.#finished = Promise.withResolvers();
    return this.#finished.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #count(key: string, at: number): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.onEvent(key, at);
    if (this.#keys.size === this.#expected) this.#finished.resolve(Date.now());
  }
}
