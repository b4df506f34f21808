import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Connection } from "rabbitmq-client";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { CloudPublisher, type Published } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { EXPECTED, EXPECTED_V1, type ExpectedEvent } from "../facts/expected_events.ts";
import { type CaptureLine, mergeByTime, readCapture } from "../support/captures.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { depth, listening, LONG_MS } from "./listening.ts";

const PASSWORD = "hush-4711";

const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"));
/** The same facts, an earlier run, in the other driver's form. */
const RUN_V1 = readCapture("v1-no-envelope.jsonl").filter(({ routing_key }) => routing_key === "notifications.info");
/** The part of it that events come from, and little else. */
const SHORT_RUN = RUN.filter(({ body }) =>
  /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body)
);
const EXCHANGES = ["nova", "neutron", "keystone", "glance"];

/** RabbitMQ closes the channel; a quorum queue of 4.3 cancels the consumer. */
const TAKEN_BACK =
  / delivery acknowledgement on channel \d+ timed out| \(queue deleted or moved, or messages not acknowledged in time\)/g;

let shared: PrivateRabbit;

Deno.test.beforeAll(async () => {
  shared = await startRabbit();
  await shared.ctl("add_user", "watcher", PASSWORD);
  await shared.ctl("set_permissions", "watcher", ".*", ".*", ".*");
});

Deno.test.afterAll(() => shared.stop());

Deno.test("service delivers every event of the recorded cloud when a durable broker is killed in the middle", async () => {
  await using rabbit = await startRabbit();
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: true });
  const queue = { name: "oss-watcher", exchanges: EXCHANGES };
  using dir = directory({ rabbit: { url: rabbit.url, queue }, targets: { Cmdb: receiver } });
  await using service = await listening(dir);
  // On a quick machine the quorum queue is too young to survive.
  await rabbit.sync();

  const middle = Math.floor(RUN.length / 2);
  let restarted: Promise<void> | undefined;
  for (const [index, line] of RUN.entries()) {
    // Publisher and service find their connections gone at any moment.
    if (index === middle) restarted = rabbit.kill().then(() => rabbit.restart());
    await publish(publisher, line);
  }
  await restarted;

  await everything(receiver, { service });
  assertRun(receiver);
  assert.match(
    service.log,
    /WARNING \(broker\) Lost the connection to 127\.0\.0\.1:\d+: [^\n]+; trying again in [01](\.\d)? s\n/,
  );
  assert.match(service.log, /INFO \(broker\) Listening on queue "oss-watcher" at 127\.0\.0\.1:\d+ again\n/);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

Deno.test("service binds to exchanges that are not durable within 2 s of their return, and logs the gap", async () => {
  await using rabbit = await startRabbit();
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: false });
  const queue = { name: "oss-watcher", exchanges: EXCHANGES };
  using dir = directory({ rabbit: { url: rabbit.url, queue }, targets: { Cmdb: receiver } });
  const started = Date.now();
  await using service = await listening(dir);
  // On a quick machine the quorum queue is too young to survive.
  await rabbit.sync();
  const middle = Math.floor(RUN.length / 2);
  for (const line of RUN.slice(0, middle)) await publish(publisher, line);

  await rabbit.kill();
  await rabbit.restart();
  // From 4.3 on RabbitMQ keeps what is not durable; its owner may delete it all the same.
  if (await rabbit.release() >= 4.3) {
    for (const exchange of EXCHANGES) await publisher.deleteExchange(exchange);
  }
  const gone = (exchange: string) =>
    service.log.includes(`Exchange "${exchange}" is not there yet: its service declares`);
  await until(() => EXCHANGES.every(gone), LONG_MS);
  for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: false });
  const returned = Date.now();
  await until(() => EXCHANGES.every((exchange) => gaps(service, exchange).length > 0), LONG_MS);
  const boundAfterMs = Date.now() - returned;

  for (const line of RUN.slice(middle)) await publish(publisher, line);
  await everything(receiver, { service });
  assertRun(receiver);
  // Within two seconds by docs/OPERATIONS.md; a machine may be busy.
  assert.ok(boundAfterMs < 10_000, `${boundAfterMs} ms`);
  for (const exchange of EXCHANGES) {
    const [gap, ...more] = gaps(service, exchange);
    assert.deepEqual(more, []);
    assert.ok(
      gap!.from >= started && gap!.from <= returned,
      `${exchange}: ${JSON.stringify(gap)} ${started} ${returned}`,
    );
    assert.ok(gap!.to >= returned - 500, `${exchange}: ${JSON.stringify(gap)} ${returned}`);
  }
});

