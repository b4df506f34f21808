import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { readCapture } from "../support/captures.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;

const CREATIONS = readCapture("unversioned.jsonl").filter(({ body }) => body.includes("compute.instance.create.end"));

Deno.test("service delivers with the new secret once the file of the old one is replaced, without a signal, and loses nothing", async () => {
  const rabbit = await startRabbit();
  try {
    await using receiver = new Receiver();
    using dir = new ProgramDirectory({
      "secrets/..2026_1/cmdb-token": "hush-first-4711\n",
      "config.ts": config(rabbit.url, receiver),
    });
    // As Kubernetes and systemd put secrets there: links to a folder that is replaced.
    Deno.symlinkSync("..2026_1", dir.path("secrets/..data"));
    Deno.symlinkSync("..data/cmdb-token", dir.path("secrets/cmdb-token"));
    // The receiver refuses what was replaced.
    let valid = "Bearer hush-first-4711";
    receiver.answer = ({ authorization }) => new Response(null, { status: authorization === valid ? 204 : 401 });
    await using publisher = new CloudPublisher(rabbit.url);
    await publisher.declareExchange("rotation", { durable: true });
    await using service = new Service(dir.path());
    await until(() => listening(service) === 1, LONG_MS);
    const publish = (index: number) =>
      publisher.publish({ exchange: "rotation", routingKey: "notifications.info", body: CREATIONS[index]!.body });

    await publish(0);
    await until(() => receiver.requests.length === 1, LONG_MS);
    valid = "Bearer hush-second-4711";
    await publish(1);
    await until(() => receiver.requests.length >= 2, LONG_MS);
    dir.write("secrets/..2026_2/cmdb-token", "hush-second-4711\n");
    Deno.symlinkSync("..2026_2", dir.path("secrets/..data.new"));
    Deno.renameSync(dir.path("secrets/..data.new"), dir.path("secrets/..data"));
    await until(() => receiver.requests.some(({ authorization }) => authorization === valid), LONG_MS);

    const [first, second] = [receiver.requests[0]!, receiver.requests.at(-1)!];
    assert.equal(first.authorization, "Bearer hush-first-4711");
    assert.notEqual(first.key, second.key);
    assert.equal((await service.end("SIGTERM")).code, 0);
    assert.match(service.log, /There is another value in the file "[^"]*\/secrets\/cmdb-token"\n/);
    assert.ok(!service.log.includes("4711"), service.log);
  } finally {
    await rabbit.stop();
  }
});

/** How many times it has begun to listen. */
function listening({ log }: Service): number {
  return log.match(/Listening on queue/g)?.length ?? 0;
}

function config(url: string, { port }: Receiver): string {
  return `import { file } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [
    new RestNotify({
      host: "http://127.0.0.1:${port}",
      urlCreation: "/new",
      urlDeletion: "/old",
      bearer: file(new URL("./secrets/cmdb-token", import.meta.url)),
    }),
  ],
  rabbit: { url: "${url}", queue: { name: "rotation", exchanges: ["rotation"], type: "classic" } },
  ledger: { file: "./ledger.db", keepDays: 36500 },
  metrics: false,
  console: false,
};
`;
}
