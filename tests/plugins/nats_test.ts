import { Algorithms, encodeAccount, encodeOperator, encodeUser, fmtCreds } from "@nats-io/jwt";
import { createAccount, createOperator, createUser } from "@nats-io/jwt";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import fc from "fast-check";
import assert from "node:assert/strict";
import { PermanentError } from "../../mod.ts";
import { Nats } from "../../plugins/nats.ts";
import type { NatsOptions } from "../../plugins/nats_options.ts";
import { isNatsSubject, natsToken } from "../../src/kit/mod.ts";
import { deliverThroughOutage } from "../support/broker_outage.ts";
import { fails } from "../support/fails.ts";
import { FixedTrace, TRACEPARENT } from "../support/fixed_trace.ts";
import { NatsHarness } from "../support/nats_harness.ts";
import { NatsServer, PASSWORD, USER } from "../support/nats_server.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort, TestServer } from "../wire/server.ts";
import { context, detail, updateContext } from "./notification.ts";

const never = new AbortController().signal;
const login = { user: USER, password: PASSWORD };

let server: NatsServer;
let pki: TestPki;
Deno.test.beforeAll(async () => {
  pki = await TestPki.make();
  server = await NatsServer.start({ settings: ["max_payload: 100000"] });
});
Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await pki[Symbol.asyncDispose]();
});

/** A plugin for the harness's stream, unless told otherwise. */
function plugin(options: Partial<NatsOptions> = {}): Nats {
  return new Nats({ url: `nats://127.0.0.1:${server.port}`, ...login, subject: "cloud.servers", ...options });
}

Deno.test("notify() publishes the detail as JSON, with the event's key as Nats-Msg-Id", async () => {
  await using target = await NatsHarness.open(server);
  await using nats = plugin();

  await nats.notify(detail, false, context({ kind: "deletion", creationSeen: false }));

  const [message] = await target.taken();
  assert.deepEqual(JSON.parse(message?.body ?? ""), JSON.parse(JSON.stringify(detail)));
  assert.deepEqual({ ...message, body: "" }, {
    subject: "cloud.servers",
    headers: {
      "Nats-Msg-Id": "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation",
      "Content-Type": "application/json",
      "OSS-Watcher-Kind": "deletion",
      "OSS-Watcher-Event-Type": "compute.instance.create.end",
      "OSS-Watcher-Sequence": "1",
      "OSS-Watcher-Creation-Seen": "false",
    },
    body: "",
  });
});

Deno.test("notify() of an event that comes twice leaves one message in the stream", async () => {
  await using target = await NatsHarness.open(server);
  for (const _ of [1, 2]) {
    await using nats = plugin();
    await nats.notify(detail, true, context());
    await nats.notify(detail, true, context());
  }

  assert.equal((await target.taken()).length, 1);
});

Deno.test("notify() and update() call the function subject", async () => {
  await using target = await NatsHarness.open(server);
  const subject: NatsOptions["subject"] = ({ FQDN }, created, { kind }) =>
    `cloud.${kind}.${created}.${natsToken(String(FQDN))}`;
  await using nats = plugin({ subject });

  await nats.notify(detail, true, context());
  await nats.update({ ...detail, FQDN: "x. > *\r\nPUB evil 1" }, updateContext());

  assert.deepEqual((await target.taken()).map(({ subject }) => subject), [
    "cloud.creation.true.fake%2Ehostname%2Ecom",
    "cloud.update.true.x%2E%20%3E%20%2A%0D%0APUB%20evil%201",
  ]);
});

Deno.test("notify() fails for good when the function subject returns what is none", async () => {
  await using target = await NatsHarness.open(server);
  for (
    const made of ["", "cloud.", "cloud..x", "cloud.*", "cloud.>", "cloud a", "cloud\r\nPUB x 0\r\n\r\n", "$SYS.x"]
  ) {
    await using nats = plugin({ subject: () => made });
    await fails(
      nats.notify(detail, true, context()),
      "PermanentError",
      /^The function subject of Nats returned ".*natsToken/,
    );
    assert.throws(() => plugin({ subject: made }), /subject: must be tokens/);
  }
  await using broken = plugin({ subject: () => 7 as unknown as string });
  await fails(broken.notify(detail, true, context()), "PermanentError", /subject of Nats: its function/);

  assert.deepEqual(await target.taken(), []);
});

