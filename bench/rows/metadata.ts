// Servers with much metadata: it is in the message, in memory and in the detail.
import { Buffer } from "node:buffer";
import { contest } from "../contest.ts";
import { lives, type Load } from "../mix.ts";
import { CountingReceiver } from "../receiver.ts";
import type { Measured, Row, Stand } from "../stand.ts";
import { drainTo } from "../watcher.ts";

export const metadata: Row = { name: "servers with much metadata", measure };

const VALUE_CHARACTERS = 80;

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  const run = (characters: number, servers: number) => () => {
    const load = withMetadata(lives(stand.quick ? Math.ceil(servers / 10) : servers), characters);
    return drainTo(receiver, stand, { load });
  };
  const rounds = await contest({ name: metadata.name, rounds: stand.rounds }, {
    "10 KB": run(10_000, 2000),
    "100 KB": run(100_000, 400),
  });
  const cost = (name: "10 KB" | "100 KB", atMost: number) => ({
    what: `CPU per event, ${name}`,
    value: rounds.median(name, "cpuMicros"),
    unit: "µs",
    aim: { atMost },
  });
  return { lines: [cost("10 KB", 400), cost("100 KB", 1500)], raw: rounds };
}

function withMetadata(load: Load, characters: number): Load {
  const keys = Array.from({ length: Math.ceil(characters / VALUE_CHARACTERS) }, (_, index) => `key-${index}`);
  const entries = Object.fromEntries(keys.map((key) => [key, key.padEnd(VALUE_CHARACTERS - key.length, ".")]));
  const bodies = load.bodies.map((body) => {
    const outer = JSON.parse(body.toString());
    const message = JSON.parse(outer["oslo.message"]);
    message.payload.metadata = entries;
    return Buffer.from(JSON.stringify({ ...outer, "oslo.message": JSON.stringify(message) }));
  });
  return { ...load, bodies };
}
