import assert from "node:assert/strict";
import type { Clock } from "../../../src/model/clock.ts";
import { Exporter } from "../../../src/observe/telemetry/exporter.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { HttpTarget } from "../../../src/wire/http/http.ts";
import { KeptLog } from "../../support/loggers.ts";
import { until } from "../../support/until.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { TestServer } from "../../wire/server.ts";

/** An exporter of texts to a server. */
class Stage implements AsyncDisposable {
  readonly log = new KeptLog();
  readonly clock = new VirtualClock();
  readonly server: TestServer;
  readonly exporter: Exporter;
  readonly #http = new HttpTarget({ timeoutSeconds: 60 });

  constructor(
    answer: () => Response | Promise<Response>,
    { maxWaiting = 100, clock = this.clock }: { readonly maxWaiting?: number; readonly clock?: Clock } = {},
  ) {
    this.server = new TestServer(answer);
    const encode = (items: readonly string[]) => items.join(" ");
    const url = `${this.server.url}/v1/traces`;
    this.exporter = new Exporter({ kind: "traces", url, http: this.#http, delayMs: 5000, encode, maxWaiting, clock });
  }

  get bodies(): readonly string[] {
    return this.server.requests.map(({ body }) => body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.exporter.close(0);
    await this.#http[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

const taken = () => Response.json({});

Deno.test("Exporter sends what came within its delay together", async () => {
  await using stage = new Stage(taken);
  stage.exporter.start(stage.log);
  stage.exporter.add("a");
  await stage.clock.advance(4000);
  stage.exporter.add("b");
  assert.deepEqual(stage.bodies, []);
  await stage.clock.advance(1000);
  await until(() => stage.bodies.length === 1);
  assert.deepEqual(stage.bodies, ["a b"]);
  assert.equal(stage.server.requests[0]?.headers.get("content-type"), "application/json");
});

Deno.test("Exporter does not wait for its delay with a full batch", async () => {
  await using stage = new Stage(taken, { maxWaiting: 5000 });
  stage.exporter.start(stage.log);
  for (let number = 0; number < 2048; number++) stage.exporter.add("x");
  await until(() => stage.bodies.length === 1);
  assert.equal(stage.bodies[0]?.split(" ").length, 2048);
});

Deno.test("Exporter keeps what waits for a collector that is away, drops what is too much, and says both", async () => {
  let status = 503;
  await using stage = new Stage(() => new Response("", { status }), { maxWaiting: 3 });
  stage.exporter.start(stage.log);
  for (const item of ["a", "b", "c", "d", "e"]) stage.exporter.add(item);
  await stage.clock.advance(5000);
  await until(() => stage.log.lines.length === 1);
  status = 200;
  await until(() => stage.clock.sleeping > 0);
  await stage.clock.advance(5000);
  await until(() => stage.log.lines.length === 2);
  assert.deepEqual(stage.bodies, ["a b c", "a b c"]);
  assert.match(
    stage.log.lines[0] ?? "",
    /^warn Cannot export traces: Cannot POST .*503.*At most 3 wait; more are dropped$/,
  );
  assert.equal(stage.log.lines[1], "info The collector takes traces again; 2 were dropped");
});

Deno.test("Exporter does not send again what a collector refuses, and counts it as dropped", async () => {
  let status = 400;
  await using stage = new Stage(() => new Response("", { status }));
  stage.exporter.start(stage.log);
  stage.exporter.add("a");
  await stage.clock.advance(5000);
  await until(() => stage.clock.sleeping === 0 && stage.log.lines.length === 1);
  status = 200;
  stage.exporter.add("b");
  await until(() => stage.clock.sleeping > 0);
  await stage.clock.advance(5000);
  await until(() => stage.log.lines.length === 2);
  assert.deepEqual(stage.bodies, ["a", "b"]);
  assert.equal(stage.log.lines[1], "info The collector takes traces again; 1 were dropped");
});

Deno.test("Exporter tells of what it drops beside a collector that answers", async () => {
  await using stage = new Stage(taken, { maxWaiting: 2 });
  stage.exporter.start(stage.log);
  for (const item of ["a", "b", "c", "d"]) stage.exporter.add(item);
  await stage.clock.advance(5000);
  await until(() => stage.log.lines.length === 1);
  assert.deepEqual(stage.bodies, ["a b"]);
  assert.deepEqual(stage.log.lines, ["warn The collector is slower than traces come: 2 were dropped"]);
});

Deno.test("Exporter tells of a partial success", async () => {
  const refusal = { partialSuccess: { rejectedSpans: "1", errorMessage: "too old; password=hush" } };
  await using stage = new Stage(() => Response.json(refusal));
  stage.exporter.start(stage.log);
  stage.exporter.add("a");
  await stage.clock.advance(5000);
  await until(() => stage.log.lines.length === 1);
  assert.deepEqual(stage.log.lines, ["warn The collector has refused some traces: too old; password=***"]);
});

Deno.test("Exporter.close() sends what waits", async () => {
  await using stage = new Stage(taken, { clock: systemClock });
  stage.exporter.start(stage.log);
  stage.exporter.add("a");
  await stage.exporter.close(60_000);
  assert.deepEqual(stage.bodies, ["a"]);
});

Deno.test("Exporter.close() does not wait for a collector that hangs, longer than it is told", async () => {
  const hanging = Promise.withResolvers<Response>();
  await using stage = new Stage(() => hanging.promise, { clock: systemClock });
  stage.exporter.start(stage.log);
  stage.exporter.add("a");
  const startedAt = performance.now();
  await stage.exporter.close(50);
  assert.ok(performance.now() - startedAt < 10_000);
  assert.deepEqual(stage.log.lines, []);
  hanging.resolve(taken());
});

Deno.test("Exporter.close() does not wait at all for a collector that did not answer before", async () => {
  await using stage = new Stage(() => new Response("", { status: 503 }));
  stage.exporter.start(stage.log);
  stage.exporter.add("a");
  await stage.clock.advance(5000);
  await until(() => stage.log.lines.length === 1);
  // Of a clock that stands still.
  await stage.exporter.close(60_000);
  assert.equal(stage.bodies.length, 1);
});
