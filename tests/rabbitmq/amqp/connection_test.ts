import assert from "node:assert/strict";
import { type AddressInfo, connect as connectTo, createServer } from "node:net";
import "node:tls";
import fc from "fast-check";
import { Connection as Publishing } from "rabbitmq-client";
import { AmqpError } from "../../../src/rabbitmq/amqp/amqp_error.ts";
import { Connection, type ConnectionOptions } from "../../../src/rabbitmq/amqp/connection.ts";
import type { Delivery } from "../../../src/rabbitmq/amqp/message_assembler.ts";
import { type PrivateRabbit, startRabbit } from "../../../tools/rabbitmq.ts";
import { until } from "../../support/until.ts";
import { answering, frame, Recording, replay, type Saying } from "./conversation.ts";

/** The smallest that there is, so that most bodies have several frames. */
/** RabbitMQ from 4.1 on takes no less. */
const FRAME_BYTES = 8192;
const QUEUE = "conversation";
/** Around the sizes of one, two and many frames, and more than one read brings. */
const SIZES = [0, 1, 4087, 4088, 4089, 8176, 8177, 3000, 300_000, 2];
/** Before and behind the one that is looked for: values of every type that a publisher can write. */
const HEADERS = {
  a: "text",
  b: 1,
  c: -5.5,
  d: true,
  e: [1, "x", [2]],
  f: { compression: "inner" },
  g: null,
  h: 2 ** 40,
};

/** No timer and no socket. */
const LEAVES_NOTHING = { sanitizeOps: true, sanitizeResources: true };

let rabbit: PrivateRabbit;
let conversation: readonly Saying[];
let told: readonly Delivery[];

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit({ settings: [`frame_max = ${FRAME_BYTES}`] });
  await publish(SIZES);
  const recording = new Recording();
  told = await converse({ open: recording.open });
  conversation = recording.sayings;
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("Connection gives messages of any size whole, with the header compression", () => {
  assert.deepEqual(told.map(({ body }) => body), SIZES.map(bodyOf));
  assert.deepEqual(told.map(({ tag }) => tag), SIZES.map((_, index) => index + 1));
  for (const { compression, exchange, routingKey, redelivered } of told) {
    assert.deepEqual([compression, exchange, routingKey, redelivered], ["application/x-gzip", "", QUEUE, false]);
  }
});

Deno.test("Connection gives the same messages wherever the broker's bytes are cut", async () => {
  const sizes = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20_000 })));
  await fc.assert(
    fc.asyncProperty(sizes, async (sizes) => {
      const { open } = replay(conversation, () => sizes.next().value!);
      assert.deepEqual(await converse({ open }), told);
    }),
    { numRuns: 20 },
  );
  assert.deepEqual(await converse({ open: replay(small(conversation), () => 1).open }, []), []);
});

Deno.test(
  "Connection ends with a reason, and never otherwise, when the broker's bytes are changed or end early",
  LEAVES_NOTHING,
  async () => {
    const codes = new Map<string, number>();
    const where = fc.oneof(fc.nat(700), fc.nat(400_000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(where, fc.nat(255)), { maxLength: 3 }),
        fc.option(where),
        async (changes, end) => {
          const { open, isClosed } = replay(changed(conversation, { changes, end: end ?? Infinity }), () => 65_536);
          try {
            await converse({ open });
          } catch (error) {
            assert.ok(error instanceof AmqpError || /was closed$/.test((error as Error).message), String(error));
            const { code } = error as AmqpError;
            codes.set(code, (codes.get(code) ?? 0) + 1);
          }
          assert.ok(isClosed());
        },
      ),
      { numRuns: 1_500 },
    );
    // One that breaks nothing, or everything in the same way, tests nothing.
    for (const code of ["FRAME_ERROR", "SYNTAX_ERROR", "UNEXPECTED_FRAME", "CHANNEL_ERROR", "CONN_CLOSE"]) {
      assert.ok((codes.get(code) ?? 0) > 0, `${code} among ${JSON.stringify([...codes])}`);
    }
  },
);

Deno.test("Connection goes on when publishers are blocked, and when a channel is told to pause or to go on", async () => {
  const blocked = frame(0, [0, 10, 0, 60, 3, ...new TextEncoder().encode("low")]);
  const unblocked = frame(0, [0, 10, 0, 61]);
  const flow = frame(1, [0, 20, 0, 20, 0]);
  // Its first channel is open when the broker answers the first time that we have asked for something there.
  const at = conversation.findIndex(({ bytes }) => startsWith(bytes, [1, 0, 1]) && bytes[10] === 11) + 1;
  const more = [blocked, unblocked, flow].map((bytes) => ({ bytes, after: 0 }));
  const { open } = replay(conversation.toSpliced(at, 0, ...more), () => 65_536);
  assert.deepEqual(await converse({ open }), told);
});

