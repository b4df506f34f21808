import assert from "node:assert/strict";
import { TcpGate } from "../../src/testing/tcp_gate.ts";

/** A server that sends back what it gets. */
class Echo implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ended = this.#serve();
  readonly addr = this.#listener.addr;

  async #serve(): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      all.push(connection.readable.pipeTo(connection.writable).catch(() => {}));
    }
    await Promise.all(all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#ended;
  }
}

async function exchange(connection: Deno.Conn, text: string): Promise<string | null> {
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(100);
  const length = await connection.read(bytes).catch(() => null);
  return length === null ? null : new TextDecoder().decode(bytes.subarray(0, length));
}

Deno.test("set() lets pass, swallows, cuts and shuts, on a connection that is open already", async () => {
  await using echo = new Echo();
  await using gate = new TcpGate(echo.addr);
  const address = { hostname: "127.0.0.1", port: gate.port };

  using first = await Deno.connect(address);
  assert.equal(await exchange(first, "a"), "a");
  gate.set("breaks");
  assert.equal(await exchange(first, "b"), null);

  gate.set("passes");
  using second = await Deno.connect(address);
  assert.equal(await exchange(second, "c"), "c");
  gate.set("hangs");
  const answer = exchange(second, "d");
  await gate.reached();
  gate.set("down");
  assert.equal(await answer, null);
  await assert.rejects(Deno.connect(address), Deno.errors.ConnectionRefused);

  gate.set("passes");
  using third = await Deno.connect(address);
  assert.equal(await exchange(third, "e"), "e");
});

Deno.test("set() holds everything back while it stalls, also the end of a connection, and lets it arrive afterwards", async () => {
  await using echo = new Echo();
  await using gate = new TcpGate(echo.addr);
  const address = { hostname: "127.0.0.1", port: gate.port };
  using first = await Deno.connect(address);
  assert.equal(await exchange(first, "a"), "a");

  gate.set("stalls");
  let isAnswered = false;
  const answer = exchange(first, "b").finally(() => isAnswered = true);
  await gate.reached();
  // A new one is accepted by the system, and no more.
  using second = await Deno.connect(address);
  const other = exchange(second, "c").finally(() => isAnswered = true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(isAnswered, false);

  gate.set("passes");
  assert.deepEqual(await Promise.all([answer, other]), ["b", "c"]);
  assert.equal(await exchange(first, "d"), "d");
});

Deno.test("set() hides from a server while it stalls that a client has gone", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using gate = new TcpGate(server.addr);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: gate.port });
  using accepted = await server.accept();
  gate.set("stalls");
  client.close();
  let hasEnded = false;
  const end = accepted.read(new Uint8Array(1)).catch(() => null).finally(() => hasEnded = true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(hasEnded, false);
  gate.set("passes");
  assert.equal(await end, null);
});

Deno.test("A gate that stalls can be closed for good", async () => {
  await using echo = new Echo();
  const gate = new TcpGate(echo.addr);
  const address = { hostname: "127.0.0.1", port: gate.port };
  using first = await Deno.connect(address);
  assert.equal(await exchange(first, "a"), "a");
  gate.set("stalls");
  using second = await Deno.connect(address);
  const answers = [exchange(first, "b"), exchange(second, "c")];
  await gate.reached();
  await gate[Symbol.asyncDispose]();
  assert.deepEqual(await Promise.all(answers), [null, null]);
});