Deno.test("natsToken() makes one token of any text, and different ones of different texts", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ unit: "binary", maxLength: 60 }), (a, b) => {
      const [one, other] = [natsToken(a), natsToken(b)];
      assert.ok(isNatsSubject(one) && isNatsSubject(`cloud.${one}.x`), one);
      assert.ok(!one.includes("."));
      assert.equal(one === other, a.toWellFormed() === b.toWellFormed());
    }),
  );
});

Deno.test("notify() publishes CloudEvents, as one document or with headers", async () => {
  await using target = await NatsHarness.open(server);
  await using whole = plugin({ format: "cloudevents", source: "/cloud" });
  await using parted = plugin({ format: "cloudevents-binary" });

  await whole.notify(detail, true, context());
  await parted.update(detail, updateContext({ changed: ["FQDN"] }));

  const [one, other] = await target.taken();
  assert.equal(one?.headers["Content-Type"], "application/cloudevents+json");
  const { data, ...attributes } = JSON.parse(one?.body ?? "");
  assert.deepEqual([attributes.type, attributes.source, data.ID], [
    "org.openstack.server.created",
    "/cloud",
    detail.ID,
  ]);
  assert.equal(other?.headers["Content-Type"], "application/json");
  assert.equal(other?.headers["ce-type"], "org.openstack.server.updated");
  assert.equal(JSON.parse(other?.body ?? "").ID, detail.ID);
});

Deno.test("notify() keeps hostile texts as they are", async () => {
  await using target = await NatsHarness.open(server);
  await using nats = plugin();
  const hostile = {
    ...detail,
    FQDN: "a\r\nb\0c\x1b[2J\u202e\ud800😀\r\nMSG x 1 0\r\n",
    Metadata: JSON.parse(`{"__proto__": "x"}`),
  };

  await nats.notify(hostile, true, context({ key: "server/\r\nNATS/1.0 503\r\n\0😀/creation" }));

  const [message] = await target.taken();
  assert.equal(message?.body, JSON.stringify(hostile));
  assert.equal(message?.headers["Nats-Msg-Id"], "server/%0D%0ANATS/1.0%20503%0D%0A%00%F0%9F%98%80/creation");
});

Deno.test("notify() fails for good when the message is larger than server or stream take, and others do not suffer", async () => {
  await using target = await NatsHarness.open(server);
  await using nats = plugin();
  const others = Array.from({ length: 3 }, (_, index) => nats.notify(detail, true, context({ key: `event/${index}` })));

  const large = { ...detail, Description: "x".repeat(100_000) };
  await fails(nats.notify(large, true, context()), "PermanentError", /max_payload size exceeded/);
  await Promise.all(others);
  assert.equal((await target.taken()).length, 3);

  await target.manager.streams.update(target.stream, { max_msg_size: 10 });
  await fails(nats.notify(detail, true, context()), "PermanentError", /raise max_msg_size of the stream/);
});

Deno.test("notify() and check() say what is missing when no stream takes the subject, or another one than expected", async () => {
  await using target = await NatsHarness.open(server);
  await target.manager.streams.add({ name: "other", subjects: ["other.>"] });
  await using none = plugin({ user: "owner", password: "owner-of-the-streams", subject: "nowhere" });
  await using other = plugin({ user: "owner", password: "owner-of-the-streams", subject: "other.x", stream: "cloud" });
  await using gone = plugin({ user: "owner", password: "owner-of-the-streams", stream: "gone" });

  await fails(
    none.notify(detail, true, context()),
    "client_error",
    /^Cannot publish to "nowhere" at .*; make a stream that takes/,
  );
  await fails(none.notify(detail, true, context()), "client_error", /: no stream takes it; make a stream/);
  await fails(none.check(never), "client_error", /^Cannot find a stream for "nowhere" at .*; make the stream/);
  await fails(other.notify(detail, true, context()), "client_error", /stream is not the one that takes this subject/);
  await fails(gone.check(never), "client_error", /^Cannot find the stream "gone" at .*; make the stream/);
  await target.manager.streams.delete("other");
});

