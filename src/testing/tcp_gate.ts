/**
 * The way in which a gate treats connections and data. With `hangs`, data are discarded, and
 * connections that lost some are closed in the next mode. With `stalls`, as in a network that parts
 * without a word, neither data nor the end of a connection arrives at the other side, and a new
 * connection gets no answer; all of that arrives in the next mode, `down` excepted.
 */
export type GateMode = "passes" | "breaks" | "hangs" | "stalls" | "down";

/**
 * A TCP proxy in front of a real server, for any protocol, with or without TLS. It can refuse
 * connections, cut them, discard all that is sent, or hold it back.
 *
 * @example
 * ```ts
 * import { type GateMode, TcpGate } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("ok"));
 * await using gate = new TcpGate(server.addr);
 *
 * const url = `http://127.0.0.1:${gate.port}/`;
 * assert.equal(await (await fetch(url)).text(), "ok");
 * const shut: GateMode = "down";
 * gate.set(shut);
 * await assert.rejects(fetch(url));
 * ```
 */
export class TcpGate implements AsyncDisposable {
  readonly #server: { readonly hostname: string; readonly port: number };
  /** On 127.0.0.1; it stays the same when the gate is closed and opened. */
  readonly port: number;
  #mode: GateMode = "passes";
  #listener: Deno.TcpListener | undefined;
  readonly #pairs = new Set<Pair>();
  readonly #running = new Set<Promise<void>>();
  #reached = Promise.withResolvers<void>();
  /** Resolves when the mode changes. */
  #changed = Promise.withResolvers<void>();

  /** Listens on a free port. */
  constructor(server: { readonly hostname: string; readonly port: number }) {
    this.#server = server;
    this.#listener = this.#listen(0);
    this.port = this.#listener.addr.port;
  }

  /** Changes the mode, for open connections as well. */
  set(mode: GateMode): void {
    this.#mode = mode;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
    this.#reached = Promise.withResolvers<void>();
    // Connections that have discarded data cannot continue.
    for (const pair of this.#pairs) if (mode === "down" || pair.spoilt) pair.close();
    if (mode === "down") {
      this.#listener?.close();
      this.#listener = undefined;
    } else this.#listener ??= this.#listen(this.port);
  }

  /** Resolves when a connection or a byte has come since {@linkcode set} was called last. */
  reached(): Promise<void> {
    return this.#reached.promise;
  }

  /** Closes the gate for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.set("down");
    await Promise.all(this.#running);
  }

  #listen(port: number): Deno.TcpListener {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#run(this.#accept(listener));
    return listener;
  }

  #run(work: Promise<void>): void {
    const running = work.catch(() => undefined).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Ends when the listener is closed. */
  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) {
      this.#reached.resolve();
      this.#run(this.#connect(client));
    }
  }

  async #connect(client: Deno.Conn): Promise<void> {
    const pair = new Pair(client);
    this.#pairs.add(pair);
    try {
      await this.#goesOn();
      if (pair.closed) return;
      const server = await Deno.connect(this.#server);
      pair.join(server);
      await Promise.all([this.#pump(client, server, pair), this.#pump(server, client, pair)]);
    } catch {
      // The other side notices by the end of its own connection.
    } finally {
      pair.close();
      this.#pairs.delete(pair);
    }
  }

  /** Copies bytes in one direction until either side ends. */
  async #pump(from: Deno.Conn, to: Deno.Conn, pair: Pair): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    for (let length = await read(from, bytes); length !== null; length = await read(from, bytes)) {
      this.#reached.resolve();
      await this.#goesOn();
      if (this.#mode === "hangs") pair.spoilt = true;
      else if (this.#mode === "breaks") break;
      else if (!await write(to, bytes.subarray(0, length))) break;
    }
    await this.#goesOn();
    pair.close();
  }

  /** Waits while the mode is `stalls`. What else is sent then is held back by TCP itself. */
  async #goesOn(): Promise<void> {
    while (this.#mode === "stalls") await this.#changed.promise;
  }
}

/** A client's connection and the one made for it. */
class Pair {
  readonly #ends: Deno.Conn[];
  closed = false;
  spoilt = false;

  constructor(client: Deno.Conn) {
    this.#ends = [client];
  }

  join(server: Deno.Conn): void {
    if (this.closed) server.close();
    else this.#ends.push(server);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const end of this.#ends) end.close();
  }
}

/** `null` at the end of the connection, clean or not. */
async function read(from: Deno.Conn, bytes: Uint8Array): Promise<number | null> {
  return await from.read(bytes).catch(() => null);
}

async function write(to: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let done = 0; done < bytes.length;) done += await to.write(bytes.subarray(done));
    return true;
  } catch {
    return false;
  }
}
