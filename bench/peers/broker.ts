/**
 * The watcher's own consumer with nothing behind it, the counterpart of consume.c: takes messages,
 * looks at nothing, acknowledges many at once.
 *
 *     broker.ts PORT QUEUE MESSAGES PREFETCH BATCH
 *
 * Prints a line of JSON when the broker has taken the last acknowledgement, then waits to be
 * killed, so that its processor time can be read.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a line on the standard output is what it gives

import { Broker } from "../../src/rabbitmq/consumer.ts";

const [port, queue = "", messages, prefetch, batch] = Deno.args.map((text, index) =>
  index === 1 ? text : Number(text)
) as [number, string, number, number, number];

const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const all = Promise.withResolvers<void>();
let [count, bytes, from] = [0, 0, 0];
const broker = new Broker({
  source: { host: "127.0.0.1", port, watchQueue: queue, prefetch },
  log,
  onDelivered({ body, channel, tag }) {
    if (count++ === 0) from = performance.timeOrigin + performance.now();
    bytes += body.byteLength;
    if (count % batch === 0 || count === messages) channel.ackThrough(tag);
    if (count === messages) all.resolve();
  },
});
await broker.start();
await all.promise;
// Ends when the channel's end has been answered, which comes after the acknowledgements.
await broker.stop();
console.log(JSON.stringify({ messages: count, bytes, from, at: performance.timeOrigin + performance.now() }));
setInterval(() => {}, 1_000_000);
