import assert from "node:assert/strict";
import { freePorts } from "../../tools/free_ports.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { Service } from "../../tools/service.ts";
import { readCapture } from "../support/captures.ts";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const LONG_MS = 60_000;
const CREATION = readCapture("unversioned.jsonl").find(({ body }) => body.includes("compute.instance.create.end"))!;
const PERMISSIONS = [...READ_WRITE.filter((one) => one !== "--deny-net"), "--allow-net=127.0.0.1"];

function config(url: string, port: number): string {
  return `export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [
    { name: "Good", notify() {} },
    { name: "Bad", notify() { throw new Error("no \\u001b[31mroute"); } },
  ],
  rabbit: { url: "${url}", queue: { name: "status", exchanges: ["status"], type: "classic" } },
  ledger: { file: "./ledger.db", keepDays: 36500 },
  metrics: { port: ${port} },
  console: false,
};`;
}

Deno.test("status says what the service does while it runs, and after it was stopped", async () => {
  const rabbit = await startRabbit();
  try {
    const [port = 0] = freePorts(1);
    using dir = new ProgramDirectory({ "config.ts": config(rabbit.url, port) });
    const status = (...args: readonly string[]): Promise<ProgramEnd> =>
      runProgram({ dir: dir.path(), args: ["status", ...args], permissions: PERMISSIONS });
    await using publisher = new CloudPublisher(rabbit.url);
    await publisher.declareExchange("status", { durable: true });
    await using service = new Service(dir.path());
    await until(() => service.log.includes("Listening on queue"), LONG_MS);

    const well = await status();
    assert.deepEqual({ code: well.code, err: well.err }, { code: 0, err: "" });
    assert.match(well.out, /^service +runs for \d+ s, version \S+, \d+ MiB\n/);
    assert.match(well.out, /^RabbitMQ +queue "status" at 127\.0\.0\.1:\d+\/: consumed$/m);
    assert.match(well.out, /^Good +0 +0 +0 +ok$/m);
    assert.match(well.out, /\nAll is well\.\n$/);

    await publisher.publish({ exchange: "status", routingKey: "notifications.info", body: CREATION.body });
    const json = async () => JSON.parse((await status("--json")).out);
    await until(async () => (await json()).plugins.some((one: { retrying: number }) => one.retrying === 1), LONG_MS);
    const running = await json();
    assert.equal(running.service.state, "running");
    assert.equal(running.messages.recorded, 1);
    assert.equal(running.ledger.writable, true);
    assert.deepEqual(running.sources.map((one: { consuming: boolean }) => one.consuming), [true]);

    await service.end("SIGTERM");
    const stopped = await status();
    assert.equal(stopped.code, 3);
    assert.match(stopped.out, /^service +does not run; wrote to the ledger \d+ s ago\n/);
    assert.match(stopped.out, /^error +The service does not run: nothing is recorded or sent\n +Start it: /m);
    assert.match(stopped.out, /^Bad +1 +1 +0 +-$/m);
    // deno-lint-ignore no-control-regex
    assert.ok(!/\x1b/.test(stopped.out));
    const alone = await status("--ledger", "ledger.db", "--json");
    assert.equal(alone.code, 0);
    assert.equal(JSON.parse(alone.out).service.state, "seen");
  } finally {
    await rabbit.stop();
  }
});

Deno.test("status says that a ledger cannot be read, with exit code 1", async () => {
  using dir = new ProgramDirectory({});
  const { code, out, err } = await runProgram({
    dir: dir.path(),
    args: ["status", "--ledger", "none.db"],
    permissions: PERMISSIONS,
  });
  assert.deepEqual({ code, out }, { code: 1, out: "" });
  assert.match(err, /none\.db/);
});
