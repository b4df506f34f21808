import assert from "node:assert/strict";
import { type Channel, Connection, type Envelope } from "rabbitmq-client";
import type { RabbitSource } from "../../src/model/config.ts";
import { UserError } from "../../src/model/errors.ts";
import type { Gap, GapRecord } from "../../src/model/gap.ts";
import { Broker, type BrokerOptions, type Delivered } from "../../src/rabbitmq/consumer.ts";
import { Bindings } from "../../src/rabbitmq/bindings.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { until } from "../support/until.ts";

const USER = "watcher";
const PASSWORD = "hush-4711%/@";

let rabbit: PrivateRabbit;
let secure: PrivateRabbit;
let pki: string;

Deno.test.beforeAll(async () => {
  pki = await makeCertificates();
  const files = { ca: `${pki}/ca.pem`, cert: `${pki}/server.pem`, key: `${pki}/server.key` };
  [rabbit, secure] = await Promise.all([
    startRabbit(),
    // Small frames and no quorum queues, which some tests need and the TLS tests do not mind.
    startRabbit({ tls: files, settings: ["frame_max = 8192"], env: { RABBITMQ_FEATURE_FLAGS: "" } }),
  ]);
  for (const server of [rabbit, secure]) {
    await server.ctl("add_user", USER, PASSWORD);
    await server.ctl("set_permissions", USER, ".*", ".*", ".*");
  }
});

Deno.test.afterAll(async () => {
  await Promise.all([rabbit.stop(), secure.stop()]);
  await Deno.remove(pki, { recursive: true });
});

const JSON_BYTES = bytes('{ "big": 12345678901234567890,\n  "name": "\u00e4" }');
const COMPRESSED = await compress(JSON_BYTES);

for (
  const [label, envelope, body] of [
    ["JSON without an encoding", { contentType: "application/json" }, JSON_BYTES],
    ["JSON with an encoding", { contentType: "application/json", contentEncoding: "utf-8" }, JSON_BYTES],
    ["text without an encoding", { contentType: "text/plain" }, new Uint8Array([0xff, 0xfe, 0x00, 0x41])],
    ["text with an encoding", { contentType: "text/plain", contentEncoding: "utf-8" }, JSON_BYTES],
    ["no content type", {}, new Uint8Array([0, 1, 2, 0x80, 0xff])],
    ["nothing", { contentType: "application/json" }, new Uint8Array()],
    [
      "compressed JSON",
      { contentType: "application/json", headers: { compression: "application/x-gzip" } },
      COMPRESSED,
    ],
    ["compressed text", { contentType: "text/plain", headers: { compression: "application/x-gzip" } }, COMPRESSED],
  ] satisfies [string, Partial<Envelope>, Uint8Array][]
) {
  Deno.test(`Broker.onDelivered() gets the published bytes when the message is ${label}`, async () => {
    await using bus = await Bus.open(rabbit);
    const queue = await bus.queue();
    await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
    await bus.publish({ ...envelope, routingKey: queue }, body);
    const [message] = await listener.received(1);
    assert.deepEqual(message!.body, body);
    assert.equal(message!.compression, "headers" in envelope ? envelope.headers.compression : null);
  });
}

Deno.test("Broker.onDelivered() gets large bodies whole when the broker allows only small frames", async () => {
  await using bus = await Bus.open(secure);
  const queue = await bus.queue();
  const body = crypto.getRandomValues(new Uint8Array(50_000));
  await bus.publish({ routingKey: queue }, body);
  await using listener = await Listener.start({ ...login(secure), watchQueue: queue });
  const [message] = await listener.received(1);
  assert.deepEqual(message!.body, body);
});

Deno.test("Broker.onDelivered() gets bodies that many reads bring whole, in the clear and over TLS", async () => {
  await using bus = await Bus.open(secure);
  const queue = await bus.queue();
  // Each other than the one that lay in the same place before.
  const bodies = [300_000, 1, 700_000, 0, 4_000].map((size) => Uint8Array.from({ length: size }, (_, at) => at ^ size));
  for (const body of bodies) await bus.publish({ routingKey: queue }, body);
  const tls = { caFile: `${pki}/ca.pem`, certFile: `${pki}/client.pem`, keyFile: `${pki}/client.key` };
  const url = `amqps://${USER}:${encodeURIComponent(PASSWORD)}@localhost:${secure.tlsPort}/`;
  for (const source of [login(secure), { url, tls }]) {
    await using listener = await Listener.start({ ...source, watchQueue: queue });
    const messages = await listener.received(bodies.length);
    assert.deepEqual(messages.map(({ body }) => body), bodies);
  }
});

Deno.test("Broker.onDelivered() learns where a message came from, in the order of publication", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange();
  await using listener = await Listener.start({ ...login(rabbit), queue: ownQueue([exchange]) });
  for (const text of ["1", "2", "3"]) await bus.publish({ exchange, routingKey: "notifications.info" }, bytes(text));
  await bus.publish({ exchange, routingKey: "notifications.error" }, bytes("not for us"));
  await bus.publish({ exchange, routingKey: "versioned_notifications.info" }, bytes("4"));
  const messages = await listener.received(4);
  assert.deepEqual(messages.map(text), ["1", "2", "3", "4"]);
  assert.deepEqual(messages.map((message) => message.tag), [1, 2, 3, 4]);
  assert.equal(messages[3]!.exchange, exchange);
  assert.equal(messages[3]!.routingKey, "versioned_notifications.info");
  assert.equal(messages[3]!.redelivered, false);
});

Deno.test("Broker.onDelivered() gets no more than prefetch messages when none is acknowledged", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  for (let index = 0; index < 7; index++) await bus.publish({ routingKey: queue }, bytes(String(index)));
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue, prefetch: 3 });
  const first = await listener.received(3);
  assert.equal(first[0]!.channel.prefetch, 3);
  assert.equal(await bus.ready(queue), 4);
  first[1]!.channel.ackThrough(2);
  await listener.received(5);
  assert.equal(await bus.ready(queue), 2);
});