Deno.test("notify() fails when what answers is a program, and no stream", async () => {
  await using nats = plugin({ subject: "cloud.asked" });
  const owner = await connect({ servers: `127.0.0.1:${server.port}`, user: "owner", pass: "owner-of-the-streams" });
  let answer = "";
  owner.subscribe("cloud.asked", {
    callback: (_error, message) => {
      message.respond(answer);
    },
  });
  await owner.flush();

  for (answer of ['{"ok":true}', "{}", '{"stream":"cloud"}', '{"stream":"","seq":1}', "null", "7", "done", ""]) {
    await fails(
      nats.notify(detail, true, context()),
      "client_error",
      /^Cannot publish to "cloud.asked" at .*; something that is no stream answers for this subject$/,
    );
  }
  await owner.close();
});

Deno.test("check() resolves for a user who may publish and nothing else, and publishes nothing", async () => {
  await using target = await NatsHarness.open(server);
  for (const options of [{}, { stream: "cloud" }, { subject: () => "cloud.x" }]) {
    await using nats = plugin(options);
    await nats.check(never);
  }

  assert.deepEqual(await target.taken(), []);
});

Deno.test("notify() fails, to be tried again, when we may not publish there", async () => {
  await using _target = await NatsHarness.open(server);
  await using nats = plugin({ subject: "forbidden" });

  await fails(nats.notify(detail, true, context()), "unauthorized", /right to publish/);
});

for (const wrong of [{ password: "guess-0815" }, { user: "nobody", password: "guess-0815" }]) {
  Deno.test(`notify() and check() fail with reason unauthorized for ${Object.keys(wrong)}`, async () => {
    await using nats = plugin(wrong);

    await fails(
      nats.notify(detail, true, context()),
      "unauthorized",
      /^Cannot connect to 127\.0\.0\.1:\d+: .*check user and/,
    );
    await fails(nats.check(never), "unauthorized", /^Cannot connect to 127\.0\.0\.1:\d+: ./);
  });
}

Deno.test("notify() logs in by a token", async () => {
  await using guarded = await NatsServer.start({ accounts: [`authorization { token: "hush-token" }`] });
  const owner = await connect({ servers: `127.0.0.1:${guarded.port}`, token: "hush-token" });
  await (await jetstreamManager(owner)).streams.add({ name: "cloud", subjects: ["cloud.>"] });
  const url = `nats://127.0.0.1:${guarded.port}`;
  await using nats = new Nats({ url, token: "hush-token", subject: "cloud.x" });
  await using guess = new Nats({ url, token: "guess-token", subject: "cloud.x" });

  await nats.notify(detail, true, context());
  await fails(guess.notify(detail, true, context()), "unauthorized", /check user and password, token or credsFile/);
  await owner.close();
});

Deno.test("notify() logs in by a file of credentials, which is read again for each connection", async () => {
  const [operator, account, user, revoked] = [createOperator(), createAccount(), createUser(), createUser()];
  const limits = { limits: { subs: -1, conn: -1, data: -1, payload: -1, mem_storage: -1, disk_storage: -1 } };
  const system = createAccount();
  const operatorJwt = await encodeOperator("O", operator, { system_account: system.getPublicKey() });
  const systemJwt = await encodeAccount("SYS", system, {}, { signer: operator });
  const accountJwt = await encodeAccount("A", account, limits as Parameters<typeof encodeAccount>[2], {
    signer: operator,
  });
  const credsOf = async (key: typeof user, by = account) =>
    new TextDecoder().decode(fmtCreds(await encodeUser("U", key, by, {}, { algorithm: Algorithms.v2 }), key));
  using dir = new TemporaryDirectory();
  await using guarded = await NatsServer.start({
    accounts: [
      `operator: ${operatorJwt}`,
      "resolver: MEMORY",
      `resolver_preload: {
        ${account.getPublicKey()}: ${accountJwt}
        ${system.getPublicKey()}: ${systemJwt}
      }`,
    ],
  });
  const creds = await credsOf(user);
  const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
  const owner = await connect({ servers: `127.0.0.1:${guarded.port}`, authenticator });
  await (await jetstreamManager(owner)).streams.add({ name: "cloud", subjects: ["cloud.>"] });
  const credsFile = dir.path("nats.creds");
  await using nats = new Nats({ url: `nats://127.0.0.1:${guarded.port}`, credsFile, subject: "cloud.x" });

  await fails(nats.notify(detail, true, context()), "unauthorized", /Cannot use credsFile .*No such file/);
  Deno.writeTextFileSync(credsFile, "hush");
  await fails(nats.notify(detail, true, context()), "unauthorized", /: it holds no JWT and key, as nsc writes them$/);
  Deno.writeTextFileSync(credsFile, await credsOf(revoked, createAccount()));
  await fails(nats.notify(detail, true, context()), "unauthorized", /check user and password, token or credsFile/);
  Deno.writeTextFileSync(credsFile, creds);
  await nats.notify(detail, true, context());
  await owner.close();
});

