import assert from "node:assert/strict";
import { Connection } from "rabbitmq-client";
import { Broker } from "../../src/rabbitmq/consumer.ts";
import { brokersOf, BrokerVisit } from "../../src/rabbitmq/visit.ts";
import { warnOfDeliveryLimit } from "../../src/rabbitmq/delivery_limit.ts";
import type { ManagedQueue } from "../../src/rabbitmq/management.ts";
import { deliveryLimitLoss } from "../../src/rabbitmq/queue_losses.ts";
import type { Logger } from "../../src/model/plugin.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { SILENT } from "../support/loggers.ts";
import { until } from "../support/until.ts";

const QUEUE = "monitoring.info";
const DEAD = "dead";
const LONG_MS = 60_000;
const never = new AbortController().signal;

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit({ management: true })));
Deno.test.afterAll(() => rabbit.stop());

/** What the service says of the queue when it starts. */
async function told(management = `http://127.0.0.1:${rabbit.managementPort}`): Promise<readonly string[]> {
  const lines: string[] = [];
  const log: Logger = { ...SILENT, info: (text) => lines.push(`info ${text}`), warn: (text) => lines.push(text) };
  const source = { url: rabbit.url, watchQueue: QUEUE };
  await using visit = await BrokerVisit.open(brokersOf(source)[0]!, source, { signal: never });
  const { endpoint, version } = visit;
  await warnOfDeliveryLimit({ source, endpoint, version, management, log, signal: never });
  return lines;
}

/** How often a message is delivered whose connection is lost each time: until it is dropped, or so often. */
async function deliveredTimes(queue: TestQueue, most: number): Promise<number> {
  await queue.publish();
  for (let times = 0; times < most; times++) {
    let isDelivered = false;
    const source = { url: rabbit.url, watchQueue: QUEUE };
    await using broker = new Broker({ source, onDelivered: () => void (isDelivered = true), log: SILENT });
    // A quorum queue forgets a consumer a moment after its connection.
    await until(() => queue.isFree());
    await broker.start();
    await until(async () => isDelivered || await queue.hasThrownAway());
    if (!isDelivered) return times;
  }
  return most;
}

Deno.test("warnOfDeliveryLimit() tells what RabbitMQ 4 throws away, and the policy that lifts it", async () => {
  await using queue = await TestQueue.declare({});
  const isLimited = await rabbit.release() >= 4;
  assert.equal(await deliveredTimes(queue, 25), isLimited ? 21 : 25);
  if (!isLimited) return assert.deepEqual(await told(), []);

  const [line, ...more] = await told();
  assert.deepEqual(more, []);
  const expected = new RegExp(
    `^Queue "monitoring\\.info": delivery-limit 20: messages that are redelivered more than 20 times are dropped \\(quorum queue, ` +
      `RabbitMQ ${
        (await rabbit.ctl("version")).trim()
      }; the broker's default\\)\\. rabbitmqctl (set_policy .*) lifts it$`,
  );
  const policy = expected.exec(line ?? "")?.[1];
  assert.ok(policy !== undefined, line);
  await rabbit.ctl(...policy.replaceAll("'", "").split(/ (?!-1)/));
  await until(async () => (await told()).length === 0, LONG_MS);
  await using unlimited = await TestQueue.declare({});
  assert.equal(await deliveredTimes(unlimited, 25), 25);
  await rabbit.ctl("clear_policy", "unlimited-delivery");
});

Deno.test("warnOfDeliveryLimit() tells of a limit from the declaration that no policy lifts it", async () => {
  await using _ = await TestQueue.declare({ "x-delivery-limit": 5 });
  const lines = await told();
  if (await rabbit.release() < 4) return assert.deepEqual(lines, []);
  assert.match(
    lines.join("\n"),
    /^Queue ".*": delivery-limit 5: .*; from its declaration, which no policy lifts\)\. Delete /,
  );
});

