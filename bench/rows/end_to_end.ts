// Claimed events from end to end: recorded durably, posted to an HTTP receiver, the outcome
// recorded. The peers record nothing. Time counts from the first message to the last arrival,
// without the program's start, in rounds of some seconds, the first of which is V8's compiling.
import { contest } from "../contest.ts";
import { drain } from "../drain.ts";
import { lives, type Load } from "../mix.ts";
import { startPeer } from "../peer.ts";
import { CountingReceiver } from "../receiver.ts";
import { findRedpandaConnect, NOT_THERE, startRedpandaConnect } from "../redpanda.ts";
import { type Measured, QUEUE, type Row, type Stand, TOPIC } from "../stand.ts";
import { drainTo } from "../watcher.ts";

export const endToEnd: Row = { name: "claimed events end to end", measure };

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  const load = lives(stand.quick ? 400 : 4000);
  const connect = findRedpandaConnect();
  const rounds = await contest<"watcher" | "oslo.messaging" | "Redpanda Connect">({
    name: endToEnd.name,
    rounds: stand.rounds,
  }, {
    "watcher": () => drainTo(receiver, stand, { load }),
    "oslo.messaging": () => listener(stand, load, receiver),
    "Redpanda Connect": connect === null ? NOT_THERE : () => pipeline(stand, load, { receiver, connect }),
  });
  return {
    lines: [
      {
        what: "events/s, ledger with synchronous=FULL",
        value: rounds.median("watcher", "perSecond"),
        unit: "/s",
        aim: { atLeast: 2000 },
      },
      { what: "CPU per event", value: rounds.median("watcher", "cpuMicros"), unit: "µs", aim: { atMost: 350 } },
      {
        what: "oslo.messaging listener that posts, no ledger",
        value: rounds.median("oslo.messaging", "perSecond"),
        unit: "/s",
      },
      { what: "CPU per event of it", value: rounds.median("oslo.messaging", "cpuMicros"), unit: "µs" },
      {
        what: "events/s against it",
        value: rounds.ratio("watcher", "oslo.messaging", "perSecond"),
        unit: "×",
        aim: { atLeast: 5 },
      },
      { what: "Redpanda Connect, no ledger", value: rounds.median("Redpanda Connect", "perSecond"), unit: "/s" },
      { what: "CPU per event of it", value: rounds.median("Redpanda Connect", "cpuMicros"), unit: "µs" },
      { what: "events/s against it", value: rounds.ratio("watcher", "Redpanda Connect", "perSecond"), unit: "×" },
    ],
    raw: rounds,
  };
}

function pipeline(
  { bus, url }: Stand,
  load: Load,
  { receiver, connect }: { readonly receiver: CountingReceiver; readonly connect: readonly string[] },
) {
  const start = () => {
    const finished = receiver.expect(load.events);
    return startRedpandaConnect(connect, { url, queue: QUEUE, port: receiver.port, finished });
  };
  return drain({ bus, queue: QUEUE, load, start });
}

function listener({ bus, port, peers }: Stand, load: Load, receiver: CountingReceiver) {
  const messages = load.bodies.length;
  const address = `http://127.0.0.1:${receiver.port}`;
  const finished = receiver.expect(load.events);
  const command = [...peers.listen, String(port), TOPIC, String(messages), address];
  return drain({
    bus,
    queue: QUEUE,
    load,
    start: () => {
      const peer = startPeer(command, { messages, claimed: load.claimed, posted: load.claimed });
      return { ...peer, finished: peer.finished.then(() => finished) };
    },
  });
}
