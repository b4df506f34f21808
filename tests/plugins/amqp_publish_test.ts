import assert from "node:assert/strict";
import type { Detail } from "../../mod.ts";
import { AmqpPublish, type AmqpPublishOptions } from "../../plugins/amqp_publish.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { addUser, AmqpHarness, PASSWORD, USER } from "../support/amqp_harness.ts";
import { deliverThroughOutage } from "../support/broker_outage.ts";
import { fails } from "../support/fails.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort } from "../wire/server.ts";
import { context, detail, updateContext } from "./notification.ts";

const MAX_MESSAGE_BYTES = 2_000_000;
const never = new AbortController().signal;

let rabbit: PrivateRabbit;
let pki: TestPki;
let dir: TemporaryDirectory;
let clientFiles: { certFile: string; keyFile: string };

Deno.test.beforeAll(async () => {
  pki = await TestPki.make();
  dir = new TemporaryDirectory();
  const { certFile, keyFile } = await pki.issue("client");
  clientFiles = { certFile, keyFile };
  await install(pki, { name: "rabbit.test", to: "rabbit" });
  rabbit = await startRabbit({
    tls: { ca: dir.path("rabbit.ca"), cert: dir.path("rabbit.crt"), key: dir.path("rabbit.key") },
    settings: [`max_message_size = ${MAX_MESSAGE_BYTES}`],
  });
  await addUser(rabbit);
});

Deno.test.afterAll(async () => {
  await rabbit.stop();
  await pki[Symbol.asyncDispose]();
  dir[Symbol.dispose]();
});

/** Writes an authority, a certificate and its key to where somebody looks for them. */
async function install(from: TestPki, { name, to }: { readonly name: string; readonly to: string }): Promise<void> {
  const { certFile, keyFile } = await from.issue(name);
  await Deno.copyFile(from.caFile, dir.path(`${to}.ca`));
  await Deno.copyFile(certFile, dir.path(`${to}.crt`));
  await Deno.copyFile(keyFile, dir.path(`${to}.key`));
}

/** A plugin for the harness's exchange, unless told otherwise. */
function plugin(options: AmqpPublishOptions = {}): AmqpPublish {
  const target = options.queue === undefined ? { exchange: "cloud" } : {};
  const server = options.url === undefined
    ? { host: "127.0.0.1", port: rabbit.port, user: USER, password: PASSWORD }
    : {};
  return new AmqpPublish({ ...server, ...target, ...options });
}

Deno.test("notify() publishes the detail as a persistent JSON message with the event's key", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();

  await amqp.notify(detail, true, context());

  const [message] = await target.taken();
  assert.deepEqual(JSON.parse(message?.body ?? ""), JSON.parse(JSON.stringify(detail)));
  assert.deepEqual({ ...message, body: "" }, {
    exchange: "cloud",
    routingKey: "compute.instance.create.end",
    properties: {
      messageId: "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation",
      type: "compute.instance.create.end",
      contentType: "application/json",
      durable: true,
      timestamp: Date.UTC(2026, 10, 21, 18, 59, 38) / 1000,
      headers: { kind: "creation", sequence: 1, created: true, creationSeen: true },
    },
    body: "",
  });
});

Deno.test("notify() publishes to a queue", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin({ queue: target.queue });

  await amqp.notify(detail, false, context({ kind: "deletion", creationSeen: false }));

  const [message] = await target.taken();
  assert.deepEqual([message?.exchange, message?.routingKey], ["", "nodes"]);
  assert.deepEqual(message?.properties["headers"], {
    kind: "deletion",
    sequence: 1,
    created: false,
    creationSeen: false,
  });
});

Deno.test("update() publishes the detail, with the kind and the keys that changed as headers", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();

  await amqp.update(detail, updateContext({ changed: ["FQDN", "Größe, m\n"] }));

  const [message] = await target.taken();
  assert.equal(message?.routingKey, "compute.instance.update");
  assert.deepEqual(JSON.parse(message?.body ?? ""), JSON.parse(JSON.stringify(detail)));
  assert.equal(message?.properties["messageId"], `server/${detail.ID}/update/1`);
  assert.equal(message?.properties["type"], "compute.instance.update");
  assert.deepEqual(message?.properties["headers"], {
    ...{ kind: "update", sequence: 1, created: true, creationSeen: true },
    changed: "FQDN,Gr%C3%B6%C3%9Fe%2C%20m%0A",
  });
});

Deno.test("update() calls routingKey with kind, before and changed", async () => {
  await using target = await AmqpHarness.open(rabbit);
  const routingKey: AmqpPublishOptions["routingKey"] = ({ FQDN }, created, context) =>
    context.kind === "update" ? `${context.before.FQDN}.${FQDN}.${context.changed}.${created}` : context.kind;
  await using amqp = plugin({ routingKey });

  await amqp.update(detail, updateContext({ before: { ...detail, FQDN: "old" } }));
  await amqp.notify(detail, true, context());

  const keys = (await target.taken()).map(({ routingKey }) => routingKey);
  assert.deepEqual(keys, ["old.fake.hostname.com.FQDN.true", "creation"]);
});

