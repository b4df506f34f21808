// docs/TELEMETRY.md with the OpenTelemetry Collector, built from its Go modules:
// `deno task test:telemetry [--skip-if-not-installable]`
import assert from "node:assert/strict";
import type { KeyValue, OtlpLogRecord, OtlpMetric, OtlpSpan } from "../../src/observe/telemetry/otlp.ts";
import { installCollector } from "../../tools/otelcol/install.ts";
import { Collector } from "../../tools/otelcol/server.ts";
import { progress } from "../../tools/packages.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { listening, LONG_MS } from "../e2e/listening.ts";
import { readCapture } from "../support/captures.ts";
import { valueOf } from "../support/otlp_receiver.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";
import { TestServer } from "../wire/server.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/TELEMETRY.md", import.meta.url));
const DOCUMENTED = "127.0.0.1:4318";
const VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT";
const RUN = readCapture("unversioned.jsonl");
const EXCHANGES = ["nova", "neutron", "keystone", "glance"];
const WANTED = ["compute.instance.create.end", "compute.instance.delete.end"];

/** By hand: each server of the recording that came or went under these types, once. */
const EVENTS = new Set(RUN.flatMap(({ body }) => {
  const [, type] = /"event_type\\*": \\*"(compute\.instance\.(?:create|delete)\.end)/.exec(body) ?? [];
  const [, id] = /"instance_id\\*": \\*"([0-9a-f-]{36})/.exec(body) ?? [];
  return type === undefined ? [] : [`${type} ${id}`];
})).size;

const program = await install();
if (program !== null) {
  let rabbit: PrivateRabbit;
  Deno.test.beforeAll(async () => {
    rabbit = await startRabbit();
    await using publisher = new CloudPublisher(rabbit.url);
    for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: true });
  });
  Deno.test.afterAll(() => rabbit.stop());

  Deno.test("a real collector gets a trace per notification, the log and the metrics, as docs/TELEMETRY.md says", async () => {
    await using collector = await Collector.start(program, configOf);
    await using target = new TestServer(() => new Response(null, { status: 204 }));
    using dir = directory(rabbit, target);
    await using service = await listening(dir, [], environment(collector));
    await publishAll(rabbit);
    await until(() => target.requests.length === EVENTS, LONG_MS);
    const metrics = async () =>
      (await collector.lines("metrics.jsonl")).flatMap((line) => (line as Metrics).resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    const delivered = async () =>
      (await metrics()).findLast(({ name }) => name === "oss_watcher_deliveries_delivered_total")?.sum?.dataPoints[0];
    await until(async () => (await delivered())?.asDouble === target.requests.length, LONG_MS);
    assert.equal((await service.end("SIGTERM")).code, 0, service.log);

    await until(
      async () => (await spansOf(collector)).filter(({ name }) => name === "POST").length === EVENTS,
      LONG_MS,
    );
    const spans = await spansOf(collector);
    const traces = Map.groupBy(spans, ({ traceId }) => traceId);
    // Ours to say: the messages of a wanted type or of one that memory needs.
    assert.equal(spans.filter(({ name }) => name.startsWith("receive ")).length, traces.size);
    for (const { headers } of target.requests) {
      const [, traceId = "", spanId] = headers.get("traceparent")?.split("-") ?? [];
      const trace = traces.get(traceId) ?? [];
      const post = trace.find((span) => span.spanId === spanId);
      const attempt = trace.find((span) => span.spanId === post?.parentSpanId);
      const root = trace.find((span) => span.spanId === attempt?.parentSpanId);
      assert.deepEqual([post?.name, attempt?.name, root?.name], [
        "POST",
        "notify Cmdb",
        "receive nova:notifications.info",
      ]);
      assert.equal(root?.parentSpanId ?? "", "");
      const below = trace.filter(({ parentSpanId }) => parentSpanId === root?.spanId).map(({ name }) => name).sort();
      assert.deepEqual(below, ["decide", "detail", "notify Cmdb", "record"]);
      assert.equal(valueOf(attempt!, "oss_watcher.event.key"), headers.get("idempotency-key"));
    }
    const logs = (await collector.lines("logs.jsonl")).flatMap((line) => (line as Logs).resourceLogs);
    const [resource] = logs.map(({ resource }) => resource);
    assert.equal(valueOf(resource!, "service.name"), "oss-watcher-lab");
    const said = logs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
    assert.deepEqual(said.map(({ body }) => body.stringValue), linesOf(service.log));
  });

  Deno.test("a real collector that is stopped delays neither deliveries nor the end", async () => {
    await using collector = await Collector.start(program, configOf);
    await using target = new TestServer(() => new Response(null, { status: 204 }));
    using dir = directory(rabbit, target);
    await using service = await listening(dir, [], environment(collector));
    collector.hang();
    await publishAll(rabbit);
    await until(() => target.requests.length === EVENTS, LONG_MS);
    const stoppedAt = performance.now();
    assert.equal((await service.end("SIGTERM")).code, 0, service.log);
    // Its time limit for a request is 10 s, and it sends of three kinds.
    assert.ok(performance.now() - stoppedAt < 8_000);
  });
}

