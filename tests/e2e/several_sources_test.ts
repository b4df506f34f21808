import assert from "node:assert/strict";
import { join } from "node:path";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;

Deno.test("service listens on several sources: Nova in a cell's vhost with its own queue, Neutron elsewhere", async () => {
  await using rabbit = await startRabbit();
  await rabbit.ctl("add_vhost", "cell1");
  await rabbit.ctl("set_permissions", "-p", "cell1", "guest", ".*", ".*", ".*");
  await using nova = new CloudPublisher(`${rabbit.url}cell1`);
  await using neutron = new CloudPublisher(rabbit.url);
  await nova.declareExchange("nova", { durable: false });
  await neutron.declareExchange("neutron", { durable: false });
  await using receiver = new Receiver();
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(dir, "config.ts"), config(rabbit.port, receiver.port));
    await using service = new Service(dir);
    await until(() => service.log.match(/Listening on queue/g)?.length === 2, LONG_MS);
    for (const { exchange, routing_key, body } of mergeByTime(readCapture("unversioned.jsonl"))) {
      const publisher = exchange === "nova" ? nova : exchange === "neutron" ? neutron : null;
      await publisher?.publish({ exchange, routingKey: routing_key, body });
    }
    await until(() => new Set(receiver.requests.map(({ key }) => key)).size >= SERVERS.size, LONG_MS);
    const servers = new Set(receiver.requests.map(({ key }) => key).filter((key) => key.startsWith("server/")));
    assert.deepEqual(servers, SERVERS);
    assert.match(service.log, /Listen queue cells\n[^]*Listen queue network\n/);
    assert.equal((await service.end("SIGTERM")).code, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Between two brokers there is no order: how often an address seems to change hands may differ, what became of the servers may not. */
const SERVERS = new Set(EXPECTED.map(({ key }) => key).filter((key) => key.startsWith("server/")));

function config(port: number, receiver: number): string {
  return `import { RestNotify } from "oss-watcher/plugins";
export default {
  events: {
    creation: ["compute.instance.create.end"],
    deletion: ["compute.instance.delete.end"],
  },
  plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${receiver}, urlCreation: "/new", urlDeletion: "/old" })],
  rabbit: [
    { host: "127.0.0.1", port: ${port}, vhost: "cell1", queue: { name: "cells", exchanges: ["nova"], type: "classic" } },
    { host: "127.0.0.1", port: ${port}, queue: { name: "network", exchanges: ["neutron"], type: "classic" } },
  ],
  ledger: { file: "./ledger.db", keepDays: 36500 },
};
`;
}