Deno.test("Broker.onDelivered() gets a message again when it threw", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const seen: Delivered[] = [];
  const log = new Recorder();
  await using broker = new Broker({
    source: { ...login(rabbit), watchQueue: queue },
    log,
    random: () => 0,
    onDelivered(message) {
      if (seen.push(message) === 1) throw new Error("disk full");
    },
  });
  await broker.start();
  await bus.publish({ routingKey: queue }, bytes("x"));
  await until(() => seen.length === 2);
  assert.equal(seen[1]!.redelivered, true);
  assert.equal(log.count(/Cannot consume queue ".*": disk full; trying again in 1 s/), 1);
});

Deno.test("DeliveryChannel.ackThrough() frees everything up to the tag and nothing beyond when the broker stops", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  for (const text of ["1", "2", "3", "4", "5"]) await bus.publish({ routingKey: queue }, bytes(text));
  {
    await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
    const [first] = await listener.received(5);
    first!.channel.ackThrough(3);
  }
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  const messages = await listener.received(2);
  assert.deepEqual(messages.map(text), ["4", "5"]);
  assert.ok(messages.every((message) => message.redelivered));
});

Deno.test("DeliveryChannel.ackThrough() does nothing when the tag was acknowledged before, or is 0", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  for (const text of ["1", "2", "3"]) await bus.publish({ routingKey: queue }, bytes(text));
  const { channel } = (await listener.received(3))[0]!;
  for (const tag of [0, 2, 2, 1, 0]) channel.ackThrough(tag);
  await bus.publish({ routingKey: queue }, bytes("4"));
  await listener.received(4);
  assert.equal(channel.open, true);
  await listener.broker.stop();
  assert.equal(await bus.ready(queue), 2);
});

Deno.test("DeliveryChannel.ackThrough() does nothing when the connection was lost, and the messages come again", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  for (const text of ["1", "2", "3"]) await bus.publish({ routingKey: queue }, bytes(text));
  const before = (await listener.received(3))[0]!.channel;
  before.ackThrough(1);
  await until(async () => (await rabbit.ctl("list_queues", "name", "messages")).includes(`${queue}\t2`));
  await dropConnections(USER);
  const messages = (await listener.received(5)).slice(3);
  assert.deepEqual(messages.map(text), ["2", "3"]);
  assert.deepEqual(messages.map((message) => message.tag), [1, 2]);
  assert.equal(before.open, false);
  before.ackThrough(3);
  await listener.broker.stop();
  assert.equal(await bus.ready(queue), 2);
  assert.equal(listener.log.count(/^Lost the connection to 127\.0\.0\.1:\d+: .+; trying again in 1 s$/), 1);
  assert.equal(listener.log.count(/^Listening on queue ".*" at 127\.0\.0\.1:\d+ again$/), 1);
});

Deno.test("Broker.start() rejects when the watched queue has another consumer", async () => {
  await using bus = await Bus.open(rabbit);
  for (const type of ["classic", "quorum"] as const) {
    const queue = await bus.queue({ durable: true, arguments: { "x-queue-type": type } });
    await using first = await Listener.start({ ...login(rabbit), watchQueue: queue });
    await refused(
      { ...login(rabbit), watchQueue: queue },
      new RegExp(`^Queue "${queue}" is in use by another consumer: .*rabbit.queue$`),
    );
    await bus.publish({ routingKey: queue }, bytes("still there"));
    await first.received(1);
  }
});

Deno.test("Broker.start() rejects when the watched queue does not exist, and does not declare it", async () => {
  await using bus = await Bus.open(rabbit);
  await refused(
    { ...login(rabbit), watchQueue: "no.such.info" },
    /^Queue "no.such.info" does not exist: .*rabbit.queue$/,
  );
  await assert.rejects(bus.ready("no.such.info"), /NOT_FOUND/);
});

Deno.test("Broker.start() rejects when the watched queue lets nobody have it exclusively", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue({ arguments: { "x-single-active-consumer": true } });
  await refused({ ...login(rabbit), watchQueue: queue }, new RegExp(`^Queue "${queue}" `));
});

Deno.test("Broker.start() rejects without a word of the password when the password or the vhost is wrong", async () => {
  const wrong = { ...login(rabbit), watchQueue: "any" };
  await refused(
    { ...wrong, password: "guess-0815" },
    /refuses user "watcher": check rabbit\.user and rabbit\.password/,
  );
  await refused({ ...wrong, vhost: "nowhere" }, /has no vhost "nowhere": .*\(vhost nowhere not found\)$/);
});

Deno.test("Broker.start() rejects when our user has no rights in the vhost, or none to the queue", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue({ durable: true });
  // A name is no limit.
  await using _ = await vhost("limit (0) is reached");
  const stranger = { ...login(rabbit), user: "stranger" };
  await rabbit.ctl("add_user", "stranger", PASSWORD);
  try {
    await refused(
      { ...stranger, vhost: "limit (0) is reached", watchQueue: queue },
      /does not let user "stranger" into vhost "limit \(0\) is reached": check rabbit\.vhost/,
    );
    await rabbit.ctl("set_permissions", "stranger", "^$", "^.*$", "^$");
    await refused(
      { ...stranger, watchQueue: queue },
      /^RabbitMQ does not let us read queue ".*": (?:read )?access to queue .* Our user needs the right to read it$/,
    );
    await rabbit.ctl("set_permissions", "stranger", "^$", "^$", "^$");
    await refused({ ...stranger, watchQueue: queue }, /^RabbitMQ does not let us read queue ".*"/);
    await refused(
      { ...stranger, queue: { name: "missing", exchanges: [] } },
      /^RabbitMQ does not let us declare queue "missing": .* Our user needs the right to configure/,
    );
    await refused(
      { ...login(rabbit), queue: { name: "amq.own" } },
      /^Queue "amq\.own" cannot be ours: .*reserved prefix/,
    );
  } finally {
    await rabbit.ctl("delete_user", "stranger");
  }
});

