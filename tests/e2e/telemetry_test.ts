import assert from "node:assert/strict";
import { Connection } from "rabbitmq-client";
import type { OtlpSpan } from "../../src/observe/telemetry/otlp.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import type { Service } from "../../tools/service.ts";
import { OtlpReceiver, valueOf } from "../support/otlp_receiver.ts";
import { temporaryDatabase } from "../support/postgres_server.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";
import { TestServer } from "../wire/server.ts";
import { listening, LONG_MS } from "./listening.ts";

const MESSAGE = "53282399-ac97-4c3c-80cb-29afbb2b2228";
const KEY = "server/4818c5b1-ac0b-4458-9eed-faf8936ad379/creation";
const BODY = await Deno.readTextFile(new URL("../../samples/compute.instance.create.end.json", import.meta.url));
/** None of these may be exported. */
const SECRETS = ["hush-in-the-query", "hush-in-a-header", "hush-of-rabbit"] as const;
const [QUERY, TOKEN, PASSWORD] = SECRETS;

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
  await rabbit.ctl("add_user", "watcher", PASSWORD);
  await rabbit.ctl("set_permissions", "watcher", ".*", ".*", ".*");
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("nova", { durable: true });
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("a notification is one trace, from its receipt to the requests of its targets, which continue it", async () => {
  await using collector = new OtlpReceiver();
  await using target = new TestServer(() => new Response(null, { status: 204 }));
  await using events = await Events.open();
  using dir = directory(target, { amqp: true });
  await using service = await started(dir, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await publish();
  await until(() => target.requests.length === 1, LONG_MS);
  const header = await events.traceparent();
  assert.equal((await service.end("SIGTERM")).code, 0, service.log);

  const spans = collector.trace("messaging.message.id", MESSAGE);
  const [root] = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  assert.ok(root);
  const named = (name: string): OtlpSpan => {
    const [span, ...others] = spans.filter((span) => span.name === name);
    assert.ok(span, `${name} is none of ${spans.map((other) => other.name)}`);
    assert.deepEqual(others, []);
    return span;
  };
  const isBelow = (name: string, parent: OtlpSpan) => assert.equal(named(name).parentSpanId, parent.spanId, name);
  assert.equal(root, named("receive nova:notifications.info"));
  for (const stage of ["record", "decide", "detail", "notify Cmdb", "notify AmqpPublish"]) isBelow(stage, root);
  isBelow("POST", named("notify Cmdb"));
  isBelow("send told", named("notify AmqpPublish"));
  assert.equal(spans.length, 8);
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
    assert.ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
  }

  const post = named("POST");
  assert.equal(target.requests[0]?.headers.get("traceparent"), `00-${root.traceId}-${post.spanId}-01`);
  assert.equal(header, `00-${root.traceId}-${named("send told").spanId}-01`);
  assert.deepEqual(
    ["http.request.method", "url.full", "http.response.status_code"].map((name) => valueOf(post, name)),
    ["POST", `${target.url}/created?token=***`, "204"],
  );
  assert.equal(valueOf(named("notify Cmdb"), "oss_watcher.event.key"), KEY);
  assert.equal(valueOf(root, "messaging.system"), "rabbitmq");
  for (const secret of SECRETS) assert.ok(!collector.text.includes(secret), secret);
});