Deno.test("warnOfDeliveryLimit() does not call an unlimited queue a limited one", async () => {
  if (await rabbit.release() < 4) return;
  await using _ = await TestQueue.declare({ "x-delivery-limit": -1 });
  assert.deepEqual(await told(), []);
});

Deno.test("warnOfDeliveryLimit() says that it cannot be seen where there is no management API", async () => {
  await using _ = await TestQueue.declare({});
  const lines = await told("http://127.0.0.1:1");
  if (await rabbit.release() < 4) return assert.deepEqual(lines, []);
  assert.match(
    lines.join("\n"),
    /^info Cannot see whether queue "monitoring\.info" has a delivery limit: .*rabbitmq-plugins/,
  );
});

const FOUND: ManagedQueue = {
  name: QUEUE,
  type: "quorum",
  durable: true,
  messages: 0,
  consumers: 0,
  arguments: {},
  limits: {},
  deliveryLimit: undefined,
  policy: null,
};

for (
  const [what, queue, version, expected] of [
    ["a queue whose limit RabbitMQ 4 does not tell yet", {}, "4.0.5", /^delivery-limit 20: .*the broker's default/],
    ["a queue of RabbitMQ 3", {}, "3.13.7", null],
    ["-1 of RabbitMQ 4", { limits: { "delivery-limit": -1 } }, "4.3.6", null],
    [
      "-1 of RabbitMQ 3",
      { arguments: { "delivery-limit": -1 }, limits: { "delivery-limit": -1 } },
      "3.10.8",
      /^delivery-limit 0/,
    ],
    ["a large limit", { deliveryLimit: 2 ** 31 - 1 }, "4.0.5", null],
    ["a classic queue", { type: "classic" }, "4.0.5", null],
    [
      "a policy's limit",
      { limits: { "delivery-limit": 3 }, deliveryLimit: 3, policy: "all" },
      "4.0.5",
      /from the policy "all"\)\. Set delivery-limit in the policy "all", or with a higher --priority: rabbitmqctl set_policy /,
    ],
    [
      "a policy that sets something else",
      { limits: { "max-length": 3 }, deliveryLimit: 20, policy: "all" },
      "4.0.5",
      /the broker's default\)\. Set delivery-limit in the policy "all"/,
    ],
  ] as const
) {
  Deno.test(`deliveryLimitLoss() knows ${what}`, () => {
    const texts = deliveryLimitLoss({ ...FOUND, ...queue }, { version, vhost: "it's" });
    if (expected === null) return assert.deepEqual(texts, []);
    assert.equal(texts.length, 1);
    assert.match(texts[0]!, expected);
  });
}

/** A quorum queue that goes with the test, and a queue for what it throws away. */
class TestQueue implements AsyncDisposable {
  readonly #connection = new Connection(rabbit.url);
  readonly #publisher = this.#connection.createPublisher({ confirm: true });

  static async declare(args: Readonly<Record<string, unknown>>): Promise<TestQueue> {
    const made = new TestQueue();
    const dead = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD };
    await made.#delete();
    await made.#connection.queueDeclare({ queue: DEAD, durable: true });
    await made.#connection.queueDeclare({
      queue: QUEUE,
      durable: true,
      arguments: { "x-queue-type": "quorum", ...dead, ...args },
    });
    return made;
  }

  publish(): Promise<void> {
    return this.#publisher.send({ routingKey: QUEUE, durable: true }, "x");
  }

  async isFree(): Promise<boolean> {
    return (await this.#connection.queueDeclare({ queue: QUEUE, passive: true })).consumerCount === 0;
  }

  async hasThrownAway(): Promise<boolean> {
    return (await this.#connection.queueDeclare({ queue: DEAD, passive: true })).messageCount > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delete();
    await this.#publisher.close();
    await this.#connection.close();
  }

  async #delete(): Promise<void> {
    for (const queue of [QUEUE, DEAD]) await this.#connection.queueDelete({ queue });
  }
}
