import assert from "node:assert/strict";
import { telemetrySettings } from "../../../src/observe/telemetry/settings.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

function settings(env: Readonly<Record<string, string>>) {
  return telemetrySettings((name) => env[name]);
}

Deno.test("telemetrySettings() is null without a collector, and where the SDK is disabled", () => {
  assert.equal(settings({}), null);
  assert.equal(settings({ OTEL_EXPORTER_OTLP_ENDPOINT: " " }), null);
  assert.equal(settings({ ...ENDPOINT, OTEL_SDK_DISABLED: "True" }), null);
});

Deno.test("telemetrySettings() appends a path to the endpoint for all, and none to that of one signal", () => {
  const { urls, problems } = settings({
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example.com/otlp/",
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://logs:9000/push",
    OTEL_METRICS_EXPORTER: "none",
  }) ?? {};
  assert.deepEqual(urls, {
    traces: "https://collector.example.com/otlp/v1/traces",
    logs: "http://logs:9000/push",
  });
  assert.deepEqual(problems, []);
});

Deno.test("telemetrySettings() reads headers, time limits, certificates and the resource", () => {
  const read = settings({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20t0ken, x-tenant = a=b",
    OTEL_EXPORTER_OTLP_TIMEOUT: "2500",
    OTEL_EXPORTER_OTLP_CERTIFICATE: "/ca.pem",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment.name=lab",
    OTEL_SERVICE_NAME: "watcher",
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  assert.deepEqual(read?.http, {
    headers: { authorization: "Bearer t0ken", "x-tenant": "a=b" },
    timeoutSeconds: 2.5,
    caFile: "/ca.pem",
  });
  assert.deepEqual(read?.resource, { "service.name": "watcher", "deployment.environment.name": "lab" });
  assert.deepEqual([read?.spansDelayMs, read?.logsDelayMs, read?.metricsEveryMs], [100, 1000, 60_000]);
});

for (
  const [sampler, arg, share] of [
    ["always_on", undefined, 1],
    ["always_off", undefined, 0],
    ["parentbased_always_on", undefined, 1],
    ["traceidratio", "0.25", 0.25],
    ["parentbased_traceidratio", undefined, 1],
  ] as const
) {
  Deno.test(`telemetrySettings() reads the sampler ${sampler} ${arg ?? ""}`, () => {
    const read = settings({ ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, ...(arg && { OTEL_TRACES_SAMPLER_ARG: arg }) });
    assert.deepEqual([read?.sampledShare, read?.problems], [share, []]);
  });
}

for (
  const [name, value, problem] of [
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", /^OTEL_EXPORTER_OTLP_ENDPOINT: must be http:/],
    [
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "http://user:hush@collector",
      /^OTEL_EXPORTER_OTLP_ENDPOINT: must be .* without user/,
    ],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces", /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: .* no traces are sent$/],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", /^OTEL_EXPORTER_OTLP_PROTOCOL: only OTLP over HTTP/],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "10s", /^OTEL_EXPORTER_OTLP_TIMEOUT: .* 10000 is used$/],
    ["OTEL_EXPORTER_OTLP_HEADERS", "hush", /^OTEL_EXPORTER_OTLP_HEADERS: must be name=value/],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a b=hush", /^OTEL_EXPORTER_OTLP_HEADERS, .* are not used: headers: must be/],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote", /^OTEL_TRACES_SAMPLER: must be/],
    ["OTEL_TRACES_SAMPLER_ARG", "many", null],
    ["OTEL_LOGS_EXPORTER", "console", /^OTEL_LOGS_EXPORTER: must be otlp or none; none is sent$/],
  ] as const
) {
  Deno.test(`telemetrySettings() says what is wrong with ${name}=${value}, and shows no secret`, () => {
    const { problems = [] } = settings({ ...ENDPOINT, [name]: value }) ?? {};
    if (problem === null) return assert.deepEqual(problems, []);
    assert.ok(problems.some((text) => problem.test(text)), problems.join("\n"));
    assert.ok(!problems.join().includes("hush"), problems.join("\n"));
  });
}