for (
  const { what, set, clear, text } of [
    {
      what: "connections of the vhost",
      set: ["set_vhost_limits", "-p", "limited", '{"max-connections": 0}'],
      clear: ["clear_vhost_limits", "-p", "limited"],
      text:
        /^Cannot connect to .*: connection limit \(0\) is reached \(rabbitmqctl set_vhost_limits raises max-connections\); /,
    },
    {
      what: "connections of the user",
      set: ["set_user_limits", USER, '{"max-connections": 0}'],
      clear: ["clear_user_limits", USER, "all"],
      text:
        /^Cannot connect to .*: user connection limit \(0\) is reached \(rabbitmqctl set_user_limits raises max-connections\); /,
    },
    {
      what: "channels of the user",
      set: ["set_user_limits", USER, '{"max-channels": 0}'],
      clear: ["clear_user_limits", USER, "all"],
      text:
        /: number of channels .* limit of \(?0\)? \(rabbitmqctl set_user_limits raises max-channels\); trying again/,
    },
    {
      what: "queues of the vhost",
      set: ["set_vhost_limits", "-p", "limited", '{"max-queues": 0}'],
      clear: ["clear_vhost_limits", "-p", "limited"],
      text:
        /^Cannot consume queue ".*": cannot declare .* queue limit .* \(0\) is reached \(rabbitmqctl set_vhost_limits raises max-queues\); /,
    },
  ]
) {
  Deno.test(`Broker.start() tells the limit of ${what}, and waits until it is lifted`, async () => {
    await using _ = await vhost("limited");
    await rabbit.ctl(...set);
    const source = { ...login(rabbit), vhost: "limited", queue: { name: "own", exchanges: [] } };
    await using listener = new Listener(source);
    const started = listener.broker.start();
    try {
      await until(() => listener.log.count(text) === 1);
    } finally {
      await rabbit.ctl(...clear);
    }
    await started;
    assert.equal(listener.broker.consuming, true);
  });
}

Deno.test("Broker.start() waits while the vhost is down", async () => {
  await using _ = await vhost("limited");
  await rabbit.ctl("eval", `rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"limited">>).`);
  const source = { ...login(rabbit), vhost: "limited", queue: { name: "own", exchanges: [] } };
  await using listener = new Listener(source);
  const started = listener.broker.start();
  await until(() => listener.log.count(/^Cannot connect to .*: vhost 'limited' is down \(.*\); trying again/) === 1);
  await rabbit.ctl("restart_vhost", "-p", "limited");
  await started;
});

Deno.test("Broker.start() rejects when a name is longer than AMQP allows", async () => {
  // Of 255 characters, which config.ts may give a queue.
  await refused({ ...login(rabbit), watchQueue: "\u00e4".repeat(255) }, /"\u00e4{60}…".* 510 bytes.* 255/);
  await refused({ ...login(rabbit), queue: ownQueue(["x".repeat(256)]) }, /"x{60}…".* 256 bytes.* 255/);
  await refused({ ...login(rabbit), vhost: "v".repeat(300), watchQueue: "any" }, /"v{60}…".* 300 bytes.* 255/);
});

Deno.test("Broker.start() rejects when our own queue exists with other properties", async () => {
  await using bus = await Bus.open(rabbit);
  const name = await bus.queue({ durable: true });
  await refused(
    { ...login(rabbit), queue: { name, exchanges: [] } },
    new RegExp(`^Queue "${name}" exists already, with other properties: inequivalent arg`),
  );
});

Deno.test("Broker.start() rejects when the broker cannot do quorum queues", async () => {
  const source = { ...login(secure), queue: { name: unique("own"), exchanges: [] } };
  // From RabbitMQ 4 on every broker can.
  if (await secure.release() >= 4) return await (await Listener.start(source))[Symbol.asyncDispose]();
  await refused(source, /cannot be a quorum queue on this broker: .*rabbit\.queue\.type to "classic"$/);
  await using listener = await Listener.start({ ...source, queue: { ...source.queue, type: "classic" } });
  assert.equal(listener.broker.queue, source.queue.name);
});

Deno.test("Broker.start() rejects when an exchange may not be read", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange();
  await rabbit.ctl("add_user", "reader", PASSWORD);
  await rabbit.ctl("set_permissions", "reader", "^own", "^own", "^own");
  await refused(
    { ...login(rabbit), user: "reader", queue: ownQueue([exchange]) },
    /does not let us bind queue .*right to write to the queue and to read from the exchange$/,
  );
});

Deno.test("Broker.start() stays pending when no broker can be reached, and succeeds when one comes up", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const port = freePort();
  const listener = new Listener({ ...login(rabbit), port, watchQueue: queue });
  await using _ = listener;
  const started = listener.broker.start();
  await until(() =>
    listener.log.count(new RegExp(`^Cannot connect to 127.0.0.1:${port}: refused; trying again in 1 s$`)) === 1
  );
  using _proxy = new Proxy(port, rabbit.port);
  await started;
  await bus.publish({ routingKey: queue }, bytes("x"));
  await listener.received(1);
  assert.equal(listener.log.count(/Cannot connect/), 1);
  await listener.broker.stop();
});

Deno.test("Broker.start() rejects when it is stopped before a broker was reached", async () => {
  const listener = new Listener({ ...login(rabbit), port: freePort(), watchQueue: "any" });
  const started = listener.broker.start();
  await until(() => listener.log.count(/refused/) === 1);
  await listener.broker.stop();
  await assert.rejects(started, /^Error: Cannot consume queue "any": stopped$/);
});

Deno.test("Broker.start() tries the next address when one does not answer", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const dead = freePort();
  const url = [dead, rabbit.port].map((port) => `amqp://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`);
  await using listener = await Listener.start({ url, watchQueue: queue });
  assert.deepEqual(listener.broker.addresses, [`127.0.0.1:${dead}`, `127.0.0.1:${rabbit.port}`]);
  assert.deepEqual(listener.log.lines, [
    `warn Cannot connect to 127.0.0.1:${dead}: refused; trying 127.0.0.1:${rabbit.port}`,
    `info Listening on queue "${queue}" at 127.0.0.1:${rabbit.port}`,
  ]);
  // 127.0.0.2 is this machine too, and nothing listens there.
  await listener.broker.stop();
  const { port, ...rest } = login(rabbit);
  await using other = await Listener.start({ ...rest, host: ["127.0.0.2", "127.0.0.1"], port, watchQueue: queue });
  assert.equal(other.log.count(/^Cannot connect to 127.0.0.2:/), 1);
});

