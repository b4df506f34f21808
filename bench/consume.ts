/**
 * The cost of a message from RabbitMQ's socket to `onDelivered`: `Broker` with nothing behind it
 * beside C with librabbitmq (`peers/consume.c`), both acknowledging 125 at a time.
 * `deno run -A bench/consume.ts [ROUNDS]` prints medians over five rounds, for the captured mix in
 * a classic and in a quorum queue.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { fileURLToPath } from "node:url";
import { setUpRabbit, startRabbit } from "../tools/rabbitmq.ts";
import { contest } from "./contest.ts";
import { drain } from "./drain.ts";
import { captured } from "./mix.ts";
import { startPeer } from "./peer.ts";
import { preparePeers } from "./peers.ts";
import { Bus, type QueueType } from "./queue.ts";
import { QUEUE } from "./stand.ts";
import { tableOf } from "./table.ts";

const ROUNDS = Number(Deno.args[0] ?? 5);
const TIMES = 40;
/** The watcher's own prefetch, and a quarter of it, which is when it acknowledges at the latest. */
const [PREFETCH, BATCH] = [500, 125];
const BROKER = fileURLToPath(new URL("./peers/broker.ts", import.meta.url));

await setUpRabbit();
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
try {
  const { consume } = await preparePeers(dir);
  await using rabbit = await startRabbit({ dir });
  await using bus = new Bus(rabbit.url);
  const load = captured(TIMES);
  const messages = load.bodies.length;
  const args = [rabbit.port, QUEUE, messages, PREFETCH, BATCH].map(String);
  const bytes = load.bodies.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const through = (type: QueueType, command: readonly string[]) => () =>
    drain({ bus, queue: QUEUE, type, load, start: () => startPeer([...command, ...args], { messages, bytes }) });
  const own = [Deno.execPath(), "run", "-A", BROKER];
  const contenders = {
    "Broker, classic": through("classic", own),
    "Broker, quorum": through("quorum", own),
    "C, classic": through("classic", consume),
    "C, quorum": through("quorum", consume),
  };
  const rounds = await contest({ name: "consuming", rounds: ROUNDS }, contenders);
  const lines = (Object.keys(contenders) as (keyof typeof contenders)[]).flatMap((what) => [
    { what, value: rounds.median(what, "cpuMicros"), unit: "µs" },
    { what: "", value: rounds.median(what, "perSecond"), unit: "/s" },
  ]);
  console.log(tableOf(`${messages} messages of ${Math.round(bytes / messages)} bytes, processor time and rate`, lines));
} finally {
  await Deno.remove(dir, { recursive: true });
}