Deno.test("notify() takes the routing key from a text or a function", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using fixed = plugin({ routingKey: "node" });
  await using made = plugin({ routingKey: ({ Owner }, created, { subject }) => `${subject}.${Owner}.${created}` });

  await fixed.notify(detail, true, context());
  await made.notify(detail, true, context());

  assert.deepEqual((await target.taken()).map(({ routingKey }) => routingKey), ["node", "server.some_owner.true"]);
});

Deno.test("notify() keeps hostile and large texts as they are", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();
  const hostile: Detail = {
    ...detail,
    FQDN: "a\r\nb\0c\x1b[2J\u202e\ud800😀",
    Description: "ü".repeat(500_000),
    Metadata: JSON.parse(`{"__proto__": "x"}`),
  };

  await amqp.notify(hostile, true, context({ key: "server/\r\n\0\x1b\u202e😀/creation" }));

  const [message] = await target.taken();
  assert.equal(message?.body, JSON.stringify(hostile));
  assert.equal(message?.properties["messageId"], "server/\r\n\0\x1b\u202e😀/creation");
});

Deno.test("notify() cuts large messages as the broker wants them, on their way there and back", async () => {
  await using target = await AmqpHarness.open(rabbit);
  const large = { ...detail, Description: "x".repeat(50_000) };
  const setFrameMax = (bytes: number) => rabbit.ctl("eval", `application:set_env(rabbit, frame_max, ${bytes}).`);
  // RabbitMQ from 4.1 on takes no less.
  await setFrameMax(8_192);
  try {
    await using amqp = plugin();
    await amqp.notify(large, true, context());
    await target.owner.queueUnbind({ queue: target.queue, exchange: target.exchange, routingKey: "#" });
    await fails(amqp.notify(large, true, context()), "client_error", /no queue is bound to it/);
  } finally {
    await setFrameMax(131_072);
  }

  assert.deepEqual((await target.taken()).map(({ body }) => body), [JSON.stringify(large)]);
});

Deno.test("notify() fails, to be tried again, until a queue is bound for the message", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin({ routingKey: () => "node\x1b[2J" });
  const binding = { queue: target.queue, exchange: target.exchange, routingKey: "#" };
  await target.owner.queueUnbind(binding);

  await fails(
    amqp.notify(detail, true, context()),
    "client_error",
    /^Cannot publish to exchange "cloud" at 127\.0\.0\.1:\d+: no queue is bound to it for the routing key "node\\u\{1b\}\[2J"$/,
  );
  await target.owner.queueBind(binding);
  await amqp.notify(detail, true, context());

  assert.equal((await target.taken()).length, 1);
});

Deno.test("notify() and check() fail, declaring nothing, when the exchange or the queue is not there", async () => {
  await using target = await AmqpHarness.open(rabbit);
  for (const place of [{ exchange: "missing" }, { queue: "missing" }]) {
    await using amqp = plugin(place);
    const text = /(?:exchange|queue) "missing" at 127\.0\.0\.1:\d+: it is not there; its owner must declare it$/;
    const attempts = Array.from({ length: 5 }, () => amqp.notify(detail, true, context()));
    for (const attempt of attempts) await fails(attempt, "client_error", text);
    await fails(amqp.check(never), "client_error", text);
    await fails(amqp.check(never), "client_error", text);
  }
  await plugin({ queue: target.queue }).check(never);
});

Deno.test("notify() fails, to be tried again, when the queue is full", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();
  await target.behave("fails");

  await fails(amqp.notify(detail, true, context()), "server_error", /: the broker does not take it: a queue is full/);
});

Deno.test("notify() fails for good when the message is larger than the broker takes, and others do not suffer", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();
  const large = { ...detail, Description: "x".repeat(MAX_MESSAGE_BYTES) };

  const others = Array.from({ length: 3 }, (_, index) => amqp.notify(detail, true, context({ key: `${index}` })));
  await fails(
    amqp.notify(large, true, context()),
    "PermanentError",
    /message size \d+ is larger than/,
  );
  await Promise.all(others);

  assert.equal((await target.taken()).length, 3);
});