async function install(): Promise<string | null> {
  try {
    return await installCollector();
  } catch (error) {
    if (!Deno.args.includes("--skip-if-not-installable")) throw error;
    progress(`\nNOT TESTED ON A REAL OPENTELEMETRY COLLECTOR: it cannot be built here.\n${error}\n`);
    return null;
  }
}

/** The document's configuration, at an address that is free. */
function configOf(address: string): string {
  const [, yaml = ""] = /```yaml\n(.*?)```/s.exec(DOCUMENT) ?? [];
  assert.ok(yaml.includes(DOCUMENTED));
  // Its own metrics have a port that may be taken.
  return `${yaml.replace(DOCUMENTED, address)}  telemetry: { metrics: { level: none } }\n`;
}

/** The document's variables, with the collector's address; sooner than a reader needs it. */
function environment(collector: Collector): Record<string, string> {
  const lines = [...DOCUMENT.matchAll(/^Environment=(\w+)=(\S+)$/gm)];
  const documented = Object.fromEntries(lines.map(([, name, value]) => [name, value]));
  assert.equal(documented[VARIABLE], `http://${DOCUMENTED}`);
  return { ...documented, [VARIABLE]: collector.url, OTEL_METRIC_EXPORT_INTERVAL: "500" };
}

let directories = 0;

function directory({ url }: PrivateRabbit, target: TestServer): ProgramDirectory {
  return new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
export default {
  events: { creation: ["${WANTED[0]}"], deletion: ["${WANTED[1]}"] },
  plugins: [new RestNotify({ name: "Cmdb", urlCreation: "${target.url}/created", urlDeletion: "${target.url}/deleted" })],
  rabbit: { url: "${url}", queue: { name: "watcher-${directories++}" } },
  ledger: { file: "ledger.db" },
  metrics: { port: 0 },
  console: false,
};
`,
  });
}

async function publishAll({ url }: PrivateRabbit): Promise<void> {
  await using publisher = new CloudPublisher(url);
  for (const { exchange, routing_key: routingKey, body } of RUN) {
    await publisher.publish({ exchange, routingKey, body });
  }
}

async function spansOf(collector: Collector): Promise<readonly OtlpSpan[]> {
  const requests = (await collector.lines("traces.jsonl")).flatMap((line) => (line as Traces).resourceSpans);
  return requests.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

/** The messages of a log on standard error. */
function linesOf(log: string): readonly string[] {
  return log.trimEnd().split("\n").map((line) => line.replace(/^\S+ \S+ \w+ \(.*?\) /, ""));
}

interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

interface Logs {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly OtlpLogRecord[] }[];
  }[];
}

interface Metrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly OtlpMetric[] }[];
  }[];
}
