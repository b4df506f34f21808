import assert from "node:assert/strict";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { Receiver } from "../../tools/receiver.ts";
import { readCapture } from "../support/captures.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { listening, LONG_MS } from "./listening.ts";

const CREATIONS = readCapture("unversioned.jsonl").filter(({ body }) => body.includes("compute.instance.create.end"));

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("a target that is away is told once, shown by plugins, tried when an operator says so, and told to be back", async () => {
  const [port] = await freePorts(1);
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("nova", { durable: true });
  using dir = new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
      export default {
        events: { creation: ["compute.instance.create.end"], deletion: [] },
        plugins: [
          new RestNotify({ host: "http://127.0.0.1", port: ${port}, urlCreation: "/created", urlDeletion: "/deleted" }),
          { name: "Fine", notify() {} },
        ],
        rabbit: { url: ${JSON.stringify(rabbit.url)}, queue: { name: "oss-watcher", exchanges: ["nova"] } },
        // Without an operator nobody would try again within the time of this test.
        retry: { firstDelaySeconds: 3000, maxDelaySeconds: 3600 },
        metrics: false,
        console: false,
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
  await using service = await listening(dir);
  for (const { exchange, routing_key: routingKey, body } of CREATIONS) {
    await publisher.publish({ exchange, routingKey, body });
  }
  const away =
    /WARNING \(RestNotify\) Target cannot be reached: [^\n]*127\.0\.0\.1:\d+[^\n]*\. \d+ events? waits?; next probe in \d+ (s|min)/;
  await until(() => away.test(service.log), LONG_MS);
  assert.equal(service.log.match(/Target cannot be reached/g)?.length, 1);

  const plugins = (...args: readonly string[]) =>
    runProgram({ dir: dir.path(), args: ["plugins", ...args], permissions: READ_WRITE });
  const shown = async () => (await plugins()).out;
  await until(async () => /^Fine +\d+ +0 +0 +0 {2}ok$/m.test(await shown()), LONG_MS);
  assert.match(
    await shown(),
    /^RestNotify +0 +\d+ +\d+ +0 {2}away for \d+ \w+[^]*\n {2}next probe in \d+ \w+[^]*127\.0\.0\.1/m,
  );

  await using receiver = new Receiver(port);
  const tried = await plugins("try", "RestNotify");
  assert.deepEqual([tried.code, tried.err], [0, ""]);
  assert.match(tried.out, /^RestNotify: \d+ deliver(y|ies) waited for the next attempt; the service tries now/);
  await until(() => new Set(receiver.requests.map(({ key }) => key)).size === serversIn(CREATIONS), LONG_MS);
  await until(
    () => /INFO \(RestNotify\) Target is reached again after \d+ \w+[^\n]*; \d+ events? waited\n/.test(service.log),
    LONG_MS,
  );
  await until(async () => /^RestNotify +\d+ +0 +0 +0 {2}ok$/m.test(await shown()), LONG_MS);

  const unknown = await plugins("try", "RestNotfy");
  assert.equal(unknown.code, 1);
  assert.match(
    unknown.err,
    /^Cannot find the plugin "RestNotfy": the ledger knows Fine, RestNotify; did you mean "RestNotify"\?/,
  );
  const json = (await plugins("--json")).out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(json.map(({ plugin, outage }) => [plugin, outage]), [["Fine", null], ["RestNotify", null]]);
});

function serversIn(lines: typeof CREATIONS): number {
  return new Set(lines.map(({ body }) => /instance_id\\?": \\?"([^"\\]+)/.exec(body)?.[1])).size;
}
