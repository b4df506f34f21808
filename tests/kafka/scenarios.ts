import RequestQueue from "kafkajs/request_queue";
import assert from "node:assert/strict";
import { Kafka } from "../../plugins/kafka.ts";
import type { KafkaOptions } from "../../plugins/kafka_options.ts";
import { context, detail, updateContext } from "../plugins/notification.ts";
import { until } from "../support/until.ts";
import { deliverThroughOutage } from "../support/broker_outage.ts";
import { fails } from "../support/fails.ts";
import { FixedTrace, TRACEPARENT } from "../support/fixed_trace.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort } from "../wire/server.ts";
import { type GatedKafka, KafkaHarness, PASSWORD, USER } from "./harness.ts";

const never = new AbortController().signal;

/** What a broker does that the contract does not ask for. */
export function testScenarios(stage: () => { readonly kafka: GatedKafka; readonly pki: TestPki }): void {
  const kafka = () => stage().kafka;
  const plugin = (target: KafkaHarness, options: Partial<KafkaOptions> = {}) =>
    new Kafka({ brokers: target.brokers, topic: target.topic, user: USER, password: PASSWORD, ...options });

  Deno.test("Kafka: events of one server are in one partition, in order, whatever fails between them", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target);
    const servers = Array.from({ length: 6 }, (_, index) => `s${index}`);
    for (const [step, kind] of ["creation", "update/1", "update/2", "deletion"].entries()) {
      if (step === 2) {
        await target.behave("down");
        await fails(sender.notify(detail, true, context({ key: "server/s0/lost" })), "connection", /./);
        await target.behave("accepts");
      }
      await Promise.all(servers.map((id) => sender.notify(detail, true, context({ key: `server/${id}/${kind}` }))));
    }

    const taken = await target.taken();
    for (const id of servers) {
      const own = taken.filter(({ key }) => key === id);
      assert.equal(new Set(own.map(({ partition }) => partition)).size, 1);
      const kinds = own.map(({ headers }) => headers["idempotency-key"]?.replace(`server/${id}/`, ""));
      assert.deepEqual(kinds, ["creation", "update/1", "update/2", "deletion"]);
    }
  });

  Deno.test("Kafka: what is done is in the topic, though answers to others were lost", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target, { key: () => "of one partition" });
    await sender.notify(detail, true, context({ key: "server/first/creation" }));
    const done = new Set(["server/first/creation"]);
    for (let round = 0; round < 10; round++) {
      kafka().answers.lose(1);
      const keys = Array.from({ length: 8 }, (_, index) => `server/s${round}-${index}/creation`);
      const publish = (key: string) => sender.notify(detail, true, context({ key })).then(() => done.add(key));
      await Promise.allSettled(keys.map(publish));
    }

    const taken = new Set((await target.taken()).map(({ headers }) => headers["idempotency-key"] ?? ""));
    assert.deepEqual([...done].filter((key) => !taken.has(key)), []);
  });

  Deno.test("Kafka: what was given up is not sent later, after what follows it", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target, { timeoutSeconds: 1 });
    await sender.check(never);
    await sender.notify(detail, true, context({ key: "server/s1/creation" }));
    await target.behave("hangs");
    await fails(sender.notify(detail, true, context({ key: "server/s1/update/1" })), "timeout", /no answer within 1 s/);
    await target.behave("accepts");
    await until(() =>
      sender.notify(detail, false, context({ key: "server/s1/deletion" })).then(() => true, () => false)
    );

    // The library's own time limit, and its retries.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const keys = (await target.taken()).map(({ headers }) => headers["idempotency-key"]);
    assert.deepEqual(keys, ["server/s1/creation", "server/s1/deletion"]);
  });

  Deno.test("Kafka: topic and key may be functions, and CloudEvents have headers of their own", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target, {
      topic: (_detail, _created, { subject }) => subject === "server" ? target.topic : "elsewhere",
      key: ({ ProjectID }) => `project ${ProjectID}`,
      format: "cloudevents-binary",
      source: "/cloud",
    });
    await using broken = plugin(target, { topic: () => "no topic" });

    await sender.update({ ...detail, ProjectID: "p1" }, updateContext({ changed: ["FQDN"] }));
    await fails(broken.notify(detail, true, context()), "PermanentError", /returned "no topic", which is no topic$/);

    const [message] = await target.taken();
    assert.equal(message?.key, "project p1");
    assert.equal(message?.headers["ce_type"], "org.openstack.server.updated");
    assert.equal(message?.headers["ce_source"], "/cloud");
    assert.equal(message?.headers["content-type"], "application/json");
  });

  Deno.test("Kafka: a message has the header of its trace, if it is traced", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target);
    using trace = new FixedTrace();

    await sender.notify(detail, true, context());

    const [message] = await target.taken();
    assert.equal(message?.headers["traceparent"], TRACEPARENT);
    assert.equal(trace.calls[0]?.name, `send ${target.topic}`);
  });

  Deno.test("Kafka: a topic that is not there, or not ours to write to, is told, and retried", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using missing = plugin(target, { topic: "cloud-missing" });
    await using foreign = plugin(target, { topic: "foreign" });
    await target.admin.createTopics({ topics: [{ topic: "foreign" }], waitForLeaders: false });

    await fails(
      missing.notify(detail, true, context()),
      "client_error",
      /topic "cloud-missing".*its owner must make the topic$/,
    );
    await fails(missing.check(never), "client_error", /^Cannot find topic "cloud-missing" at .*; its owner must make/);
    await fails(foreign.notify(detail, true, context()), "unauthorized", /right to write to the topic$/);
    await target.admin.deleteTopics({ topics: ["foreign"] });
  });

  Deno.test("Kafka: a message that is too large is refused for good, and takes no neighbour with it", async () => {
    await using target = await KafkaHarness.open(kafka());
    await target.limit(20_000);
    await using sender = plugin(target);
    const large = { ...detail, Description: "x".repeat(50_000) };

    const others = [1, 2, 3].map((index) => sender.notify(detail, true, context({ key: `server/s${index}/creation` })));
    await fails(sender.notify(large, true, context()), "PermanentError", /raise max\.message\.bytes of the topic$/);
    await Promise.all(others);

    assert.equal((await target.taken()).length, 3);
  });

  Deno.test("Kafka: TLS with a private authority; whom we do not trust is told", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using stranger = await TestPki.make();
    const { pki } = stage();
    const at = (tls: KafkaOptions["tls"]) =>
      plugin(target, { brokers: `127.0.0.1:${kafka().server.tlsPort}`, ...(tls !== undefined && { tls }) });
    const tls = { caFile: pki.caFile, serverName: "kafka.test" };

    await using sender = at(tls);
    await sender.check(never);
    await sender.notify(detail, true, context());
    assert.equal((await target.taken()).length, 1);
    for (
      const [wrong, text] of [
        [{ ...tls, caFile: stranger.caFile }, /set tls\.caFile to the authority/],
        [true, /set tls\.caFile to the authority/],
        [{ caFile: pki.caFile }, /set tls\.serverName to a name/],
        [{ ...tls, caFile: "/missing.pem" }, /Cannot read the CA file "\/missing\.pem"/],
      ] as const
    ) {
      await using refused = at(wrong);
      await fails(refused.notify(detail, true, context()), "connection", text);
    }
    await using plain = plugin(target, { tls });
    await fails(plain.notify(detail, true, context()), "connection", /does not speak TLS there; check port and tls$/);
  });

  Deno.test("Kafka: docs/EVENT_BUSES.md has commands that make a topic for us", async () => {
    const text = await Deno.readTextFile(new URL("../../docs/EVENT_BUSES.md", import.meta.url));
    const commands = [...text.matchAll(/^ {4}(kafka-(?:topics|acls)\.sh) (.*)$/gm)];
    assert.equal(commands.length, 2);
    for (const [, program = "", args = ""] of commands) {
      const words = args.replaceAll("localhost:9092", `127.0.0.1:${kafka().server.ownerPort}`)
        .replaceAll("oss-watcher", USER).replaceAll("topic cloud", "topic documented").split(" ");
      await kafka().server.tool(program === "kafka-topics.sh" ? "TopicCommand" : "AclCommand", words);
    }
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target, { topic: "documented" });

    await sender.check(never);
    await sender.notify(detail, true, context());
  });

  for (
    const wrong of [{ password: "guess-0815" }, { user: "nobody", password: "guess-0815" }, {
      mechanism: "plain",
    }] as const
  ) {
    Deno.test(`Kafka: a login that is refused for ${Object.keys(wrong)} has reason unauthorized`, async () => {
      await using target = await KafkaHarness.open(kafka());
      await using sender = plugin(target, wrong);

      await fails(
        sender.notify(detail, true, context()),
        "unauthorized",
        /^Cannot connect to 127.*(check user|set mechanism)/,
      );
      await fails(sender.check(never), "unauthorized", /^Cannot connect to /);
    });
  }

  Deno.test("Kafka: another broker is tried when one is not there", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target, { brokers: [`127.0.0.1:${closedPort()}`, target.brokers] });
    await using hopeless = plugin(target, { brokers: `127.0.0.1:${closedPort()}` });

    await sender.notify(detail, true, context());
    await fails(hopeless.notify(detail, true, context()), "connection", /^Cannot connect to 127/);

    const dead = Array.from({ length: 3 }, () => `127.0.0.1:${closedPort()}`);
    await using last = plugin(target, { brokers: [...dead, target.brokers] });
    await last.notify(detail, true, context());
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using moved = plugin(target, {
      brokers: [`127.0.0.1:${silent.addr.port}`, target.brokers],
      timeoutSeconds: 2,
    });
    await fails(moved.notify(detail, true, context()), "timeout", /no answer within 2 s/);
    await until(() => moved.notify(detail, true, context()).then(() => true, () => false), 20_000);
    silent.close();

    assert.equal((await target.taken()).length, 3);
  });

  Deno.test("Kafka: a broker may be named by an IPv6 address; a port that cannot be is refused", async () => {
    await using sender = new Kafka({ brokers: [`[::1]:${closedPort()}`, "[fe80::1]:1"], topic: "cloud" });
    await fails(sender.notify(detail, true, context()), "connection", /^Cannot connect to \[::1\].*: (?!.*ENOTFOUND)/);
    for (const brokers of ["a:0", "a:65536", "[::1]:99999", ["a:1", "b"]]) {
      assert.throws(() => new Kafka({ brokers, topic: "cloud" }), /brokers: must be host:port/);
    }
  });

  Deno.test("Kafka: the library's queues hold nothing back, and have no timers while nothing waits", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target);
    const { prototype } = RequestQueue as { readonly prototype: WatchedQueue };
    const { push } = prototype;
    const queues = new Set<WatchedQueue>();
    prototype.push = function watched(request) {
      queues.add(this);
      push.call(this, request);
    };
    for (const id of ["a", "b", "c"]) await sender.notify(detail, true, context({ key: `server/${id}/creation` }));
    prototype.push = push;

    assert.ok(queues.size > 0);
    for (const queue of queues) {
      assert.equal(queue.throttledUntil, -1);
      await until(() => queue.throttleCheckTimeoutId === null);
    }
  });

  Deno.test("Kafka: every event arrives in the end when the broker is killed and comes back meanwhile", async () => {
    await using target = await KafkaHarness.open(kafka());
    await using sender = plugin(target, { timeoutSeconds: 5 });
    const keys = Array.from({ length: 30 }, (_, index) => `server/s${index}/creation`);
    const { server } = kafka();
    await deliverThroughOutage(sender, { keys, kill: () => server.kill(), restart: () => server.start() });

    const taken = new Set((await target.taken()).map(({ headers }) => headers["idempotency-key"] ?? ""));
    assert.deepEqual([...taken].toSorted(), keys.toSorted());
  });

  Deno.test("Kafka: a broker that resets connections at any moment ends nothing but attempts", async () => {
    // In a process of its own: what nobody catches would end it.
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./resets.ts", import.meta.url).pathname, `${kafka().server.ownerPort}`],
    }).output();

    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 0, said);
    assert.match(said, /^40 attempts failed, each to be tried again\n$/);
  });
}

/** What is looked at in a queue of the library. */
interface WatchedQueue {
  push(request: unknown): void;
  /** Milliseconds since 1970. */
  readonly throttledUntil: number;
  readonly throttleCheckTimeoutId: unknown;
}