Deno.test("notify() fails for good when AMQP cannot carry the key, or the routing key", async () => {
  await using amqp = plugin();
  await using broken = plugin({ routingKey: ({ Owner }) => Owner as string });
  await using made = plugin({ routingKey: ({ FQDN }) => `${FQDN}${"ü".repeat(120)}` });
  const permanent = "PermanentError";

  await fails(amqp.notify(detail, true, context({ key: "k\n".repeat(128) })), permanent, /message_id "k\\u\{a\}k.*255/);
  await fails(
    made.notify(detail, true, context()),
    permanent,
    /Cannot use the routing key ".*": longer than 255 bytes/,
  );
  await fails(
    broken.notify({ ...detail, Owner: null }, true, context()),
    permanent,
    /^Cannot make routingKey of AmqpPublish: its function in config\.ts returned null; it must return a text/,
  );
});

Deno.test("notify() fails, to be tried again, when we may not publish there", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await target.owner.exchangeDeclare({ exchange: "inner", type: "fanout", internal: true, autoDelete: true });
  await using amqp = plugin({ exchange: "inner" });

  await fails(amqp.notify(detail, true, context()), "unauthorized", /: .*internal exchange/);
  await target.owner.exchangeDelete({ exchange: "inner" });
});

for (
  const [when, options] of [
    ["the password is wrong", { password: "guess-0815" }],
    ["the user is unknown", { user: "nobody", password: "guess-0815" }],
    ["the vhost is not there", { vhost: "nowhere" }],
  ] as const
) {
  Deno.test(`notify() and check() fail with reason unauthorized when ${when}`, async () => {
    await using amqp = plugin(options);

    await fails(amqp.notify(detail, true, context()), "unauthorized", /^Cannot connect to 127\.0\.0\.1:\d+: ./);
    await fails(amqp.check(never), "unauthorized", /^Cannot connect to 127\.0\.0\.1:\d+: ./);
  });
}

Deno.test("notify() tries several servers in turn, and stays with the one that works", async () => {
  await using target = await AmqpHarness.open(rabbit);
  const login = `${USER}:${encodeURIComponent(PASSWORD)}`;
  const dead = `amqp://${login}@127.0.0.1:${closedPort()}`;
  await using amqp = plugin({ url: [dead, `amqp://${login}@127.0.0.1:${rabbit.port}/`] });
  await using hopeless = plugin({ url: [dead, dead] });

  await amqp.notify(detail, true, context());
  await fails(hopeless.notify(detail, true, context()), "connection", /^Cannot connect to 127\.0\.0\.1:\d+: refused$/);

  assert.equal((await target.taken()).length, 1);
});

Deno.test("notify() uses TLS with a private authority and our own certificate", async () => {
  await using target = await AmqpHarness.open(rabbit);
  const tls = { caFile: pki.caFile, ...clientFiles, serverName: "rabbit.test" };
  await using amqp = plugin({ port: rabbit.tlsPort, tls });

  await amqp.check(never);
  await amqp.notify(detail, true, context());

  assert.equal((await target.taken()).length, 1);
});

Deno.test("notify() takes up renewed certificates, theirs and ours, when it connects again", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using renewed = await TestPki.make();
  const renewBroker = async (by: TestPki) => {
    await install(by, { name: "rabbit.test", to: "rabbit" });
    await rabbit.ctl("eval", "ssl:clear_pem_cache().");
    await rabbit.ctl("close_all_user_connections", USER, "renewed");
  };
  const [caFile, certFile, keyFile] = [dir.path("our.ca"), dir.path("our.crt"), dir.path("our.key")];
  await install(pki, { name: "client", to: "our" });
  await using amqp = plugin({ port: rabbit.tlsPort, tls: { caFile, certFile, keyFile, serverName: "rabbit.test" } });
  await amqp.notify(detail, true, context());
  try {
    await renewBroker(renewed);
    await until(() =>
      amqp.notify(detail, true, context()).then(() => false, (error) => /authority/.test(String(error)))
    );
    await install(renewed, { name: "client", to: "our" });
    await amqp.notify(detail, true, context({ key: "renewed" }));
  } finally {
    await renewBroker(pki);
  }

  assert.ok((await target.taken()).some(({ properties }) => properties["messageId"] === "renewed"));
});

Deno.test("notify() fails with reason connection when the broker is not whom we trust, or does not trust us", async () => {
  await using stranger = await TestPki.make();
  const tls = { caFile: pki.caFile, ...clientFiles, serverName: "rabbit.test" };
  const { port, tlsPort } = rabbit;
  const { serverName: _, ...unnamed } = tls;
  for (
    const [options, text] of [
      [{ port: tlsPort, tls: { ...tls, caFile: stranger.caFile } }, /set tls\.caFile to the authority/],
      [{ port: tlsPort, tls: true }, /set tls\.caFile to the authority/],
      [{ port: tlsPort, tls: unnamed }, /set tls\.serverName to a name/],
      [{ port: tlsPort, tls: { caFile: pki.caFile, serverName: "rabbit.test" } }, /^Cannot connect to 127/],
      [{ port, tls }, /does not speak TLS there; check port and tls/],
      [{ port: tlsPort, tls: { ...tls, caFile: "/missing.pem" } }, /Cannot read the CA file "\/missing\.pem"/],
    ] as const
  ) {
    await using amqp = plugin(options);
    await fails(amqp.notify(detail, true, context()), "connection", text);
  }
});