for (
  const [label, bytes, expected] of [
    ["closes at once", [], { code: "CONN_CLOSE" }],
    ["answers with its own protocol header", [..."AMQP"].map((letter) => letter.charCodeAt(0)), {
      code: "FRAME_ERROR",
    }],
    ["speaks TLS", [21, 3, 3, 0, 2, 2, 70], { code: "FRAME_ERROR", message: /right port, with TLS or without/ }],
    ["sends something else first", [...frame(0, [0, 10, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0])], { code: "UNEXPECTED_FRAME" }],
    ["speaks AMQP 0-8", [...frame(0, [0, 10, 0, 10, 8, 0])], { code: "NOT_IMPLEMENTED", message: /AMQP 8-0/ }],
    [
      "knows no PLAIN",
      [...frame(0, [0, 10, 0, 10, 0, 9, 0, 0, 0, 0, 0, 0, 0, 8, ...new TextEncoder().encode("EXTERNAL")])],
      { code: "NOT_IMPLEMENTED", message: /EXTERNAL/ },
    ],
    ["sends a message on channel 0", [3, 0, 0, 0, 0, 0, 0, 0xce], { code: "UNEXPECTED_FRAME" }],
    ["uses a channel that is not open", [1, 0, 7, 0, 0, 0, 0, 0xce], { code: "CHANNEL_ERROR" }],
    ["ends in the middle of a method", [...frame(0, [0, 10])], { code: "SYNTAX_ERROR" }],
  ] as const
) {
  Deno.test(`Connection.open() rejects when the server ${label}`, async () => {
    const sayings = bytes.length === 0 ? [] : [{ bytes: new Uint8Array(bytes), after: 8 }];
    const { open, isClosed } = replay(sayings, () => 65_536);
    await assert.rejects(Connection.open(options({ open })), expected);
    assert.ok(isClosed());
  });
}

Deno.test(
  "Connection.open() leaves no timer when the handshake breaks in the read that it got on with",
  LEAVES_NOTHING,
  async () => {
    const tune = frame(0, [0, 10, 0, 30, 0, 0, 0, 0, 0, 0, 0, 60]);
    const [start] = conversation;
    const torn = { bytes: new Uint8Array([...tune, 0]), after: 9 };
    await assert.rejects(Connection.open(options({ open: replay([start!, torn], () => 65_536).open })), {
      code: "FRAME_ERROR",
    });
  },
);

Deno.test("Connection.open() rejects with the reason of the signal when the server does not answer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const giveUp = new AbortController();
  const opening = Connection.open(options({ port: listener.addr.port, signal: giveUp.signal }));
  using server = await listener.accept();
  const header = new Uint8Array(100);
  assert.equal(await server.read(header), 8);
  giveUp.abort(new Error("enough"));
  await assert.rejects(opening, /^Error: enough$/);
  assert.equal(await server.read(header), null);
  await assert.rejects(Connection.open(options({ signal: giveUp.signal })), /^Error: enough$/);
});

for (const [label, tls] of [["in the clear", null], ["over TLS", { rejectUnauthorized: true }]] as const) {
  Deno.test(
    // TLS is loaded already, above: what is waited for here is the server alone.
    `Connection.open() gives up a server that accepts and says nothing, ${label}`,
    LEAVES_NOTHING,
    async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const opening = Connection.open(options({ port: listener.addr.port, tls, connectMs: 100 }));
      const rejected = assert.rejects(opening, { code: "CONNECTION_TIMEOUT" });
      using server = await listener.accept();
      await rejected;
      const bytes = new Uint8Array(10_000);
      while (await server.read(bytes) !== null);
    },
  );
}

Deno.test(
  "Connection.open() gives up a broker that falls silent anywhere in the handshake",
  LEAVES_NOTHING,
  async () => {
    const handshake = small(conversation).slice(0, 3);
    for (let count = 0; count < handshake.length; count++) {
      const open = () => Promise.resolve(answering(handshake.slice(0, count).map(({ bytes }) => bytes)));
      await assert.rejects(Connection.open(options({ open, connectMs: 20 })), { code: "CONNECTION_TIMEOUT" });
    }
  },
);