Deno.test("notify() tries several servers in turn, and stays with the one that works", async () => {
  await using target = await NatsHarness.open(server);
  const dead = `nats://127.0.0.1:${closedPort()}`;
  await using nats = plugin({ url: [dead, `nats://127.0.0.1:${server.port}`] });
  await using hopeless = plugin({ url: [dead, dead] });

  await nats.notify(detail, true, context());
  await fails(hopeless.notify(detail, true, context()), "connection", /^Cannot connect to 127\.0\.0\.1:\d+: .*refused/);

  assert.equal((await target.taken()).length, 1);
});

Deno.test("notify() tries the next server after one that says nothing", async () => {
  await using target = await NatsHarness.open(server);
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = [`nats://127.0.0.1:${silent.addr.port}`, `nats://127.0.0.1:${server.port}`];
  await using nats = plugin({ url, timeoutSeconds: 1 });

  const together = [1, 2].map(() => nats.notify(detail, true, context()));
  for (const attempt of together) attempt.catch(() => {});
  for (const attempt of together) await fails(attempt, "timeout", /no answer within 1 s/);
  await until(() => nats.notify(detail, true, context()).then(() => true, () => false), 10_000);
  assert.equal((await target.taken()).length, 1);
  silent.close();
});

Deno.test("notify() says so when what listens there is not NATS", async () => {
  await using web = new TestServer();
  await using nats = plugin({ url: `nats://127.0.0.1:${web.port}`, timeoutSeconds: 2 });
  const banner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const greeting = (async () => {
    for await (const peer of banner) await peer.write(new TextEncoder().encode("220 mail.example.com ESMTP\r\n"));
  })();
  await using mail = plugin({ url: `nats://127.0.0.1:${banner.addr.port}` });

  await fails(nats.notify(detail, true, context()), "timeout", /no answer within 2 s/);
  await fails(mail.notify(detail, true, context()), "connection", /what it sends is not NATS; check host and port$/);
  banner.close();
  await greeting;
});

Deno.test("notify() uses TLS, theirs and ours, after the server's INFO", async () => {
  const { certFile, keyFile } = await pki.issue("nats.test");
  const ours = await pki.issue("client");
  await using stranger = await TestPki.make();
  await using secured = await NatsServer.start({ tls: { cert: certFile, key: keyFile, ca: pki.caFile } });
  const files = {
    caFile: pki.caFile,
    certFile: ours.certFile,
    keyFile: ours.keyFile,
    serverName: "nats.test",
  };
  const owner = await connect({
    servers: `127.0.0.1:${secured.port}`,
    user: "owner",
    pass: "owner-of-the-streams",
    tls: {
      caFile: pki.caFile,
      certFile: ours.certFile,
      keyFile: ours.keyFile,
      rejectUnauthorized: false,
    } as object,
  });
  await (await jetstreamManager(owner)).streams.add({ name: "cloud", subjects: ["cloud.>"] });
  const at = (tls: NatsOptions["tls"]) =>
    plugin({ url: `nats://127.0.0.1:${secured.port}`, ...(tls !== undefined && { tls }) });

  await using nats = at(files);
  await nats.check(never);
  await nats.notify(detail, true, context());
  const { certFile: _c, keyFile: _k, ...unknown } = files;
  const { serverName: _s, ...unnamed } = files;
  for (
    const [tls, text] of [
      [{ ...files, caFile: stranger.caFile }, /set tls\.caFile to the authority/],
      [undefined, /set tls\.caFile to the authority/],
      [unnamed, /set tls\.serverName to a name/],
      [unknown, /^Cannot connect to 127/],
      [{ ...files, caFile: "/missing.pem" }, /Cannot read the CA file "\/missing\.pem"/],
    ] as const
  ) {
    await using wrong = at(tls);
    await fails(wrong.notify(detail, true, context()), "connection", text);
  }
  await owner.close();
});