Deno.test("Broker.addresses shows no credentials, whatever form the source has", () => {
  const addresses = (source: RabbitSource) => new Broker({ source, log: new Recorder(), onDelivered() {} }).addresses;
  const watchQueue = "q";
  assert.deepEqual(addresses({ watchQueue }), ["localhost:5672"]);
  assert.deepEqual(addresses({ watchQueue, tls: true, host: ["a", "::1"] }), ["a:5671", "[::1]:5671"]);
  assert.deepEqual(addresses({ watchQueue, url: ["amqp://u:p@h//", "amqps://u:p@[::1]:7/%2Fv"] }), [
    "h:5672",
    "[::1]:7",
  ]);
  for (
    const [url, expected] of [
      ["http://u:hush@h/", /"http:\/\/" is neither amqp:\/\/ nor amqps:\/\//],
      ["u:hush@h", /neither|not amqp/],
      ["amqp://u:hush%@h/", /its password holds a "%"/],
      ["amqp://u:hush@h/?heartbeat=5", /what follows "\?" is not read/],
      [[], /empty list/],
    ] as [string | string[], RegExp][]
  ) {
    assert.throws(() => addresses({ watchQueue, url }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /hush/);
      return true;
    });
  }
});

Deno.test("Broker.start() connects over TLS when the authority is ours and we show our certificate", async () => {
  await using bus = await Bus.open(secure);
  const queue = await bus.queue();
  const { port: _, ...rest } = login(secure);
  const tls = { caFile: `${pki}/ca.pem`, certFile: `${pki}/client.pem`, keyFile: `${pki}/client.key` };
  const source = { ...rest, port: secure.tlsPort, watchQueue: queue };
  {
    await using listener = await Listener.start({ ...source, tls: { ...tls, serverName: "rabbit.test" } });
    await bus.publish({ routingKey: queue }, bytes("x"));
    (await listener.received(1))[0]!.channel.ackThrough(1);
  }
  const url = `amqps://${USER}:${encodeURIComponent(PASSWORD)}@localhost:${secure.tlsPort}/`;
  {
    await using listener = await Listener.start({ url, tls, watchQueue: queue });
    assert.deepEqual(listener.broker.addresses, [`localhost:${secure.tlsPort}`]);
  }
  await refused(
    { ...source, tls: { ...tls, serverName: "other.test" } },
    /is for another name: set rabbit\.tls\.serverName/,
  );
  await refused(
    { url, watchQueue: queue, tls: { caFile: tls.caFile } },
    /^The TLS handshake with .* failed: check rabbit\.tls\.certFile/,
  );
  await refused({ url, watchQueue: queue }, /^The certificate of .* is not trusted: set rabbit\.tls\.caFile/);
  await refused(
    { url, watchQueue: queue, tls: { ...tls, caFile: `${pki}/stranger.pem` } },
    /^The certificate of .* is not trusted/,
  );
  await refused({ ...source, port: secure.port, tls }, /does not speak TLS there: check rabbit\.port/);
});

Deno.test("Broker.start() says what may be wrong when the port wants TLS", async () => {
  await using listener = new Listener({ ...login(secure), port: secure.tlsPort, watchQueue: "any" });
  listener.broker.start().catch(() => {});
  await until(() =>
    listener.log.count(/^Cannot connect to .*: .* \(is it the right port, with TLS or without\?\); /) === 1
  );
});

Deno.test("Broker.start() rejects when a certificate cannot be read", async () => {
  const source = { ...login(secure), port: secure.tlsPort, watchQueue: "any" };
  await refused(
    { ...source, tls: { caFile: `${pki}/no.pem` } },
    /^Cannot read rabbit\.tls\.caFile ".*no\.pem": there is no such file\. Correct it, or let this user read the file$/,
  );
  await refused(
    { ...source, tls: { caFile: `${pki}/ca.key` } },
    /^Cannot use rabbit\.tls\.caFile ".*": it holds no PEM block/,
  );
  await refused({ ...source, tls: { certFile: `${pki}/client.pem` } }, /certFile and keyFile go together$/);
});

Deno.test("Broker.start() succeeds when an exchange is missing, and binds within 2 s when it is there", async () => {
  await using bus = await Bus.open(rabbit);
  const [here, later] = [await bus.exchange(), unique("later")];
  await using listener = await Listener.start({ ...login(rabbit), queue: ownQueue([later, here]) });
  assert.equal(listener.log.count(new RegExp(`^Exchange "${later}" is not there yet: `)), 1);
  await bus.publish({ exchange: here, routingKey: "notifications.info" }, bytes("from the other"));
  await listener.received(1);
  await bus.exchange({ exchange: later });
  assert.ok(await bus.msUntilRouted(later) < 2_000);
  const [, message] = await listener.received(2);
  assert.equal(message!.exchange, later);
  await until(() => listener.log.count(new RegExp(`^Queue ".*" is bound to exchange "${later}" now$`)) === 1);
  assert.equal(listener.log.count(/not there yet/), 1);
  assert.equal(listener.log.count(/could arrive/), 0);
  // The broker closes a channel over each probe, never the one that consumes.
  assert.equal(message!.channel.open, true);
  assert.equal(message!.tag, 2);
});

Deno.test("Broker.start() leaves a message in the queue however often it was delivered", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = ownQueue([]);
  for (let times = 0; times < 25; times++) {
    await using listener = await Listener.start({ ...login(rabbit), queue });
    if (times === 0) await bus.publish({ routingKey: queue.name }, bytes("x"));
    await listener.received(1);
  }
});