Deno.test("Connection.open() names what it was refused for", async () => {
  await assert.rejects(Connection.open(options({ password: "wrong" })), { code: "ACCESS_REFUSED" });
  await assert.rejects(Connection.open(options({ vhost: "nowhere" })), { code: "NOT_ALLOWED", message: /nowhere/ });
  await assert.rejects(Connection.open(options({ host: "no-such-host.invalid" })), { code: "ENOTFOUND" });
});

Deno.test("Connection leaves nothing behind, however often and in whatever way it ends", LEAVES_NOTHING, async () => {
  for (let count = 0; count < 60; count++) {
    const connection = await Connection.open(options({}));
    const channel = await connection.openChannel();
    const asking = channel.qos(1);
    if (count % 3 === 0) await asking;
    else asking.catch(() => {});
    if (count % 2 === 0) connection.destroy();
    await connection.close();
    assert.equal(channel.open, false);
  }
});

Deno.test("Connection is lost with the system's reason when it is reset in the middle of a message", async () => {
  await publish([300_000]);
  const proxy = createServer((near) => {
    const far = connectTo(rabbit.port, "127.0.0.1");
    let came = 0;
    near.on("error", () => {}).on("close", () => far.destroy()).pipe(far);
    far.on("error", () => {}).on("data", (bytes) => {
      came += bytes.byteLength;
      if (came < 100_000) near.write(bytes);
      else near.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    await assert.rejects(converse({ port: (proxy.address() as AddressInfo).port }), { code: "ECONNRESET" });
  } finally {
    proxy.close();
  }
});

Deno.test("Channel rejects with the broker's reason, and its connection goes on", async () => {
  await using connection = await opened();
  await using other = await opened();
  const holder = await other.openChannel();
  await holder.queueDeclare({ queue: "mine", exclusive: true });
  const refusals: [string, string, RegExp][] = [["", "NOT_FOUND", /^NOT_FOUND - no exchange/]];
  refusals.push(["mine", "RESOURCE_LOCKED", /mine/], [QUEUE, "PRECONDITION_FAILED", /inequivalent arg 'durable'/]);
  refusals.push(["amq.mine", "ACCESS_REFUSED", /amq\.mine/]);
  const ids = new Set<number>();
  for (const [queue, code, message] of refusals) {
    let gone: unknown;
    const channel = await connection.openChannel({ onGone: (error) => gone = error });
    const call = queue === ""
      ? channel.exchangeDeclare({ exchange: "nowhere", passive: true })
      : channel.queueDeclare({ queue, durable: true });
    await assert.rejects(call, { code, message });
    assert.equal((gone as AmqpError).code, code);
    assert.equal(channel.open, false);
    await assert.rejects(channel.qos(1), { code });
    await channel.close();
    // What still comes for the one before must not reach it.
    ids.add(channel.id);
  }
  assert.equal(ids.size, refusals.length);
});

Deno.test("Channel declares, binds, unbinds and deletes", async () => {
  await using connection = await opened();
  const channel = await connection.openChannel();
  const binding = { queue: "bound", exchange: "amq.topic", routingKey: "a.#" };
  const declaration = { queue: "bound", exclusive: true, autoDelete: true, arguments: { "x-max-length": 5 } };
  assert.deepEqual(await channel.queueDeclare(declaration), { messageCount: 0, consumerCount: 0 });
  await channel.queueBind(binding);
  assert.match(await rabbit.ctl("list_bindings", "source_name", "routing_key"), /amq\.topic\ta\.#/);
  await channel.queueUnbind(binding);
  await channel.exchangeUnbind({ destination: "amq.fanout", source: "amq.topic", routingKey: "none" });
  assert.doesNotMatch(await rabbit.ctl("list_bindings", "source_name", "routing_key"), /amq\.topic/);
  await channel.queueDelete({ queue: "bound" });
  await assert.rejects(channel.queueDeclare({ queue: "bound", passive: true }), { code: "NOT_FOUND" });
});

Deno.test("Connection tells every channel and every call why it was lost", async () => {
  const connection = await opened();
  const gone: unknown[] = [];
  await connection.openChannel({ onGone: (error) => gone.push(error) });
  const waiting = await connection.openChannel({ onGone: (error) => gone.push(error) });
  await waiting.close();
  await rabbit.ctl("close_all_connections", "maintenance");
  await until(() => connection.lost.aborted);
  const reason = connection.lost.reason;
  assert.equal(reason.code, "CONNECTION_FORCED");
  assert.match(reason.message, /maintenance/);
  assert.deepEqual(gone, [reason]);
  await assert.rejects(connection.openChannel(), reason);
  await connection.close();
});

Deno.test("Connection sends heartbeats, and stays while the broker sends them", async () => {
  let [sent, came] = [0, 0];
  const recording = new Recording();
  const open: ConnectionOptions["open"] = async (options) => {
    const transport = await recording.open(options);
    return {
      ...transport,
      write: (bytes) => {
        if (bytes[0] === 8) sent++;
        return transport.write(bytes);
      },
    };
  };
  await using connection = await opened({ open, heartbeatSeconds: 1 });
  await until(() => {
    came = recording.sayings.filter(({ bytes }) => bytes[0] === 8).length;
    return sent > 4 && came > 2;
  });
  assert.equal(connection.lost.aborted, false);
});

Deno.test("Connection is lost when the broker has stopped reading, before memory is", async () => {
  const { open } = replay(conversation, () => 65_536);
  let stuck = false;
  const jammed: ConnectionOptions["open"] = async () => {
    const transport = await open();
    return { ...transport, write: (bytes) => stuck ? new Promise(() => {}) : transport.write(bytes) };
  };
  const connection = await Connection.open(options({ open: jammed }));
  const channel = await connection.openChannel();
  stuck = true;
  for (let tag = 1; tag <= 100_000 && channel.open; tag++) channel.ackThrough(tag);
  assert.match(connection.lost.reason.message, /has stopped reading/);
});

/** What a consumer does from the first byte to the last; gives what it got. */
async function converse(more: Partial<ConnectionOptions>, sizes: readonly number[] = SIZES): Promise<Delivery[]> {
  const connection = await Connection.open(options(more));
  const deliveries: Delivery[] = [];
  try {
    const got = Promise.withResolvers<void>();
    // It may be over before anybody waits for it.
    got.promise.catch(() => {});
    const channel = await connection.openChannel({ onGone: got.reject });
    await channel.queueDeclare({ queue: QUEUE, passive: true });
    await channel.qos(4);
    const onDelivery = (delivery: Delivery) => {
      deliveries.push({ ...delivery, body: delivery.body.slice() });
      if (delivery.tag % 2 === 0) channel.ackThrough(delivery.tag);
      if (deliveries.length === sizes.length) got.resolve();
    };
    if (sizes.length === 0) return [];
    await channel.consume({ queue: QUEUE, exclusive: true, onDelivery });
    await got.promise;
    await channel.cancel();
    await channel.close();
    await connection.close();
    return deliveries;
  } finally {
    await connection.close();
  }
}

async function publish(sizes: readonly number[]): Promise<void> {
  const connection = new Publishing({ url: rabbit.url, frameMax: FRAME_BYTES });
  const channel = await connection.acquire();
  await channel.queueDeclare({ queue: QUEUE });
  await channel.confirmSelect();
  const headers = { ...HEADERS, compression: "application/x-gzip", ...{ z: "behind" } };
  const envelope = { routingKey: QUEUE, contentType: "application/json", contentEncoding: "utf-8", headers };
  for (const size of sizes) await channel.basicPublish({ ...envelope, messageId: "1" }, Buffer.from(bodyOf(size)));
  await channel.close();
  await connection.close();
}

async function opened(more: Partial<ConnectionOptions> = {}): Promise<Connection & AsyncDisposable> {
  const connection = await Connection.open(options(more));
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

function options(more: Partial<ConnectionOptions>): ConnectionOptions {
  const { port } = rabbit;
  const login = { host: "127.0.0.1", port, user: "guest", password: "guest", vhost: "/", tls: null };
  return { ...login, heartbeatSeconds: 10, name: "test", signal: new AbortController().signal, ...more };
}

/** Another one for each size. */
function bodyOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => index * 7 + size);
}

/** The handshake alone, which can be cut at every byte. */
function small(sayings: readonly Saying[]): Saying[] {
  return sayings.filter(({ bytes }) => bytes.byteLength < 2_000).slice(0, 6);
}

function changed(
  sayings: readonly Saying[],
  { changes, end }: { readonly changes: readonly (readonly [number, number])[]; readonly end: number },
): Saying[] {
  let from = 0;
  return sayings.flatMap(({ bytes, after }) => {
    const copy = bytes.slice(0, Math.max(0, end - from));
    for (const [at, byte] of changes) if (at >= from && at - from < copy.byteLength) copy[at - from] = byte;
    from += bytes.byteLength;
    return copy.byteLength === 0 ? [] : [{ bytes: copy, after }];
  });
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
