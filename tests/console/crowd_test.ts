import assert from "node:assert/strict";
import { Operator } from "../../bench/operator.ts";
import type * as api from "../../src/console/api.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { until } from "../support/until.ts";
import { LONG_MS, RunningConsole } from "./consoles.ts";

const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ body }) => /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body));

// How much slower deliveries become: bench/rows/console.ts.
Deno.test("200 clients that say nothing and 200 that never read keep no delivery and no operator from their work", async () => {
  await using rabbit = await startRabbit();
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("crowd", { durable: true });
  await using running = await RunningConsole.start({
    rabbit: `{ url: "${rabbit.url}", queue: { name: "crowd", exchanges: ["crowd"], type: "classic" } }`,
    plugins:
      `new RestNotify({ host: "http://127.0.0.1", port: ${receiver.port}, urlCreation: "/new", urlDeletion: "/old" })`,
  });
  await until(() => running.service.log.includes("Listening on queue"), LONG_MS);
  await using _crowd = await (await Operator.signIn(running.dir.path(), running.port)).crowd(200);
  const session = await running.signIn();
  for (const { routing_key: routingKey, body } of RUN) {
    await publisher.publish({ exchange: "crowd", routingKey, body });
  }
  await until(() => new Set(receiver.requests.map(({ key }) => key)).size === EXPECTED.length, LONG_MS);
  assert.equal(receiver.requests.length, EXPECTED.length);
  const { problems } = await session.get<api.OverviewAnswer>("overview");
  assert.deepEqual(problems, []);
  // 200 of 256 streams are open: as many as are left, and no more.
  const statuses: number[] = [];
  const stop = new AbortController();
  for (let count = 0; count < 57; count++) {
    const { status, body } = await fetch(`${running.url}/api/v1/stream`, {
      headers: { cookie: session.cookie },
      signal: stop.signal,
    });
    statuses.push(status);
    if (status !== 200) await body?.cancel();
  }
  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.at(-1)], [56, 503]);
  stop.abort();
  assert.equal((await running.service.end("SIGTERM")).code, 0);
});