Deno.test("service consumes an existing queue as the first generation did, and refuses to be a second consumer", async () => {
  await using receiver = new Receiver();
  await using other = new Receiver();
  await using bus = new Bus(shared);
  await bus.declareQueue("monitoring.info", { durable: false });
  const rabbit = {
    host: "127.0.0.1",
    port: shared.port,
    user: "watcher",
    password: PASSWORD,
    watchQueue: "monitoring.info",
  };
  using dir = directory({ rabbit, targets: { Cmdb: receiver } });
  using second = directory({ rabbit, targets: { Cmdb: other } });
  await using service = await listening(dir);

  await using late = new Service(second.path());
  assert.equal((await late.status).code, 1);
  assert.equal(
    lastLine(late),
    `Queue "monitoring.info" is in use by another consumer: stop it, or let oss-watcher have its own queue with rabbit.queue`,
  );

  for (const { body } of RUN_V1) await bus.publish({ exchange: "", routingKey: "monitoring.info", body });
  await everything(receiver, { service, expected: EXPECTED_V1 });
  assertRun(receiver, EXPECTED_V1);
  assert.deepEqual(other.requests, []);
  assert.deepEqual(
    receiver.requests.filter(({ authorization }) => authorization !== `Basic ${btoa(`watcher:${PASSWORD}`)}`),
    [],
  );
});

