import assert from "node:assert/strict";
import { Connection } from "../../../src/rabbitmq/amqp/connection.ts";
import type { Transport } from "../../../src/rabbitmq/amqp/transport.ts";
import { answering, connectionOptions, frame, HANDSHAKE, short, together } from "./conversation.ts";

const heartbeat = frame(0, [], 8);
const opened = (channel: number) => frame(channel, [0, 20, 0, 11, 0, 0, 0, 0]);
const consuming = (channel: number) => frame(channel, [0, 60, 0, 21, ...short("oss-watcher")]);
const closeOk = (channel: number) => frame(channel, [0, 20, 0, 41]);
/** As a broker says that a queue is not there. */
const closed = (channel: number) => frame(channel, [0, 20, 0, 40, 1, 148, ...short("gone"), 0, 50, 0, 10]);
const delivered = (channel: number, tag: number) =>
  frame(channel, [
    0,
    60,
    0,
    60,
    ...short("oss-watcher"),
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    tag,
    0,
    ...short("nova"),
    ...short("info"),
  ]);
const header = (channel: number, size: number) => frame(channel, [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, size, 0, 0], 2);
const body = (channel: number, bytes: readonly number[]) => frame(channel, bytes, 3);

Deno.test("Channel puts its messages together from frames that come between those of another channel", async () => {
  const interleaved = together(
    ...[consuming(2), delivered(1, 1), delivered(2, 1), header(2, 3), header(1, 4), body(1, [1, 2]), body(2, [7])],
    ...[body(2, []), body(2, [8, 9]), heartbeat, body(1, [3, 4]), delivered(2, 2), header(2, 0)],
  );
  const answers = [...HANDSHAKE, opened(1), opened(2), consuming(1), interleaved];
  await using connection = await connect(answering(answers));
  const got: [number, number, number[]][] = [];
  for (const channel of [await connection.openChannel(), await connection.openChannel()]) {
    const onDelivery = ({ tag, body }: { tag: number; body: Uint8Array }) => got.push([channel.id, tag, [...body]]);
    await channel.consume({ queue: "q", exclusive: false, onDelivery });
  }
  assert.deepEqual(got, [[2, 1, [7, 8, 9]], [1, 1, [1, 2, 3, 4]], [2, 2, []]]);
});

Deno.test("Channel.close() gives its number to no other, when the broker closes at the same time", async () => {
  // What our answer to its end brings is a heartbeat. Its own answer, to our end, comes last.
  const answers = [...HANDSHAKE, opened(1), closed(1), heartbeat, together(opened(2), closeOk(1)), opened(3)];
  await using connection = await connect(answering(answers));
  const first = await connection.openChannel();
  await first.close();
  const ids = [await connection.openChannel(), await connection.openChannel()].map(({ id }) => id);
  assert.deepEqual(ids, [2, 3]);
});

Deno.test("Channel ignores what the broker delivered before it heard of the end", async () => {
  const late = together(delivered(1, 1), header(1, 1), body(1, [1]), closeOk(1));
  await using connection = await connect(answering([...HANDSHAKE, opened(1), consuming(1), late, opened(2)]));
  const channel = await connection.openChannel();
  let count = 0;
  await channel.consume({ queue: "q", exclusive: false, onDelivery: () => count++ });
  await channel.close();
  assert.deepEqual([count, (await connection.openChannel()).id], [0, 2]);
});

Deno.test("Channel that the broker ends twice is ended, and its connection goes on", async () => {
  // RabbitMQ 3.10 says at each look that a message was not acknowledged in time, until it has our answer.
  const answers = [...HANDSHAKE, opened(1), together(closed(1), closed(1)), heartbeat, opened(2)];
  await using connection = await connect(answering(answers));
  const channel = await connection.openChannel();
  await assert.rejects(channel.qos(1), { code: "NOT_FOUND" });
  assert.equal((await connection.openChannel()).id, 2);
  assert.equal(connection.lost.aborted, false);
});

async function connect(transport: Transport): Promise<Connection & AsyncDisposable> {
  const connection = await Connection.open(connectionOptions(transport));
  return Object.assign(connection, {
    [Symbol.asyncDispose]() {
      connection.destroy();
      return connection.close();
    },
  });
}