Deno.test("a plugin gets the header of its trace, and what it logs belongs to its attempt", async () => {
  await using collector = new OtlpReceiver();
  await using target = new TestServer();
  using dir = directory(target, { own: true });
  await using service = await started(dir, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await publish();
  await until(() => service.log.includes("(Own) told with "), LONG_MS);
  await service.end("SIGTERM");
  const [attempt] = collector.spans.filter(({ name }) => name === "notify Own");
  assert.ok(attempt);
  const line = collector.logs.find(({ body }) => body.stringValue.startsWith("told with "));
  assert.equal(line?.body.stringValue, `told with 00-${attempt.traceId}-${attempt.spanId}-01`);
  assert.deepEqual([line.traceId, line.spanId], [attempt.traceId, attempt.spanId]);
});

Deno.test("a trace that is not sampled is not exported, and its targets are told so", async () => {
  await using collector = new OtlpReceiver();
  await using target = new TestServer();
  using dir = directory(target);
  await using service = await started(dir, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: "always_off",
  });
  await publish();
  await until(() => target.requests.length === 1 && collector.logs.length > 0, LONG_MS);
  assert.match(String(target.requests[0]?.headers.get("traceparent")), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  await service.end("SIGTERM");
  assert.deepEqual(collector.spans, []);
});

Deno.test("logs and metrics are exported, with the service's name, version and instance", async () => {
  await using collector = new OtlpReceiver();
  await using target = new TestServer();
  using dir = directory(target);
  await using service = await started(dir, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${TOKEN}`,
    OTEL_SERVICE_NAME: "watcher of the cloud",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=lab",
  });
  await publish();
  const delivered = () =>
    collector.metrics.at(-1)?.find(({ name }) => name === "oss_watcher_deliveries_delivered_total")?.sum?.dataPoints
      .map((point) => [valueOf(point, "plugin"), point.asDouble]);
  await until(() => delivered()?.[0]?.[1] === 1, LONG_MS);
  assert.deepEqual(delivered(), [["Cmdb", 1]]);
  await until(() => collector.logs.some(({ body }) => body.stringValue.startsWith("Listening on queue")), LONG_MS);
  await service.end("SIGTERM");
  const listening = collector.logs.find(({ body }) => body.stringValue.startsWith("Listening on queue"));
  assert.deepEqual([listening?.severityText, listening && valueOf(listening, "oss_watcher.part")], ["INFO", "broker"]);
  assert.equal(collector.logs.at(-1)?.body.stringValue, "Stopped");
  const resource = { attributes: collector.resources[0] ?? [] };
  assert.equal(valueOf(resource, "service.name"), "watcher of the cloud");
  assert.equal(valueOf(resource, "deployment.environment.name"), "lab");
  assert.match(String(valueOf(resource, "service.instance.id")), /^[0-9a-f-]{36}$/);
  assert.equal(collector.headers[0]?.get("authorization"), `Bearer ${TOKEN}`);
  for (const secret of SECRETS) assert.ok(!service.log.includes(secret) && !collector.text.includes(secret), secret);
});

Deno.test("an attempt after a restart belongs to the same trace", () => testRestart(`{ file: "ledger.db" }`));

Deno.test("an attempt of another process on the same PostgreSQL belongs to the same trace", async () => {
  await using database = await temporaryDatabase();
  const { url, schema } = database;
  await testRestart(JSON.stringify({ postgres: { url, schema } }));
});

async function testRestart(ledger: string): Promise<void> {
  await using collector = new OtlpReceiver();
  let status = 503;
  await using target = new TestServer(() => new Response(null, { status }));
  using dir = directory(target, { ledger });
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  {
    await using first = await started(dir, env);
    await publish();
    await until(() => target.requests.length > 0, LONG_MS);
    assert.equal((await first.end("SIGTERM")).code, 0, first.log);
  }
  status = 204;
  const failed = target.requests.length;
  await using second = await started(dir, env);
  await until(() => target.requests.length > failed, LONG_MS);
  await second.end("SIGTERM");

  const attempts = collector.spans.filter(({ name }) => name === "notify Cmdb");
  const [before, after] = [attempts[0], attempts.at(-1)];
  assert.ok(before && after && before !== after);
  assert.equal(before.traceId, after.traceId);
  assert.equal(before.parentSpanId, after.parentSpanId);
  assert.deepEqual([before, after].map((span) => valueOf(span, "oss_watcher.outcome")), ["retry", "done"]);
  assert.deepEqual([before, after].map((span) => valueOf(span, "error.type")), ["server_error", undefined]);
  assert.equal(valueOf(after, "oss_watcher.attempt"), String(attempts.length));
  assert.equal(before.status?.code, 2);
  assert.match(String(target.requests.at(-1)?.headers.get("traceparent")), new RegExp(before.traceId));
}

Deno.test("a collector that hangs delays neither deliveries nor the end", async () => {
  await using collector = new OtlpReceiver();
  collector.treat = () => "hang";
  await using target = new TestServer();
  using dir = directory(target);
  // Whoever waits for an answer waits for a minute.
  await using service = await started(dir, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "60000",
  });
  await publish();
  await until(() => target.requests.length === 1 && collector.headers.length >= 3, LONG_MS);
  const stoppedAt = performance.now();
  assert.equal((await service.end("SIGTERM")).code, 0, service.log);
  assert.ok(performance.now() - stoppedAt < 10_000);
  assert.match(service.log, /INFO \(service\) Stopped\n$/);
});

Deno.test("a collector that is away is told of once, and what it missed comes when it is back", async () => {
  await using collector = new OtlpReceiver();
  collector.treat = () => new Response("not now", { status: 503 });
  await using target = new TestServer();
  using dir = directory(target);
  await using service = await started(dir, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await publish();
  await until(() => service.log.includes("Cannot export traces"), LONG_MS);
  collector.treat = () => "take";
  await until(() => collector.trace("messaging.message.id", MESSAGE).length === 6, LONG_MS);
  await service.end("SIGTERM");
  assert.equal(service.log.match(/Cannot export traces/g)?.length, 1);
  assert.match(service.log, /WARNING \(telemetry\) Cannot export traces: Cannot POST http:[^\n]*\/v1\/traces: 503/);
  assert.match(service.log, /INFO \(telemetry\) The collector takes traces again; 0 were dropped\n/);
});

Deno.test("settings that cannot be used are warnings: the service runs", async () => {
  await using target = new TestServer();
  using dir = directory(target);
  await using service = await started(dir, {
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  });
  assert.match(service.log, /WARNING \(telemetry\) OTEL_EXPORTER_OTLP_ENDPOINT: must be http:\/\/… or https:\/\/…/);
  assert.match(service.log, /WARNING \(telemetry\) OTEL_EXPORTER_OTLP_PROTOCOL: only OTLP over HTTP is spoken/);
  await publish();
  await until(() => target.requests.length === 1, LONG_MS);
  assert.equal(target.requests[0]?.headers.get("traceparent"), null);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

let directories = 0;

function directory(
  target: TestServer,
  { amqp = false, own = false, ledger = `{ file: "ledger.db" }` } = {},
): ProgramDirectory {
  const url = `amqp://watcher:${PASSWORD}@127.0.0.1:${rabbit.port}`;
  const told = amqp ? `new AmqpPublish({ url: ${JSON.stringify(url)}, queue: "told" }),` : "";
  const ownPlugin = own
    ? "{ name: 'Own', notify: (_detail, _created, { log, traceparent }) => log.info(`told with ${traceparent}`) },"
    : "";
  return new ProgramDirectory({
    "config.ts": `import { AmqpPublish, RestNotify } from "oss-watcher/plugins";
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [
    new RestNotify({
      name: "Cmdb",
      urlCreation: "${target.url}/created?token=${QUERY}",
      urlDeletion: "${target.url}/deleted",
      headers: { "x-token": "${TOKEN}" },
    }),
    ${told}
    ${ownPlugin}
  ],
  rabbit: { url: ${JSON.stringify(url)}, queue: { name: "watcher-${directories++}" } },
  ledger: ${ledger},
  metrics: { port: 0 },
  console: false,
};
`,
  });
}

/** A service that consumes, and exports soon. */
async function started(dir: ProgramDirectory, env: Readonly<Record<string, string>>): Promise<Service> {
  const soon = {
    OTEL_BSP_SCHEDULE_DELAY: "100",
    OTEL_BLRP_SCHEDULE_DELAY: "100",
    OTEL_METRIC_EXPORT_INTERVAL: "200",
  };
  return await listening(dir, [], { ...soon, ...env });
}

async function publish(): Promise<void> {
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.publish({ exchange: "nova", routingKey: "notifications.info", body: BODY });
}

/** The queue that AmqpPublish publishes to. */
class Events implements AsyncDisposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(): Promise<Events> {
    const connection = new Connection(rabbit.url);
    await connection.queueDeclare({ queue: "told", durable: true });
    return new Events(connection);
  }

  /** The header of the first message. */
  async traceparent(): Promise<unknown> {
    for (;;) {
      const message = await this.#connection.basicGet({ queue: "told", noAck: true });
      if (message !== undefined) return message.headers?.["traceparent"];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}
