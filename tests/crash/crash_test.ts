import assert from "node:assert/strict";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { startPostgres } from "../../tools/postgres/server.ts";
import { strike } from "./cluster.ts";
import { expectedEvents } from "./expected.ts";
import { failReceiver } from "./failing_receiver.ts";
import { fillDisk } from "./full_disk.ts";
import { makeLoad } from "./load.ts";
import { problemsOf, tableOf } from "./report.ts";
import { killBroker, killService, stopService } from "./scenarios.ts";
import type { Outcome } from "./outcome.ts";

/** The crash test in a minute; `deno task test:crash` is all of it. */
const SEED = 20_261_121;

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(async () => {
  await rabbit.stop();
});

Deno.test("makeLoad() leads to as many events as it is asked for, by a model of its own", () => {
  const load = makeLoad({ events: 500, servers: 30, seed: SEED });
  assert.equal(expectedEvents(load.map(({ operation }) => operation)).length, 500);
});

const SCENARIOS: Readonly<Record<string, () => Promise<Outcome>>> = {
  "nothing is lost or reordered when the service is killed, and only what was in flight comes twice": () =>
    killService({ rabbit, load: { events: 600, servers: 40, changes: 0.3, seed: SEED }, kills: 8 }),
  "nothing is lost or reordered when RabbitMQ is killed": () =>
    killBroker({
      rabbit,
      load: { events: 300, servers: 30, changes: 0.3, seed: SEED },
      kills: 2,
      queueType: "classic",
    }),
  "nothing is lost or reordered for a receiver that is down and then fails in every way": () =>
    failReceiver({ rabbit, load: { events: 200, servers: 30, seed: SEED }, faults: 2 }),
  "nothing is lost when the disk is full, and nothing moves until it is emptied": () =>
    fillDisk({ rabbit, load: { events: 200, servers: 30, seed: SEED } }),
  "nothing is lost or comes twice when the service is stopped and started": () =>
    stopService({ rabbit, load: { events: 200, servers: 30, changes: 0.3, seed: SEED }, stops: 3 }),
};

Deno.test("Services that share a ledger: nothing is lost or reordered, whatever happens to them, to PostgreSQL and to RabbitMQ", async () => {
  await using postgres = await startPostgres();
  const load = { events: 300, servers: 40, changes: 0.3, seed: SEED };
  const disasters = {
    kills: 3,
    freezes: 2,
    stops: 1,
    postgresKills: 1,
    rabbitKills: 1,
    postgresCuts: 1,
    rabbitCuts: 1,
  };
  const outcome = await strike({ rabbit, postgres, load, title: "three processes", ...disasters });
  // So few kills may all miss the time between an attempt and its record.
  assert.deepEqual(outcome.problems, [], tableOf([outcome]));
});

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  Deno.test(`Service: ${name}`, async () => {
    const outcome = await scenario();
    assert.deepEqual(problemsOf([outcome]), [], tableOf([outcome]));
  });
}
