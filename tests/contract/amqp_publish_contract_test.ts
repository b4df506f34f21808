import assert from "node:assert/strict";
import { AmqpPublish, type AmqpPublishOptions } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { assertChanged } from "../support/changed_list.ts";
import { addUser, AmqpHarness, PASSWORD, USER } from "../support/amqp_harness.ts";

let rabbit: PrivateRabbit;
Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
  await addUser(rabbit);
});
Deno.test.afterAll(() => rabbit.stop());

const login = { user: USER, password: PASSWORD };

testPlugin({
  name: "AmqpPublish",
  openTarget: () => AmqpHarness.open(rabbit),
  make: ({ port, exchange }) => new AmqpPublish({ ...login, host: "127.0.0.1", port, exchange }),
  cannot: { refuses: "a broker takes every message that AMQP can carry" },
  secrets: [PASSWORD],
  right: () => new AmqpPublish({ url: `amqps://watcher:${encodeURIComponent(PASSWORD)}@rabbit-1/v`, queue: "nodes" }),
  wrong: {
    make: () =>
      new AmqpPublish({
        url: `http://watcher:${PASSWORD}@h/`,
        host: `${PASSWORD}@h`,
        port: "5672",
        user: "",
        password: 1,
        vhost: "",
        tls: { caFile: "ca.pem", keyfile: "k" },
        heartbeatSeconds: 1,
        timeoutSeconds: 0,
        exchange: "",
        queue: "x".repeat(256),
        routingKey: true,
        pasword: PASSWORD,
        name: "",
      } as unknown as AmqpPublishOptions),
    names: [
      ...["url", "host", "port", "user", "password", "vhost", "tls", "heartbeatSeconds", "timeoutSeconds", "exchange"],
      ...["queue", "routingKey", "pasword", "name"],
    ],
  },
  identify: ({ properties }) => String(properties["messageId"]),
  assertTaken: ({ routingKey, properties, body }, { detail, created, context }) => {
    assert.equal(routingKey, context.eventType);
    assert.deepEqual(properties, {
      messageId: context.key.toWellFormed(),
      type: context.eventType,
      contentType: "application/json",
      durable: true,
      timestamp: Math.floor(Date.parse(context.time) / 1000),
      headers: { kind: context.kind, sequence: context.sequence, created, creationSeen: context.creationSeen },
    });
    assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(detail)));
  },
  assertUpdated: ({ routingKey, properties, body }, { detail, context }) => {
    assert.equal(routingKey, context.eventType);
    const { changed, ...headers } = properties["headers"] as Record<string, unknown>;
    assert.deepEqual(headers, { kind: "update", sequence: context.sequence, created: true, creationSeen: true });
    assertChanged(String(changed), context.changed);
    assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(detail)));
  },
  assertPreview: (preview, { exchange, routingKey, properties, body }) => {
    const { messageId, contentType, durable, ...others } = properties;
    assert.deepEqual(preview, {
      exchange,
      routing_key: routingKey,
      mandatory: true,
      properties: { message_id: messageId, content_type: contentType, delivery_mode: durable ? 2 : 1, ...others },
      body: JSON.parse(body),
    });
  },
});