Deno.test("Broker.start() waits as a standby when another has our queue, and takes over when that stops", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange();
  const source = { ...login(rabbit), queue: ownQueue([exchange]) };
  await using active = await Listener.start(source);
  await using standby = await Listener.start(source);
  for (const text of ["1", "2", "3"]) await bus.publish({ exchange, routingKey: "notifications.info" }, bytes(text));
  (await active.received(3))[0]!.channel.ackThrough(1);
  assert.equal(standby.messages.length, 0);
  await active.broker.stop();
  assert.deepEqual((await standby.received(2)).map(text), ["2", "3"]);
});

Deno.test("Broker declares and binds our own queue again when it was deleted, and tells the gap", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange();
  const queue = ownQueue([exchange]);
  await using listener = await Listener.start({ ...login(rabbit), queue });
  await bus.publish({ exchange, routingKey: "notifications.info" }, bytes("before"));
  const [before] = await listener.received(1);
  await bus.channel.queueDelete(queue.name);
  assert.ok(await bus.msUntilRouted(exchange) < 2_000);
  await listener.received(2);
  assert.equal(before!.channel.open, false);
  assert.equal(listener.log.count(new RegExp(`^Queue "${queue.name}" was deleted`)), 1);
  assert.equal(
    listener.log.count(new RegExp(`^No notifications of exchange ${exchange} could arrive between 20.*Z and 20.*Z: `)),
    1,
  );
});

Deno.test("Broker waits for the watched queue when it was deleted, and goes on when it is there again", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  await bus.channel.queueDelete(queue);
  await until(() => listener.log.count(/does not exist/) === 1);
  await bus.queue({ queue });
  await bus.publish({ routingKey: queue }, bytes("x"));
  await listener.received(1);
  assert.equal(listener.log.count(/does not exist/), 1);
  assert.equal(listener.log.count(/Listening on queue .* again$/), 1);
});

Deno.test("Bindings.renew() binds again when an exchange was deleted and declared anew", async () => {
  await using bus = await Bus.open(rabbit);
  const log = new Recorder();
  const [exchange, other] = [await bus.exchange(), await bus.exchange()];
  const name = await bus.queue();
  const times = [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 7_000];
  const bindings = new Bindings({ name, exchanges: [exchange, other] }, { log, now: () => times.shift()! });
  const open = () => bus.open();
  await bindings.renew(open);
  assert.equal(bindings.complete, true);
  await bus.channel.exchangeDelete({ exchange });
  await bindings.renew(open);
  await bindings.renew(open);
  assert.equal(bindings.complete, false);
  await bus.exchange({ exchange });
  await bindings.renew(open);
  assert.equal(bindings.complete, true);
  assert.ok(await bus.msUntilRouted(exchange) < 1_000);
  bindings.suspectLoss("possible", 8_000);
  times.push(9_000, 9_000, 9_000, 9_000, 9_000);
  await bindings.renew(open);
  assert.deepEqual(log.lines.map((line) => line.replaceAll(/\.000Z|1970-01-01T00:00:/g, "")), [
    `warn Exchange "${exchange}" is not there yet: its service declares it with its first notification. The queue is bound as soon as it is there`,
    `info Queue "${name}" is bound to exchange "${exchange}" now`,
    `warn No notifications of exchange ${exchange} could arrive between 01 and 05: notifications published in that time are lost`,
    `warn Bound to ${exchange}, ${other} again: if an exchange is not durable, notifications published between 08 and 09 may be missing`,
  ]);
});

Deno.test("Broker.pause() ends deliveries and keeps what was delivered valid, until Broker.resume()", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  await bus.publish({ routingKey: queue }, bytes("1"));
  const [first] = await listener.received(1);
  await listener.broker.pause();
  await listener.broker.pause();
  await bus.publish({ routingKey: queue }, bytes("2"));
  assert.equal(await bus.ready(queue), 1);
  assert.equal(first!.channel.open, true);
  first!.channel.ackThrough(1);
  await until(async () => (await rabbit.ctl("list_queues", "name", "messages")).includes(`${queue}\t1`));
  await listener.broker.resume();
  const [, second] = await listener.received(2);
  assert.equal(text(second!), "2");
  assert.equal(second!.tag, 2);
  second!.channel.ackThrough(2);
});

Deno.test("Broker.pause() gives back what is not acknowledged to a standby, before anything else", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange();
  const queue = { name: `${exchange}-shared`, exchanges: [exchange], routingKeys: ["k"], type: "classic" as const };
  await using active = await Listener.start({ ...login(rabbit), queue });
  await using standby = await Listener.start({ ...login(rabbit), queue });
  for (const body of ["1", "2", "3"]) await bus.publish({ exchange, routingKey: "k" }, bytes(body));
  const [first] = await active.received(3);
  first!.channel.ackThrough(1);
  await active.broker.pause({ givesBack: true });
  assert.equal(first!.channel.open, false);
  await bus.publish({ exchange, routingKey: "k" }, bytes("4"));
  assert.deepEqual((await standby.received(3)).map(text), ["2", "3", "4"]);
  await active.broker.resume();
  await standby.broker.pause({ givesBack: true });
  assert.deepEqual((await active.received(6)).slice(3).map(text), ["2", "3", "4"]);
});

Deno.test("Broker.pause() outlives the connection, and Broker.resume() consumes on the new one", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  await listener.broker.pause();
  await dropConnections(USER);
  await until(() => listener.log.count(/^Connected at 127.0.0.1:\d+ again$/) === 1);
  await bus.publish({ routingKey: queue }, bytes("x"));
  assert.equal(await bus.ready(queue), 1);
  await listener.broker.resume();
  await listener.received(1);
});

Deno.test("Broker.stop() leaves no connection, no timer and no consumer", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  await bus.publish({ routingKey: queue }, bytes("x"));
  const [message] = await listener.received(1);
  await Promise.all([listener.broker.stop(), listener.broker.stop()]);
  assert.equal(message!.channel.open, false);
  assert.equal((await bus.channel.queueDeclare({ queue, passive: true })).consumerCount, 0);
  await until(async () => !(await rabbit.ctl("list_connections", "user")).includes(USER));
  await listener.broker.pause();
  await listener.broker.resume();
});

