import assert from "node:assert/strict";
import { parse } from "yaml";
import { configOf } from "../../bench/redpanda.ts";

Deno.test("configOf() is YAML in which the queue, the receiver and the mapping stand as they are", () => {
  const config = parse(configOf({ url: "amqp://guest:guest@127.0.0.1:5672", queue: "bench.info", port: 8080 }));
  assert.deepEqual(config.input, {
    amqp_0_9: { urls: ["amqp://guest:guest@127.0.0.1:5672"], queue: "bench.info", prefetch_count: 500 },
  });
  assert.equal(config.output.http_client.url, "http://127.0.0.1:8080/${! @path }");
  assert.match(
    config.pipeline.processors[0].mapping,
    /\["compute\.instance\.create\.end", "compute\.instance\.delete\.end", /,
  );
});