for (
  const { what, rabbit, says } of [
    {
      what: "a wrong password",
      rabbit: { user: "watcher", password: "wrong-4711", queue: { name: "unused" } },
      says: `RabbitMQ at 127.0.0.1:PORT refuses user "watcher": check rabbit.user and rabbit.password`,
    },
    {
      what: "an unknown vhost",
      rabbit: { user: "watcher", password: PASSWORD, vhost: "cell-7", queue: { name: "unused" } },
      says: `RabbitMQ at 127.0.0.1:PORT has no vhost "cell-7": check rabbit.vhost, or rabbitmqctl add_vhost makes it`,
    },
    {
      what: "a queue that is not there",
      rabbit: { user: "watcher", password: PASSWORD, watchQueue: "no.such.queue" },
      says:
        `Queue "no.such.queue" does not exist: the services declare it with their first notification to that topic. ` +
        `Check the name, or let oss-watcher have its own queue with rabbit.queue`,
    },
  ]
) {
  Deno.test(`service ends with one clear line and exit code 1 at ${what}`, async () => {
    await using receiver = new Receiver();
    using dir = directory({ rabbit: { host: "127.0.0.1", port: shared.port, ...rabbit }, targets: { Cmdb: receiver } });
    await using service = new Service(dir.path());
    assert.equal((await service.status).code, 1);
    await service.end("SIGKILL");
    const [line, ...more] = service.log.trimEnd().split("\n").filter((one) => !/^\S+ \S+ INFO \(/.test(one));
    assert.deepEqual(more, []);
    assert.ok(line?.startsWith(says.replace("PORT", String(shared.port))), line);
    assert.ok(!service.log.includes("4711"));
  });
}

Deno.test("service keeps trying a broker that cannot be reached, and ends at SIGTERM at once", async () => {
  await using receiver = new Receiver();
  const rabbit = { url: [`amqp://watcher:${PASSWORD}@127.0.0.1:1/`, `amqp://watcher:${PASSWORD}@127.0.0.1:2/`] };
  using dir = directory({ rabbit: { ...rabbit, queue: { name: "unused" } }, targets: { Cmdb: receiver } });
  await using service = new Service(dir.path());
  await until(() => /127\.0\.0\.1:2: refused; trying again in \d+ s\n/.test(service.log), LONG_MS);
  assert.match(service.log, /WARNING \(broker\) Cannot connect to 127\.0\.0\.1:1: refused; trying 127\.0\.0\.1:2\n/);
  const asked = Date.now();
  const { code } = await service.end("SIGTERM");
  assert.equal(code, 0);
  // The grace for attempts would be ten seconds; the machine may be busy.
  assert.ok(Date.now() - asked < 9_000, `${Date.now() - asked} ms`);
  assert.ok(!service.log.includes(PASSWORD));
});

Deno.test("service that is stopped in the middle of its work loses nothing and repeats nothing", async () => {
  await using receiver = new Receiver();
  receiver.answer = () => new Promise((resolve) => setTimeout(() => resolve(new Response()), 50));
  await using bus = new Bus(shared);
  await bus.declareExchange("stopped");
  using dir = directory({
    rabbit: { url: shared.url, queue: { name: "stopped", exchanges: ["stopped"], type: "classic" } },
    targets: { Cmdb: receiver },
  });
  await using first = await listening(dir);
  const published = (async () => {
    for (const { routing_key: routingKey, body } of SHORT_RUN) {
      await bus.publish({ exchange: "stopped", routingKey, body });
    }
  })();
  await until(() => receiver.requests.length >= 10, LONG_MS);
  assert.equal((await first.end("SIGTERM")).code, 0);
  assert.match(first.log, /INFO \(service\) Stopping: waiting for attempts in flight\n.*INFO \(service\) Stopped\n$/s);
  const before = receiver.requests.length;
  assert.ok(before < EXPECTED.length, `${before}`);
  await published;

  await using second = await listening(dir);
  await everything(receiver, { service: second });
  assertRun(receiver);
  assert.equal(receiver.requests.length, EXPECTED.length);
});

Deno.test("service cuts off attempts that take longer than 10 s to end, and makes them first when it starts again", async () => {
  await using receiver = new DeafReceiver();
  await using bus = new Bus(shared);
  await bus.declareExchange("hanging");
  using dir = directory({
    rabbit: { url: shared.url, queue: { name: "hanging", exchanges: ["hanging"], type: "classic" } },
    targets: { Cmdb: receiver },
  });
  await using first = await listening(dir);
  for (const { routing_key: routingKey, body } of SHORT_RUN) {
    await bus.publish({ exchange: "hanging", routingKey, body });
  }
  // Eight attempts side by side is the default.
  await until(() => receiver.requests.length === 8, LONG_MS);
  const hung = receiver.requests.map(({ key }) => key);
  const asked = Date.now();
  assert.equal((await first.end("SIGTERM")).code, 0);
  assert.ok(Date.now() - asked >= 9_000 && Date.now() - asked < 60_000, `${Date.now() - asked} ms`);

  receiver.requests.length = 0;
  // Nobody is answered before all of them are there: a ninth would come, and may be faster than one that has to connect.
  const eight = Promise.withResolvers<void>();
  receiver.answer = async () => {
    if (receiver.requests.length >= 8) eight.resolve();
    await eight.promise;
    return new Response();
  };
  await using second = await listening(dir);
  await everything(receiver, { service: second });
  assertRun(receiver);
  assert.deepEqual(receiver.requests.slice(0, 8).map(({ key }) => key).sort(), hung.sort());
});

Deno.test("service ends at the second SIGTERM at once", async () => {
  await using receiver = new DeafReceiver();
  await using bus = new Bus(shared);
  await bus.declareExchange("impatient");
  using dir = directory({
    rabbit: { url: shared.url, queue: { name: "impatient", exchanges: ["impatient"], type: "classic" } },
    targets: { Cmdb: receiver },
  });
  await using service = await listening(dir);
  for (const { routing_key: routingKey, body } of SHORT_RUN) {
    await bus.publish({ exchange: "impatient", routingKey, body });
  }
  await until(() => receiver.requests.length > 0, LONG_MS);
  Deno.kill(service.pid, "SIGTERM");
  await until(() => service.log.includes("Stopping"), LONG_MS);
  const asked = Date.now();
  const { code } = await service.end("SIGTERM");
  assert.equal(code, 130);
  // The grace for attempts would be ten seconds; the machine may be busy.
  assert.ok(Date.now() - asked < 9_000, `${Date.now() - asked} ms`);
});

Deno.test("service tries a failing plugin again while messages are acknowledged and another plugin goes on", async () => {
  await using good = new Receiver();
  await using bad = new Receiver();
  let down = true;
  bad.answer = () => new Response(null, { status: down ? 503 : 200 });
  await using bus = new Bus(shared);
  await bus.declareExchange("down");
  using dir = directory({
    rabbit: { url: shared.url, queue: { name: "down", exchanges: ["down"] } },
    targets: { Good: good, Bad: bad },
  });
  await using service = await listening(dir);
  for (const { routing_key: routingKey, body } of SHORT_RUN) await bus.publish({ exchange: "down", routingKey, body });
  await everything(good, { service });
  assertRun(good);
  await until(async () => await depth(shared, "down") === 0, LONG_MS);
  await until(() => bad.requests.length >= 10, LONG_MS);
  assert.match(service.log, /WARNING \(Bad\) Attempt 1 of server\/\S+ failed \(server_error\): [^\n]+503/);

  down = false;
  await everything(bad, { service });
  assertRun(bad);
  assert.equal(good.requests.length, EXPECTED.length);
});

Deno.test("service says at its start what it listens to, and keeps secrets to itself", async () => {
  await using receiver = new Receiver();
  const rabbit = {
    url: `amqp://watcher:${PASSWORD}@127.0.0.1:${shared.port}/`,
    queue: { name: "lines", exchanges: ["lines"] },
  };
  using dir = directory({ rabbit, targets: { Cmdb: receiver, Dns: receiver } });
  await using service = await listening(dir, ["--debug"]);
  const lines = service.log.trimEnd().split("\n").map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, ""));
  assert.deepEqual(lines, [
    "INFO (service) Listen queue lines",
    "INFO (service) Handled events of creation: compute.instance.create.end, floatingip.update.end",
    "INFO (service) Handled events of deletion: compute.instance.delete.end, floatingip.update.end",
    "INFO (service) Plugin `Cmdb` is loaded.",
    "INFO (service) Plugin `Dns` is loaded.",
    `INFO (base_connection) Connecting to 127.0.0.1:${shared.port}`,
    `WARNING (broker) Exchange "lines" is not there yet: its service declares it with its first notification. The queue is bound as soon as it is there`,
    `INFO (broker) Listening on queue "lines" at 127.0.0.1:${shared.port}`,
  ]);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.ok(!service.log.includes("4711"));
});