Deno.test("notify() uses TLS from the first byte, as a balancer before the servers wants it", async () => {
  await using target = await NatsHarness.open(server);
  const { cert, key } = await pki.issue("nats.test");
  const balancer = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = (async () => {
    for await (const peer of balancer) {
      const behind = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      behind.readable.pipeTo(peer.writable).catch(() => {});
      peer.readable.pipeTo(behind.writable).catch(() => {});
    }
  })();
  const tls = { caFile: pki.caFile, serverName: "nats.test", first: true };
  await using nats = plugin({ url: `tls://127.0.0.1:${balancer.addr.port}`, tls });
  await using plain = plugin({ tls });

  await nats.notify(detail, true, context());
  await fails(
    plain.notify(detail, true, context()),
    "connection",
    /the server does not begin with TLS; leave tls.first out/,
  );

  assert.equal((await target.taken()).length, 1);
  await nats[Symbol.asyncDispose]();
  balancer.close();
  await serving;
});

Deno.test("notify() uses no connection without TLS where tls:// asks for it", async () => {
  await using nats = plugin({ url: `tls://127.0.0.1:${server.port}` });

  await fails(nats.notify(detail, true, context()), "connection", /does not support 'tls'; the server offers no TLS/);
});

Deno.test("a url that has no text is told like any other mistake", () => {
  assert.throws(() => plugin({ url: Object.create(null), tls: false }), /^TypeError: Cannot make Nats: url: must be/);
});

Deno.test("notify() delivers every event in the end when the server is killed and comes back meanwhile", async () => {
  await using killed = await NatsServer.start();
  const stream = await NatsHarness.open(killed);
  await using nats = plugin({ url: `nats://127.0.0.1:${killed.port}` });
  const keys = Array.from({ length: 40 }, (_, index) => `event/${index}`);
  const reasons = await deliverThroughOutage(nats, { keys, kill: () => killed.kill(), restart: () => killed.start() });

  await until(() => stream.manager.streams.info("cloud").then(() => true, () => false));
  const taken = (await stream.taken()).map(({ headers }) => headers["Nats-Msg-Id"] ?? "");
  assert.deepEqual(taken.toSorted(), keys.toSorted());
  assert.ok(reasons.has("connection"), [...reasons].join());
  await stream[Symbol.asyncDispose]();
});

Deno.test("a server that resets connections at any moment ends nothing but attempts", async () => {
  // In a process of its own: what nobody catches would end it.
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./nats_resets.ts", import.meta.url).pathname],
  }).output();

  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  assert.match(said, /^60 attempts failed, each with reason connection\n$/);
});

Deno.test("[Symbol.asyncDispose]() closes the connection, which a later message opens again", async () => {
  await using target = await NatsHarness.open(server);
  const nats = plugin();
  await nats.notify(detail, true, context());
  await nats[Symbol.asyncDispose]();

  await nats.notify(detail, true, context({ key: "later" }));
  await nats[Symbol.asyncDispose]();
  assert.equal((await target.taken()).length, 2);
});

Deno.test("notify() refuses a key that is too long for a header", async () => {
  await using nats = plugin();
  await assert.rejects(nats.notify(detail, true, context({ key: "k".repeat(1025) })), PermanentError);
});

Deno.test("notify() sends the header of its trace, if it is traced", async () => {
  await using target = await NatsHarness.open(server);
  await using nats = plugin();
  using trace = new FixedTrace();
  await nats.notify(detail, true, context());
  const [message] = await target.taken();
  assert.equal(message?.headers["traceparent"], TRACEPARENT);
  const [{ name, kind, attributes } = { name: "", kind: "", attributes: {} as Record<string, unknown> }] = trace.calls;
  assert.deepEqual([name, kind], ["send nats", "producer"]);
  assert.deepEqual([attributes["messaging.system"], attributes["messaging.destination.name"]], [
    "nats",
    "cloud.servers",
  ]);
});
