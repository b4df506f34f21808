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
  await using _crowd = await Operator.crowd(running.dir.path(), { port: running.port, each: 200 });
  const session = await running.signIn();
  for (const { routing_key: routingKey, body } of RUN) {
    await publisher.publish({ exchange: "crowd", routingKey, body });
  }
  await until(() => new Set(receiver.requests.map(({ key }) => key)).size === EXPECTED.length, LONG_MS);
  assert.equal(receiver.requests.length, EXPECTED.length);
  const { problems } = await session.get<api.OverviewAnswer>("overview");
  assert.deepEqual(problems, []);
  // 200 of 256 streams are open: as many as are left, and no more; of one session 16.
  const statuses: number[][] = [];
  const stop = new AbortController();
  for (const { cookie } of [session, await running.signIn(), await running.signIn(), await running.signIn()]) {
    const own: number[] = [];
    for (let count = 0; count < 17; count++) {
      const { status, body } = await fetch(`${running.url}/api/v1/stream`, {
        headers: { cookie },
        signal: stop.signal,
      });
      own.push(status);
      if (status !== 200) await body?.cancel();
    }
    statuses.push(own);
  }
  const full = [...Array(16).fill(200), 429];
  assert.deepEqual(statuses, [full, full, full, [...Array(8).fill(200), ...Array(9).fill(503)]]);
  stop.abort();
  assert.equal((await running.service.end("SIGTERM")).code, 0);
});