Deno.test("service outlives a promise that a plugin forgot, and tells of it without secrets", async () => {
  using dir = new ProgramDirectory({
    "config.ts": `setTimeout(() => Promise.reject(new Error("no luck, password=${PASSWORD}")), 100);
      export default {
        events: { creation: ["instance.create.end"], deletion: [] },
        plugins: [{ name: "Forgetful", notify() {} }],
        rabbit: { url: "amqp://127.0.0.1:1/", queue: { name: "unreachable" } },
        ledger: { file: "./ledger.db" },
      };`,
  });
  await using service = new Service(dir.path());
  const told = "ERROR (service) A promise that nobody waited for was rejected: no luck, password=***\n";
  await until(() => service.log.includes(told), LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.match(service.log, / INFO \(service\) Stopped\n$/);
});

Deno.test("service refuses a ledger that another one uses, with one clear line and exit code 1", async () => {
  await using receiver = new Receiver();
  using dir = directory({ rabbit: { url: shared.url, queue: { name: "twice" } }, targets: { Cmdb: receiver } });
  await using _first = await listening(dir);
  await using second = new Service(dir.path());
  assert.equal((await second.status).code, 1);
  await second.end("SIGKILL");
  assert.equal(
    second.log,
    `Cannot open the ledger "${
      Deno.realPathSync(dir.path())
    }/ledger.db": another oss-watcher uses it. Stop that one, or set ledger.file to another path\n`,
  );
});

for (const type of ["quorum", "classic"] as const) {
  Deno.test(`service loses and repeats nothing when RabbitMQ takes back from its ${type} queue what the ledger could not record`, async () => {
    await using rabbit = await startRabbit({ settings: ["consumer_timeout = 2000"] });
    // How often a channel looks for what is due; a minute otherwise.
    await rabbit.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 500).");
    await using receiver = new Receiver();
    await using publisher = new CloudPublisher(rabbit.url);
    for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: true });
    const queue = { name: "oss-watcher", type, exchanges: EXCHANGES };
    using dir = directory({ rabbit: { url: rabbit.url, queue }, targets: { Cmdb: receiver } });
    await using service = await listening(dir);
    const count = (text: RegExp) => [...service.log.matchAll(text)].length;
    {
      using other = openDatabase(dir.path("ledger.db"), { create: false });
      other.exec("BEGIN IMMEDIATE");
      for (const line of SHORT_RUN) await publish(publisher, line);
      await until(() => count(/ERROR \(ledger\) Cannot write the ledger: /g) === 1, LONG_MS);
      // A classic queue of RabbitMQ 4.3 waits for ever.
      const takesBack = type === "quorum" || await rabbit.release() < 4.3;
      if (takesBack) await until(() => count(TAKEN_BACK) === 1, LONG_MS);
      await until(async () => await depth(rabbit, "oss-watcher") === SHORT_RUN.length, LONG_MS);
      other.exec("ROLLBACK");
    }
    await everything(receiver, { service });
    assertRun(receiver);
    await until(async () => await depth(rabbit, "oss-watcher") === 0, LONG_MS);
    assert.equal(count(/Lost the connection/g), 0, service.log);
    assert.equal((await service.end("SIGTERM")).code, 0);
  });
}

