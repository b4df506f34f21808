// Draining the captured mix with the ledger on and plugins that do nothing. Time counts from the
// first message to the last piece of work, without the program's start. A round is long enough that
// V8's compiling in the first two seconds matters little.
import { contest } from "../contest.ts";
import { drain } from "../drain.ts";
import { captured, type Load } from "../mix.ts";
import { startPeer } from "../peer.ts";
import type { QueueType } from "../queue.ts";
import { type Measured, QUEUE, type Row, type Stand, TOPIC } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

/** The watcher's own prefetch. */
const PREFETCH = 1000;
/** Half of it, which is when the watcher acknowledges at the latest. */
const BATCH = 500;

export const draining: Row = { name: "draining the captured mix", measure };

async function measure(stand: Stand): Promise<Measured> {
  const load = captured(stand.quick ? 6 : 80);
  const rounds = await contest({ name: draining.name, rounds: stand.rounds }, {
    "watcher, classic": () => watcher(stand, load, "classic"),
    "watcher, quorum": () => watcher(stand, load, "quorum"),
    "watcher, following": () => watcher(stand, load, "classic", { follows: true }),
    "C, classic": () => consumer(stand, load, "classic"),
    "C, quorum": () => consumer(stand, load, "quorum"),
    "oslo.messaging": () => listener(stand, load),
  });
  return {
    lines: [
      { what: "messages/s, classic queue", value: rounds.median("watcher, classic", "perSecond"), unit: "/s" },
      { what: "messages/s, quorum queue", value: rounds.median("watcher, quorum", "perSecond"), unit: "/s" },
      { what: "CPU per message", value: rounds.median("watcher, classic", "cpuMicros"), unit: "µs" },
      { what: "C that only acknowledges, classic", value: rounds.median("C, classic", "perSecond"), unit: "/s" },
      { what: "C that only acknowledges, quorum", value: rounds.median("C, quorum", "perSecond"), unit: "/s" },
      { what: "CPU per message of C", value: rounds.median("C, classic", "cpuMicros"), unit: "µs" },
      {
        what: "messages/s against C, classic",
        value: rounds.ratio("watcher, classic", "C, classic", "perSecond"),
        unit: "×",
        aim: { atLeast: 0.5 },
      },
      {
        what: "messages/s against C, quorum",
        value: rounds.ratio("watcher, quorum", "C, quorum", "perSecond"),
        unit: "×",
        aim: { atLeast: 0.5 },
      },
      {
        what: "messages/s that follows changes of servers, against one that does not",
        value: rounds.ratio("watcher, following", "watcher, classic", "perSecond"),
        unit: "×",
        aim: { atLeast: 0.5 },
      },
      {
        what: "CPU per message of it",
        value: rounds.median("watcher, following", "cpuMicros"),
        unit: "µs",
      },
      { what: "oslo.messaging listener", value: rounds.median("oslo.messaging", "perSecond"), unit: "/s" },
      { what: "CPU per message of it", value: rounds.median("oslo.messaging", "cpuMicros"), unit: "µs" },
      {
        what: "messages/s against it",
        value: rounds.ratio("watcher, classic", "oslo.messaging", "perSecond"),
        unit: "×",
        aim: { atLeast: 6 },
      },
      {
        what: "CPU per message against it",
        value: rounds.ratio("watcher, classic", "oslo.messaging", "cpuMicros"),
        unit: "×",
        aim: { atMost: 0.1 },
      },
    ],
    raw: rounds,
  };
}

function watcher({ bus, url }: Stand, load: Load, type: QueueType, { follows = false } = {}) {
  const { events } = load;
  const plugins = idlePlugins(1, events);
  const start = () => startWatcher({ url, queue: QUEUE, plugins, follows, deliveries: events });
  return drain({ bus, queue: QUEUE, type, load, start });
}

function consumer({ bus, port, peers }: Stand, load: Load, type: QueueType) {
  const messages = load.bodies.length;
  const args = [port, QUEUE, messages, PREFETCH, BATCH].map(String);
  return drain({ bus, queue: QUEUE, type, load, start: () => startPeer([...peers.consume, ...args], { messages }) });
}

function listener({ bus, port, peers }: Stand, load: Load) {
  const messages = load.bodies.length;
  const command = [...peers.listen, String(port), TOPIC, String(messages)];
  return drain({
    bus,
    queue: QUEUE,
    load,
    start: () => startPeer(command, { messages, claimed: load.claimed, posted: 0 }),
  });
}
