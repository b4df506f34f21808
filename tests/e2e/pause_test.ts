import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { readCapture } from "../support/captures.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { listening, LONG_MS } from "./listening.ts";

const MESSAGES = readCapture("unversioned.jsonl").filter(({ body }) =>
  /compute\.instance\.(create|delete)\.end/.test(body)
);

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("a plugin that is paused waits over kill -9 and a restart, is told everywhere, and gets all in order when resumed", async () => {
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("paused", { durable: true });
  const target = (name: string) =>
    `new RestNotify({ name: "${name}", host: "http://127.0.0.1", port: ${receiver.port},
      urlCreation: "/${name}/created", urlDeletion: "/${name}/deleted" })`;
  using dir = new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
      export default {
        events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
        plugins: [${target("Paused")}, ${target("Other")}],
        rabbit: { url: ${JSON.stringify(rabbit.url)}, queue: { name: "paused", exchanges: ["paused"] } },
        metrics: false,
        console: false,
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
  const run = (...args: readonly string[]) => runProgram({ dir: dir.path(), args, permissions: READ_WRITE });
  const keysOf = (name: string) =>
    receiver.requests.filter(({ path }) => path.startsWith(`/${name}/`)).map(({ key }) => key);
  const env = { USER: "alice", SUDO_USER: "" };

  await using first = await listening(dir);
  const paused = await runProgram({
    dir: dir.path(),
    args: ["plugins", "pause", "Paused"],
    permissions: READ_WRITE,
    env,
  });
  assert.deepEqual([paused.code, paused.err], [0, ""]);
  assert.match(paused.out, /^Paused is paused since \S+ \S+ UTC by alice@\S+\s\(command\);/);
  await until(() => /WARNING \(Paused\) Paused since [^\n]* by alice@/.test(first.log), LONG_MS);
  for (const { routing_key: routingKey, body } of MESSAGES) {
    await publisher.publish({ exchange: "paused", routingKey, body });
  }
  await until(() => keysOf("Other").length > 0, LONG_MS);
  await until(async () => /^Other +\d+ +0 +0 +0 {2}ok$/m.test((await run("plugins")).out), LONG_MS);
  const expected = keysOf("Other");
  await first.end("SIGKILL");

  await using second = await listening(dir);
  await until(() => /WARNING \(Paused\) Paused since /.test(second.log), LONG_MS);
  const { out } = await run("plugins");
  assert.match(out, new RegExp(`^Paused +0 +${expected.length} +0 +0 {2}paused\n {2}paused since .* by alice@`, "m"));
  const events = await run("events", "--plugin", "Paused", "--limit", "1000");
  assert.equal(events.out.match(/ {2}\(plugin paused\)$/gm)?.length, expected.length);
  assert.match(
    (await run("events", "show", expected[0]!)).out,
    /^Paused: waiting[^\n]*\n {2}waits: the plugin is paused since /m,
  );
  const tried = await run("plugins", "try", "Paused");
  assert.equal(tried.code, 1);
  assert.match(
    tried.err,
    /^Cannot try the plugin "Paused": it is paused since [^]* Go on with it: oss-watcher plugins resume Paused/,
  );
  assert.match((await run("plugins", "pause", "Paused")).out, /it\s+was\s+paused\s+already/);
  assert.deepEqual(keysOf("Paused"), []);

  assert.match((await run("plugins", "resume", "Paused")).out, /^Paused is resumed: /);
  await until(() => new Set(keysOf("Paused")).size === new Set(expected).size, LONG_MS);
  assert.match(second.log, /INFO \(Paused\) Resumed: what has waited is delivered, in order/);
  const keys = keysOf("Paused");
  for (const key of keys.filter((key) => key.endsWith("/deletion"))) {
    const creation = keys.indexOf(key.replace(/deletion$/, "creation"));
    assert.ok(creation < keys.indexOf(key), key);
  }
  assert.match((await run("plugins", "resume", "Paused")).out, /^Paused was not paused\.$/m);
});
