import assert from "node:assert/strict";
import { Connection } from "../../src/rabbitmq/amqp/connection.ts";
import { Consumption } from "../../src/rabbitmq/channel.ts";
import { answering, connectionOptions, frame, HANDSHAKE, short, together } from "./amqp/conversation.ts";

Deno.test("Consumption.open() tells that the broker closed the channel in the read that opened it", async () => {
  const opened = frame(1, [0, 20, 0, 11, 0, 0, 0, 0]);
  const closed = frame(1, [0, 20, 0, 40, 2, 26, ...short("full"), 0, 0, 0, 0]);
  const transport = answering([...HANDSHAKE, together(opened, closed)]);
  const connection = await Connection.open(connectionOptions(transport));
  let failed = 0;
  const consumption = await Consumption.open(connection, {
    ...{ queue: "q", exclusive: false, prefetch: 1 },
    onDelivered: () => {},
    onFailed: () => failed++,
  });
  assert.deepEqual([failed, consumption.open, (consumption.failure as Error).message], [1, false, "full"]);
  connection.destroy();
});