Deno.test("Broker.stop() ends when the broker has gone silent", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const port = freePort();
  using proxy = new Proxy(port, rabbit.port);
  const listener = await Listener.start({ ...login(rabbit), port, watchQueue: queue });
  proxy.silence();
  await listener.broker.stop();
});

Deno.test("Broker gives up a connection without heartbeats, and goes on with the next address", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const port = freePort();
  using proxy = new Proxy(port, rabbit.port);
  const url = [port, rabbit.port].map((port) => `amqp://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`);
  await using listener = await Listener.start({ url, watchQueue: queue, heartbeatSeconds: 1 });
  proxy.silence();
  await until(() => listener.log.count(new RegExp(`^Lost the connection to 127.0.0.1:${port}: no heartbeat;`)) === 1);
  proxy[Symbol.dispose]();
  await bus.publish({ routingKey: queue }, bytes("x"));
  await listener.received(1);
});

Deno.test("Broker tells of a gap that begins before the connection went silent", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange({ durable: true });
  const port = freePort();
  using proxy = new Proxy(port, rabbit.port);
  const url = [port, rabbit.port].map((port) => `amqp://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`);
  await using listener = await Listener.start({ url, queue: ownQueue([exchange]), heartbeatSeconds: 1 });
  // The broker's last bytes are its answer to this.
  await listener.broker.pause();
  const silentAt = Date.now();
  proxy.silence();
  await until(() => listener.log.count(/^Lost the connection/) === 1);
  proxy[Symbol.dispose]();
  const doubt = await until(() => listener.log.find(/ again: if an exchange is not durable, .* between (\S+) and /));
  assert.ok(new Date(doubt[1]!).getTime() <= silentAt, `${doubt[1]} is after ${new Date(silentAt).toISOString()}`);
});

Deno.test("Broker tells of a gap that begins before the thread was kept busy, when the connection was lost meanwhile", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange({ durable: true });
  await using listener = await Listener.start({ ...login(rabbit), queue: ownQueue([exchange]) });
  const since = Date.now();
  await until(async () => (await rabbit.ctl("list_connections", "user")).includes(USER));
  const busyAt = Date.now();
  // What comes meanwhile waits in the socket: a message, and the end.
  await bus.publish({ exchange, routingKey: "notifications.info" }, bytes("x"));
  rabbit.ctlBusy(3_000, "close_all_user_connections", USER, "maintenance");
  const doubt = await until(() =>
    listener.log.find(/ again: if an exchange is not durable, .* between (\S+) and (\S+) may/)
  );
  const [from, to] = [new Date(doubt[1]!).getTime(), new Date(doubt[2]!).getTime()];
  assert.ok(from >= since - 1_000 && from <= busyAt + 1_000, `${from} ${since} ${busyAt}`);
  assert.ok(to >= busyAt + 3_000, `${to} ${busyAt}`);
  assert.deepEqual(listener.gaps.map(({ exchange, from, certainty }) => ({ exchange, from, certainty })), [
    { exchange, from, certainty: "possible" },
    { exchange, from, certainty: "possible" },
  ]);
  assert.deepEqual(listener.gaps[0]!.source, {
    queue: listener.broker.queue,
    brokers: `127.0.0.1:${rabbit.port}`,
  });
  assert.deepEqual([listener.gaps[0]!.to, typeof listener.gaps[1]!.to], [null, "number"]);
});

Deno.test("Broker tells of the gap of a watched queue that was deleted, and of one whose connection was lost", async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue({ durable: true });
  await using listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  await bus.channel.queueDelete({ queue });
  await until(() => listener.log.count(/^Queue ".*" does not exist/) === 1);
  assert.deepEqual(listener.gaps.map(({ to, certainty }) => ({ to, certainty })), [{ to: null, certainty: "lost" }]);
  await bus.queue({ queue, durable: true });
  await until(() =>
    listener.log.count(/^Queue ".*" was deleted: notifications published between \S+ and \S+ are lost/) === 1
  );
  await until(() => listener.broker.consuming);
  await dropConnections(USER);
  await until(() =>
    listener.log.count(/^Queue ".*" is there again: if it is not durable, notifications published/) === 1
  );
  assert.deepEqual(listener.gaps.map(({ exchange, to, certainty }) => [exchange, to !== null, certainty]), [
    [null, false, "lost"],
    [null, true, "lost"],
    [null, false, "possible"],
    [null, true, "possible"],
  ]);
});

Deno.test("Broker tells of the time since an earlier run: bindings may be lost, and are with the queue", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange();
  const source = { ...login(rabbit), queue: ownQueue([exchange]) };
  const lastRunAt = Date.now() - 60_000;
  for (const certainty of ["lost", "possible"]) {
    await using listener = new Listener(source);
    listener.lastRunAt = lastRunAt;
    await listener.broker.start();
    const [gap, ...others] = listener.gaps;
    assert.deepEqual(others, []);
    assert.deepEqual([gap?.exchange, gap?.certainty, gap?.from], [exchange, certainty, lastRunAt]);
    assert.ok(gap?.to !== null && gap!.to >= lastRunAt + 60_000);
  }
  await using first = new Listener(source);
  await first.broker.start();
  assert.deepEqual(first.gaps, []);
});

Deno.test("Broker goes on with a gap that an earlier run left open", async () => {
  await using bus = await Bus.open(rabbit);
  const exchange = await bus.exchange({ durable: true });
  for (const isNew of [false, true]) {
    const queue = { ...ownQueue([exchange]), type: "classic" as const };
    const source = { queue: queue.name, brokers: `127.0.0.1:${rabbit.port}` };
    const open: Gap = { source, exchange, from: 1_700_000_000_000, to: null, certainty: "possible" };
    if (!isNew) await (await Listener.start({ ...login(rabbit), queue })).broker.stop();
    await using listener = new Listener({ ...login(rabbit), queue });
    listener.open.push(open, { ...open, source: { ...source, brokers: "another:5672" }, from: 5 });
    await listener.broker.start();
    const [gap, ...more] = listener.gaps;
    assert.deepEqual([gap, more], [{ ...open, to: gap!.to, certainty: isNew ? "lost" : "possible" }, []]);
    assert.ok(gap!.to! > open.from);
    assert.equal(listener.log.count(/between 2023-11-14T22:13:20.000Z and /), 1);
  }
});

