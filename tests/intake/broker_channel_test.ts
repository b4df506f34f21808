import assert from "node:assert/strict";
import { Connection } from "../../src/intake/amqp/connection.ts";
import { Consumption } from "../../src/intake/broker_channel.ts";
import { answering } from "./amqp/conversation.ts";

/** What a broker answers to the protocol header, the login, the vhost; then to the first channel, which it closes in the same breath. */
const ANSWERS = [
  [frame(0, [0, 10, 0, 10, 0, 9, 0, 0, 0, 0, 0, 0, 0, 5, ...text("PLAIN"), 0, 0, 0, 5, ...text("en_US")])],
  [frame(0, [0, 10, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0])],
  [frame(0, [0, 10, 0, 41, 0])],
  [frame(1, [0, 20, 0, 11, 0, 0, 0, 0]), frame(1, [0, 20, 0, 40, 2, 26, 4, ...text("full"), 0, 0, 0, 0])],
].map((frames) => new Uint8Array(frames.flat()));

Deno.test("Consumption.open() tells that the broker closed the channel in the read that opened it", async () => {
  const connection = await Connection.open({
    ...{ host: "", port: 0, tls: null, user: "u", password: "p", vhost: "/" },
    ...{ heartbeatSeconds: 10, name: "test", signal: new AbortController().signal },
    open: () => Promise.resolve(answering(ANSWERS)),
  });
  let failed = 0;
  const consumption = await Consumption.open(connection, {
    ...{ queue: "q", exclusive: false, prefetch: 1 },
    onDelivered: () => {},
    onFailed: () => failed++,
  });
  assert.deepEqual([failed, consumption.open, (consumption.failure as Error).message], [1, false, "full"]);
  connection.destroy();
});

/** A method. */
function frame(channel: number, payload: readonly number[]): readonly number[] {
  return [1, 0, channel, 0, 0, 0, payload.length, ...payload, 0xce];
}

function text(ascii: string): readonly number[] {
  return [...new TextEncoder().encode(ascii)];
}
