import assert from "node:assert/strict";
import { CloudPublisher, type Published } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { watched, withoutEnvelope } from "../support/captured_events.ts";
import { type CaptureLine, mergeByTime, readCapture } from "../support/captures.ts";
import { ProgramDirectory } from "../support/program.ts";
import { SeededRandom } from "../support/random.ts";
import { until } from "../support/until.ts";
import { listening, LONG_MS } from "./listening.ts";

const EXCHANGES = ["nova", "neutron"];
/** Both formats of the recorded run, what is watched of it. */
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter((line) => watched([line]).length > 0);

Deno.test("service gives each event once when both formats and both drivers come mixed over two topics", async () => {
  await using rabbit = await startRabbit();
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: false });
  using dir = new ProgramDirectory({ "config.ts": config(rabbit.url, receiver.port) });
  await using service = await listening(dir);

  const random = new SeededRandom(20_261_121);
  for (const line of RUN) {
    // What comes first of a message, and over which topic, is chance.
    for (const copy of random.shuffled(copies(line))) await publisher.publish(copy);
  }
  const keys = () => receiver.requests.map(({ key }) => key);
  const last = EXPECTED.map(({ key }) => key);
  await until(() => last.every((key) => keys().includes(key)), LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.deepEqual(keys().toSorted(), last.toSorted());
  const ips = new Map(receiver.requests.map(({ key, detail }) => [key, detail["IP"]]));
  assert.deepEqual(EXPECTED.filter(({ key, ip }) => ips.get(key) !== ip), []);
});

/** One message as both drivers send it over two topics: `message_id` alone is the same. */
function copies({ exchange, routing_key, body }: CaptureLine): Published[] {
  const topics = [routing_key, "monitoring.info"];
  return topics.flatMap((routingKey) => {
    const plain = { ...JSON.parse(withoutEnvelope(body)), _unique_id: crypto.randomUUID().replaceAll("-", "") };
    const text = JSON.stringify(plain);
    const bodies = [text, JSON.stringify({ "oslo.version": "2.0", "oslo.message": text })];
    return bodies.map((one) => ({ exchange, routingKey, body: one }));
  });
}

function config(url: string, port: number): string {
  const routingKeys = ["notifications.info", "versioned_notifications.info", "monitoring.info"];
  return `import { RestNotify } from "oss-watcher/plugins";
    export default {
      events: {
        creation: ["compute.instance.create.end", "floatingip.update.end"],
        deletion: ["compute.instance.delete.end", "floatingip.update.end"],
      },
      plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${port}, urlCreation: "/new", urlDeletion: "/old" })],
      rabbit: { url: "${url}", queue: ${JSON.stringify({ name: "mixed", exchanges: EXCHANGES, routingKeys })} },
      // The recording may be older than what is usually believed of a queue.
      ledger: { file: "./ledger.db", keepDays: 36500 },
      metrics: false,
      console: false,
    };`;
}
