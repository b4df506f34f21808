/** A way to a server on which an answer can be lost together with its connection. */
export class LostAnswers implements AsyncDisposable {
  readonly #server: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #running = new Set<Promise<void>>();
  #left = 0;

  /** @param server Its port on 127.0.0.1. */
  constructor(server: number) {
    this.#server = server;
    this.#run(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** The server gets what is sent, and the answers that come next are lost, one a connection. */
  lose(answers: number): void {
    this.#left = answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#running);
  }

  #run(work: Promise<unknown>): void {
    const running = work.then(() => {}, () => {}).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.#run(this.#pass(client));
  }

  async #pass(client: Deno.Conn): Promise<void> {
    using _client = client;
    using server = await Deno.connect({ hostname: "127.0.0.1", port: this.#server });
    const answers = server.readable.pipeThrough(
      new TransformStream({
        transform: (bytes, controller) => {
          if (this.#left > 0) throw new Error(`lost ${this.#left--}`);
          controller.enqueue(bytes);
        },
      }),
    );
    await Promise.all([answers.pipeTo(client.writable), client.readable.pipeTo(server.writable)]);
  }
}
