/** One request that was accepted. */
export interface Accepted {
  readonly plugin: string;
  /** `created` or `deleted`, and the server's id. */
  readonly what: string;
  readonly server: string;
  /** The header `Idempotency-Key`. */
  readonly key: string;
  /** The header `OSS-Watcher-Sequence`. */
  readonly sequence: number;
  /** Milliseconds, monotonic. */
  readonly at: number;
}

/** An HTTP server that remembers what it has accepted, in order. */
export class ClusterReceiver implements AsyncDisposable {
  readonly accepted: Accepted[] = [];
  readonly port: number;
  /** Called before each answer. */
  respond: () => Promise<Response> = () => Promise.resolve(new Response(null, { status: 204 }));
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const [, plugin = "", kind = ""] = new URL(request.url).pathname.split("/");
      const { ID: server } = await request.json();
      const response = await this.respond();
      if (!response.ok) return response;
      this.accepted.push({
        plugin,
        what: `${kind} ${server}`,
        server,
        key: request.headers.get("idempotency-key") ?? "",
        sequence: Number(request.headers.get("oss-watcher-sequence")),
        at: performance.now(),
      });
      return response;
    });
    this.port = this.#server.addr.port;
  }

  /** How many came again. */
  get doubled(): number {
    return this.accepted.length - new Set(this.accepted.map(({ plugin, key }) => `${plugin} ${key}`)).size;
  }

  /** Numbers that are used for two keys, keys of two numbers, and first deliveries that are out of order. */
  problems(): readonly string[] {
    const problems: string[] = [];
    const [keys, sequences, last] = [new Map<string, string>(), new Map<string, number>(), new Map<string, number>()];
    for (const { plugin, key, sequence, server, what } of this.accepted) {
      const [number, name, subject] = [`${plugin} ${sequence}`, `${plugin} ${key}`, `${plugin} ${server}`];
      if ((keys.get(number) ?? key) !== key) problems.push(`${number} is of ${keys.get(number)} and of ${key}`);
      if ((sequences.get(name) ?? sequence) !== sequence) {
        problems.push(`${name} has the numbers ${sequences.get(name)} and ${sequence}`);
      }
      // What is repeated was there before.
      if (!sequences.has(name) && sequence < (last.get(subject) ?? 0)) problems.push(`${plugin}: ${what} is too late`);
      keys.set(number, key);
      sequences.set(name, sequence);
      last.set(subject, Math.max(sequence, last.get(subject) ?? 0));
    }
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