// These tests replace the server's process, which outlives them.

const REPLACES_SERVER = { sanitizeResources: false, sanitizeOps: false };

Deno.test(
  "Broker binds within 2 s and tells the gap when exchanges vanished with the broker",
  REPLACES_SERVER,
  async () => {
    const exchange = unique("nova");
    const source = { ...login(rabbit), queue: ownQueue([exchange]) };
    await using listener = new Listener(source);
    {
      await using bus = await Bus.open(rabbit);
      await bus.exchange({ exchange });
      await listener.broker.start();
      await bus.publish({ exchange, routingKey: "notifications.info" }, bytes("before"));
      (await listener.received(1))[0]!.channel.ackThrough(1);
    }
    await rabbit.sync();
    const killedAt = new Date();
    await rabbit.kill();
    let goneAt = new Date();
    await until(() => listener.log.count(/^Lost the connection/) === 1);
    await rabbit.restart();
    await using bus = await Bus.open(rabbit);
    if (await rabbit.release() >= 4.3) {
      // It keeps what is not durable. Its owner may delete it all the same, before or after we are there again.
      await bus.channel.exchangeDelete({ exchange });
      goneAt = new Date();
    }
    await until(() => listener.log.count(/not there yet/) === 1, 60_000);
    await bus.exchange({ exchange });
    assert.ok(await bus.msUntilRouted(exchange) < 2_000);
    await listener.received(2);
    const gap = await until(() =>
      listener.log.find(/^No notifications of exchange (\S+) could arrive between (\S+) and (\S+): /)
    );
    assert.equal(gap[1], exchange);
    // What the broker said last was that it took a message, or a heartbeat.
    assert.ok(new Date(gap[2]!) <= goneAt && new Date(gap[3]!) > killedAt, `${gap[2]} ${gap[3]}`);
    const [, remembered] = listener.gaps.filter((one) => one.certainty === "lost");
    assert.deepEqual([remembered?.exchange, remembered?.from], [exchange, new Date(gap[2]!).getTime()]);
    assert.ok(remembered!.to !== null && remembered!.to - new Date(gap[3]!).getTime() < 1_000);
    assert.equal(listener.log.count(/could arrive/), 1);
    assert.equal(listener.log.count(/not there yet/), 1);
    assert.equal(listener.log.count(/Cannot connect/), 1);
  },
);

Deno.test(
  "Broker goes on with nothing lost when all is durable and the broker was killed",
  REPLACES_SERVER,
  async () => {
    const exchange = unique("durable");
    await using listener = new Listener({ ...login(rabbit), queue: ownQueue([exchange]) });
    const expected = Array.from({ length: 200 }, (_, index) => String(index));
    {
      await using bus = await Bus.open(rabbit);
      await bus.exchange({ exchange, durable: true });
      await listener.broker.start();
      for (const text of expected.slice(0, 100)) {
        await bus.publish({ exchange, routingKey: "notifications.info", durable: true }, bytes(text));
      }
      (await listener.received(100))[0]!.channel.ackThrough(40);
    }
    await rabbit.sync();
    await rabbit.kill();
    await rabbit.restart();
    {
      await using bus = await Bus.open(rabbit);
      for (const text of expected.slice(100)) {
        await bus.publish({ exchange, routingKey: "notifications.info", durable: true }, bytes(text));
      }
    }
    await until(() => new Set(listener.messages.map(text)).size === 200);
    // From the first that was not acknowledged on, in order. The acknowledgement itself may have died with the broker.
    const again = listener.messages.slice(100).map(text);
    assert.deepEqual(again, expected.slice(Number(again[0])));
    assert.ok(Number(again[0]) <= 40);
    assert.equal(listener.log.count(/^Bound to .* again: if an exchange is not durable/), 1);
    assert.equal(listener.log.count(/could arrive/), 0);
  },
);

Deno.test("Broker.stop() ends at once when the broker is down", REPLACES_SERVER, async () => {
  await using bus = await Bus.open(rabbit);
  const queue = await bus.queue();
  const listener = await Listener.start({ ...login(rabbit), watchQueue: queue });
  await bus[Symbol.asyncDispose]();
  await rabbit.kill();
  await until(() => listener.log.count(/^Lost the connection/) === 1);
  const stoppedAt = Date.now();
  await listener.broker.stop();
  // It would try for ten seconds to reach one that is down.
  assert.ok(Date.now() - stoppedAt < 5000);
  await rabbit.restart();
});

/** A broker under test with what it delivered and logged. */
class Listener implements AsyncDisposable {
  readonly messages: Delivered[] = [];
  readonly log = new Recorder();
  /** What was remembered of gaps, in order. */
  readonly gaps: Gap[] = [];
  /** What an earlier run left open. */
  readonly open: Gap[] = [];
  /** When an earlier run last worked; `null`: there was none. */
  lastRunAt: number | null = null;
  readonly broker: Broker;

  constructor(source: RabbitSource, options: Partial<BrokerOptions> = {}) {
    const onDelivered = (message: Delivered) => void this.messages.push({ ...message, body: message.body.slice() });
    const gaps: GapRecord = {
      recordGap: (gap) => Promise.resolve(void this.gaps.push(gap)),
      openGaps: () => Promise.resolve(this.open),
      lastRunAt: () => Promise.resolve(this.lastRunAt),
    };
    this.broker = new Broker({ source, log: this.log, onDelivered, gaps, random: () => 0, ...options });
  }

  static async start(source: RabbitSource): Promise<Listener> {
    const listener = new Listener(source);
    try {
      await listener.broker.start();
    } catch (error) {
      await listener.broker.stop();
      throw error;
    }
    return listener;
  }

  async received(count: number): Promise<readonly Delivered[]> {
    await until(() => this.messages.length >= count);
    assert.equal(this.messages.length, count);
    return this.messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop();
    this.log.assertNoSecret();
  }
}