Deno.test("service acknowledges and lists what it cannot use, and keeps no body and no token", async () => {
  await using receiver = new Receiver();
  await using bus = new Bus(shared);
  await bus.declareExchange("odd");
  const keys = ["info", "error"].flatMap((
    priority,
  ) => [`notifications.${priority}`, `versioned_notifications.${priority}`]);
  using dir = directory({
    rabbit: { url: shared.url, queue: { name: "odd", exchanges: ["odd"], routingKeys: keys } },
    targets: { Cmdb: receiver },
  });
  await using service = await listening(dir);
  const token = "gAAAAABl-a-token-of-somebody";
  const incomplete = { message_id: "1", event_type: "compute.instance.create.end", payload: { token } };
  const odd: readonly (readonly [body: string, reason: string])[] = [
    [`{"event_type": "compute.instance.create.end", "token": "${token}"`, "not JSON"],
    [`["${token}"]`, "not a JSON object"],
    ["", "empty"],
    [JSON.stringify(incomplete), "compute.instance.create.end without instance_id"],
    [JSON.stringify({ ...incomplete, message_id: 5 }), "no message_id"],
    [JSON.stringify({ ...incomplete, payload: null }), "no payload"],
    [`{"oslo.version": "2.0", "oslo.message": "{\\"${token}\\""}`, "oslo.message is not JSON"],
    [`{"event_type": "x", "pad": "${token.repeat(40_000)}"}`, "1120030 bytes, more than 1048576"],
  ];
  for (const [body] of odd) await bus.publish({ exchange: "odd", routingKey: "notifications.info", body });
  const tokens = [...RUN, ...readCapture("v1-no-envelope.jsonl")];
  assert.ok(tokens.filter(({ body }) => body.includes("gAAAA")).length > 90);
  for (const { routing_key: routingKey, body } of tokens) await bus.publish({ exchange: "odd", routingKey, body });
  await everything(receiver, { service, expected: [...EXPECTED, ...EXPECTED_V1] });
  await until(async () => await depth(shared, "odd") === 0, LONG_MS);

  for (const [, reason] of odd) {
    assert.ok(
      service.log.includes(`WARNING (intake) Rejected a message of notifications.info from exchange odd: ${reason}\n`),
      `${reason}: ${service.log}`,
    );
  }
  const { code, out, err } = await runProgram({
    dir: dir.path(),
    args: ["events", "--state", "rejected", "--json", "--ledger", "ledger.db"],
    permissions: READ_WRITE,
  });
  assert.deepEqual([code, err], [0, ""]);
  const listed = out.trimEnd().split("\n").map((line) => JSON.parse(line)).toReversed();
  assert.deepEqual(
    listed.map(({ key, state, plugin, reason }) => ({ key, state, plugin, reason })),
    odd.map(([body, reason]) => ({
      key: "notifications.info",
      state: "rejected",
      plugin: null,
      reason: `${reason} (${body.length} bytes, sha256 ${sha256(body).slice(0, 12)}…)`,
    })),
  );
  assert.equal((await service.end("SIGTERM")).code, 0);
  const files = [...Deno.readDirSync(dir.path())].map(({ name }) => name);
  assert.ok(files.includes("ledger.db"));
  for (const file of files) assert.ok(!Deno.readTextFileSync(dir.path(file)).includes("gAAAA"), file);
  assert.ok(!service.log.includes("gAAAA") && !out.includes("gAAAA"));
  assert.deepEqual(receiver.requests.filter(({ detail }) => JSON.stringify(detail).includes("gAAAA")), []);
});

interface Setup {
  /** The section of config.ts. */
  readonly rabbit: Readonly<Record<string, unknown>>;
  /** Plugins by their names. */
  readonly targets: Readonly<Record<string, Receiver>>;
}

