// An HTTP receiver that reads requests, and reports when all events have come.

/** Counts different events by their keys. */
export class CountingReceiver implements AsyncDisposable {
  readonly port: number;
  /** Called with the key of each event and the time, in milliseconds of `performance.now()`. */
  onEvent: (key: string, at: number) => void = () => {};
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #keys = new Set<string>();
  #expected = Infinity;
  #finished = Promise.withResolvers<number>();

  /** @param options `takesMs`: how long it takes for each request. @default as short as it can */
  constructor({ takesMs = 0 }: { readonly takesMs?: number } = {}) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const at = performance.now();
      await request.bytes();
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
      this.#count(request.headers.get("idempotency-key") ?? "", at);
      return new Response(null, { status: 204 });
    });
    this.port = this.#server.addr.port;
  }

  /**
   * Resets the count. Resolves when this many events have come, with the time in milliseconds since
   * the epoch.
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