class Recorder {
  readonly lines: string[] = [];
  readonly #texts: string[] = [];

  debug(_message: string): void {}
  info(message: string): void {
    this.#add("info", message);
  }
  warn(message: string): void {
    this.#add("warn", message);
  }
  error(message: string): void {
    this.#add("error", message);
  }

  find(pattern: RegExp): RegExpMatchArray | undefined {
    return this.#texts.map((text) => text.match(pattern)).find((match) => match !== null);
  }

  count(pattern: RegExp): number {
    return this.#texts.filter((text) => pattern.test(text)).length;
  }

  assertNoSecret(): void {
    for (const line of this.#texts) assert.doesNotMatch(line, /hush|0815|\n/);
  }

  #add(level: string, message: string): void {
    this.lines.push(`${level} ${message}`);
    this.#texts.push(message);
  }
}

/** The services' side of the bus. */
class Bus implements AsyncDisposable {
  readonly channel: Channel;
  readonly #connection: Connection;

  private constructor(connection: Connection, channel: Channel) {
    this.#connection = connection;
    this.channel = channel;
  }

  static async open(server: PrivateRabbit): Promise<Bus> {
    const connection = new Connection(server.url);
    connection.on("error", () => connection.unsafeDestroy());
    const channel = await connection.acquire();
    await channel.confirmSelect();
    return new Bus(connection, channel);
  }

  async open(): Promise<Channel> {
    const channel = await this.#connection.acquire({ emitErrorsFromChannel: true });
    channel.on("error", () => {});
    return channel;
  }

  async queue(options: Parameters<Channel["queueDeclare"]>[0] & object = {}): Promise<string> {
    return (await this.channel.queueDeclare({ queue: unique("queue"), ...options as object })).queue;
  }

  async exchange(options: { exchange?: string; durable?: boolean } = {}): Promise<string> {
    const exchange = options.exchange ?? unique("exchange");
    await this.channel.exchangeDeclare({ type: "topic", ...options, exchange });
    return exchange;
  }

  /** Returns when the broker has taken it. */
  publish(envelope: Envelope, body: Uint8Array): Promise<void> {
    return this.channel.basicPublish(envelope, Buffer.from(body));
  }

  /** How many messages wait in a queue, without those delivered. */
  async ready(queue: string): Promise<number> {
    const channel = await this.open();
    try {
      return (await channel.queueDeclare({ queue, passive: true })).messageCount;
    } finally {
      await channel.close();
    }
  }

  /** Publishes until a message reaches a queue, which one does. */
  async msUntilRouted(exchange: string): Promise<number> {
    const startedAt = Date.now();
    await until(async () => {
      let routed = true;
      const onReturn = () => {
        routed = false;
      };
      this.channel.once("basic.return", onReturn);
      await this.publish({ exchange, routingKey: "notifications.info", mandatory: true }, bytes("routed"));
      await new Promise((resolve) => setTimeout(resolve));
      this.channel.off("basic.return", onReturn);
      return routed;
    });
    return Date.now() - startedAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.channel.close();
    await this.#connection.close();
  }
}

/** A port that leads to another: for a server that comes up late, or goes silent. */
class Proxy implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections: Deno.TcpConn[] = [];
  #silent = Promise.resolve();

  constructor(port: number, target: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#serve(target);
  }

  /** From now on nothing comes through any more, and nothing says so. */
  silence(): void {
    this.#silent = new Promise(() => {});
  }

  async #serve(target: number): Promise<void> {
    for await (const near of this.#listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: target });
      this.#connections.push(near, far);
      near.readable.pipeThrough(this.#gate()).pipeTo(far.writable).catch(() => {});
      far.readable.pipeThrough(this.#gate()).pipeTo(near.writable).catch(() => {});
    }
  }

  #gate(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    return new TransformStream({
      transform: async (chunk, controller) => {
        await this.#silent;
        controller.enqueue(chunk);
      },
    });
  }

  [Symbol.dispose](): void {
    for (const open of [this.#listener, ...this.#connections]) {
      try {
        open.close();
      } catch {
        // A pipe has closed it, or we have before.
      }
    }
  }
}

async function refused(source: RabbitSource, expected: RegExp): Promise<void> {
  const listener = new Listener(source);
  try {
    await assert.rejects(listener.broker.start(), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /hush|0815|\n/);
      return true;
    });
  } finally {
    await listener[Symbol.asyncDispose]();
  }
}

function login(server: PrivateRabbit) {
  return { host: "127.0.0.1", port: server.port, user: USER, password: PASSWORD };
}

/** A vhost for our user that goes with the test. */
async function vhost(name: string): Promise<AsyncDisposable> {
  await rabbit.ctl("add_vhost", name);
  await rabbit.ctl("set_permissions", "-p", name, USER, ".*", ".*", ".*");
  return { [Symbol.asyncDispose]: async () => void await rabbit.ctl("delete_vhost", name) };
}

function ownQueue(exchanges: readonly string[]) {
  return { name: unique("own"), exchanges };
}

function unique(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(message: Delivered): string {
  return new TextDecoder().decode(message.body);
}

async function compress(data: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([data.slice()]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Closes the connections of one user, as an administrator would. */
async function dropConnections(user: string): Promise<void> {
  await until(async () => (await rabbit.ctl("list_connections", "user")).includes(user));
  await rabbit.ctl("close_all_user_connections", user, "maintenance");
}

/** An authority with a server and a client; and a stranger. */
async function makeCertificates(): Promise<string> {
  const dir = await Deno.makeTempDir();
  const script = `
    set -e
    key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    printf 'subjectAltName=DNS:rabbit.test,DNS:localhost' >names
    for authority in ca stranger; do
      openssl req -x509 $key -days 2 -subj "/CN=$authority" -keyout $authority.key -out $authority.pem
    done
    for name in server client; do
      openssl req $key -subj "/CN=$name" -keyout $name.key -out $name.csr
      openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out $name.pem
    done`;
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", script], cwd: dir }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return dir;
}