/** A directory with a configuration, where the ledger will be, too. */
function directory({ rabbit, targets }: Setup): ProgramDirectory {
  const plugins = Object.entries(targets).map(([name, { port }]) => {
    const options = { name, host: "http://127.0.0.1", port, user: "watcher", password: PASSWORD };
    return `new RestNotify(${JSON.stringify({ ...options, urlCreation: "/created", urlDeletion: "/deleted" })})`;
  });
  return new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
      export default {
        events: {
          creation: ["compute.instance.create.end", "floatingip.update.end"],
          deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        },
        plugins: [${plugins.join(", ")}],
        rabbit: ${JSON.stringify(rabbit)},
        retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.5 },
        metrics: false,
        console: false,
        // The recording may be older than what is usually believed of a queue.
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
}

/** Publishes until it is confirmed: what was not may come twice. */
async function publish(
  publisher: CloudPublisher,
  { exchange, routing_key: routingKey, body }: CaptureLine,
): Promise<void> {
  await until(() => publisher.publish({ exchange, routingKey, body }).then(() => true, () => false), LONG_MS);
}

/** Resolves when everything that is expected has come. */
async function everything(receiver: Receiver, { service, expected = EXPECTED }: {
  readonly service: Service;
  readonly expected?: readonly ExpectedEvent[];
}): Promise<void> {
  try {
    await until(() => missing(receiver, expected).length === 0, LONG_MS);
  } catch (error) {
    throw new Error(`Missing: ${missing(receiver, expected).join(", ")}\n${service.log}`, { cause: error });
  }
}

/** What is expected and has not come. */
function missing({ requests }: Receiver, expected: readonly ExpectedEvent[] = EXPECTED): string[] {
  const came = new Set(requests.map(({ key }) => key));
  return expected.map(({ key }) => key).filter((key) => !came.has(key));
}

/** Everything came, nothing else did, and of each server and each floating address the first arrivals are in order. */
function assertRun({ requests }: Receiver, expected: readonly ExpectedEvent[] = EXPECTED): void {
  const arrivals = [...new Set(requests.map(({ key }) => key))];
  assert.deepEqual(arrivals.toSorted(), expected.map(({ key }) => key).toSorted());
  for (const [group, events] of Map.groupBy(expected.flatMap(groupsOf), ({ group }) => group)) {
    const keys = events.map(({ key }) => key);
    assert.deepEqual(arrivals.filter((key) => keys.includes(key)), keys, group);
  }
  for (const { key, path, detail } of requests) {
    const event = expected.find((one) => one.key === key)!;
    assert.deepEqual(
      { key, path, ip: detail["IP"], server: detail["ID"] },
      { key, path: key.endsWith("/creation") ? "/created" : "/deleted", ip: event.ip, server: event.server },
    );
  }
}

function groupsOf({ key, server, ip }: ExpectedEvent): { readonly group: string; readonly key: string }[] {
  return [
    { group: `server ${server}`, key },
    ...key.startsWith("floatingip/") ? [{ group: `address ${ip}`, key }] : [],
  ];
}

interface Gap {
  readonly from: number;
  readonly to: number;
}

/** The gaps that a service's log tells of, in milliseconds. */
function gaps({ log }: Service, exchange: string): Gap[] {
  const line = new RegExp(
    `WARNING \\(broker\\) No notifications of exchange ${exchange} could arrive between (\\S+) and (\\S+): ` +
      "notifications published in that time are lost\\n",
    "g",
  );
  return [...log.matchAll(line)].map(([, from, to]) => ({ from: Date.parse(from!), to: Date.parse(to!) }));
}

function lastLine({ log }: Service): string | undefined {
  return log.trimEnd().split("\n").at(-1);
}

/** A receiver that takes requests and does not answer them until it goes. */
class DeafReceiver extends Receiver {
  readonly #gone = Promise.withResolvers<void>();

  constructor() {
    super();
    this.answer = () => this.#gone.promise.then(() => new Response());
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.resolve();
    await super[Symbol.asyncDispose]();
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The services' end of a bus that stays up. */
class Bus implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #publisher: CloudPublisher;

  constructor({ url }: PrivateRabbit) {
    this.#connection = new Connection(url);
    this.#publisher = new CloudPublisher(url);
  }

  async declareQueue(queue: string, { durable }: { readonly durable: boolean }): Promise<void> {
    await this.#connection.queueDeclare({ queue, durable });
  }

  declareExchange(exchange: string): Promise<void> {
    return this.#publisher.declareExchange(exchange, { durable: true });
  }

  publish(message: Published): Promise<void> {
    return this.#publisher.publish(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher[Symbol.asyncDispose]();
    await this.#connection.close();
  }
}
