/** What the proxy does with a chunk of bytes from a client: pass it on, lose it, or pass it on and lose the answer. */
export type Fate = "pass" | "lose" | "lose the answer" | "stall";

/** Stands between a client and a server of the loopback interface, and lets connections break where it is told to. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  /** How many connections were made. */
  connections = 0;
  readonly #listener: Deno.Listener;
  readonly #target: number;
  readonly #fate: () => Fate;
  readonly #open = new Set<Disposable>();
  readonly #accepting: Promise<void>;

  /** @param fate Asked for every chunk that a client sends. */
  constructor(target: number, fate: () => Fate = () => "pass") {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#target = target;
    this.#fate = fate;
    this.#accepting = this.#accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const one of this.#open) one[Symbol.dispose]();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const served: Promise<void>[] = [];
    // Ends when the listener is closed.
    for await (const client of this.#listener) {
      this.connections++;
      served.push(this.#serve(client));
    }
    await Promise.all(served);
  }

  async #serve(client: Deno.Conn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target }).catch(() => null);
    if (server === null) return client.close();
    let muted = false;
    const cut = disposable(() => {
      this.#open.delete(cut);
      for (const conn of [client, server]) {
        try {
          conn.close();
        } catch {
          // The other direction was faster.
        }
      }
    });
    this.#open.add(cut);
    const up = pump(client, async (bytes) => {
      const fate = this.#fate();
      if (fate === "lose") return cut[Symbol.dispose]();
      if (fate === "stall") muted = true;
      if (muted) return;
      if (fate === "lose the answer") cutNext = true;
      await writeAll(server, bytes);
    });
    let cutNext = false;
    const down = pump(server, async (bytes) => {
      if (cutNext) return cut[Symbol.dispose]();
      await writeAll(client, bytes);
    });
    await Promise.race([up, down]);
    cut[Symbol.dispose]();
    await Promise.all([up, down]);
  }
}

/** Until one side ends or fails. */
async function pump(from: Deno.Conn, take: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      await take(buffer.slice(0, count));
    }
  } catch {
    // A connection that breaks is what we are here for.
  }
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await to.write(bytes.subarray(done));
}

function disposable(dispose: () => void): Disposable {
  return { [Symbol.dispose]: dispose };
}