Deno.test("notify() fails with reason timeout, and says why, when the broker lets no publisher in", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin({ timeoutSeconds: 1 });
  await amqp.notify(detail, true, context());
  await rabbit.ctl("set_vm_memory_high_watermark", "absolute", "1");
  try {
    await fails(
      amqp.notify(detail, true, context()),
      "timeout",
      /\(where publishers must wait: .*memory.*\): no answer within 1 s$/,
    );
  } finally {
    await rabbit.ctl("set_vm_memory_high_watermark", "absolute", "512MiB");
  }
  await until(async () => !(await rabbit.ctl("list_connections", "state")).includes("blocked"));

  await amqp.notify(detail, true, context());
  assert.ok((await target.taken()).length >= 2);
});

for (const isOpen of [false, true]) {
  Deno.test(`notify() takes no neighbour with it when it is cut off while the connection ${isOpen ? "is" : "is being"} opened`, async () => {
    await using target = await AmqpHarness.open(rabbit);
    await using amqp = plugin();
    const keys = Array.from({ length: 20 }, (_, index) => `event/${index}`);
    if (isOpen) await amqp.notify(detail, true, context({ key: "event/0" }));
    const cut = new AbortController();

    const first = amqp.notify(detail, true, context({ key: "cut", signal: cut.signal }));
    const rest = keys.map((key) => amqp.notify(detail, true, context({ key })));
    cut.abort();

    await fails(first, "interrupted", /^Cannot publish to exchange "cloud".*: interrupted$/);
    await Promise.all(rest);
    const taken = new Set((await target.taken()).map(({ properties }) => String(properties["messageId"])));
    assert.deepEqual([...taken].filter((key) => key !== "cut").sort(), [...keys].sort());
  });
}

Deno.test("notify() delivers every event in the end when the server is killed and comes back meanwhile", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();
  const keys = Array.from({ length: 40 }, (_, index) => `event/${index}`);
  const reasons = await deliverThroughOutage(amqp, {
    keys,
    kill: () => rabbit.kill(),
    restart: () => rabbit.restart(),
  });

  await target.reconnect();
  const taken = new Set((await target.taken()).map(({ properties }) => String(properties["messageId"])));
  assert.deepEqual([...taken].sort(), [...keys].sort());
  assert.ok(reasons.has("connection"), [...reasons].join());
});

Deno.test("[Symbol.asyncDispose]() closes the connection, which a later message opens again", async () => {
  await using target = await AmqpHarness.open(rabbit);
  await using amqp = plugin();
  const connections = async () => (await rabbit.ctl("list_connections", "user")).split(USER).length - 1;

  await amqp.notify(detail, true, context());
  await amqp[Symbol.asyncDispose]();
  await until(async () => await connections() === 0);
  await amqp.notify(detail, true, context());

  assert.equal((await target.taken()).length, 2);
});

Deno.test("preview() shows a message to a queue", () => {
  const preview = plugin({ queue: "nodes" }).preview({ ...detail, Description: null }, true, context()) as {
    exchange: string;
    routing_key: string;
  };
  assert.deepEqual([preview.exchange, preview.routing_key], ["", "nodes"]);
});

for (
  const [options, ...problems] of [
    [{}, "exchange: needed, or queue"],
    [{ exchange: "e", queue: "q" }, "queue: stands beside exchange; keep one"],
    [{ queue: "q", routingKey: "k" }, "routingKey: needs exchange; a queue has none"],
    [{ queue: "q\n", host: [] }, "queue: must be", "host: must be"],
    [{ queue: "q", url: "amqp://h", host: "h", vhost: "v" }, "url: stands beside host, vhost"],
    [{ queue: "q", url: "amqps://h", tls: false }, "tls: false contradicts amqps://"],
    [{ queue: "q", url: ["amqps://h", "amqp://h"], tls: true }, "tls: needs amqps:// in every URL"],
    [{ queue: "q", url: "amqp://user:100%@h" }, "url: must be amqp://"],
    [{ queue: "q", tls: { certFile: "c" } }, "tls: must be true, false or"],
  ] as const
) {
  Deno.test(`new AmqpPublish() names every wrong option when they are ${JSON.stringify(options)}`, () => {
    assert.throws(() => new AmqpPublish(options as unknown as AmqpPublishOptions), (error: unknown) => {
      assert(error instanceof TypeError);
      const found = error.message.replace("Cannot make AmqpPublish: ", "").split(/; (?=\w+: )/);
      assert.deepEqual(found.map((text, index) => text.slice(0, problems[index]?.length)), problems, error.message);
      return true;
    });
  });
}
