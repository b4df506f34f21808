// Events that are all about one floating IP, which comes and goes, beside as many of thousands:
// each waits for the outcome of the one before it.
import { join } from "node:path";
import { contest } from "../contest.ts";
import { type Measured, type Row, type Stand } from "../stand.ts";
import { announce, withServers } from "./growth.ts";

export const moves: Row = { name: "one floating IP to and fro", measure };

async function measure(stand: Stand): Promise<Measured> {
  const many = stand.quick ? 500 : 5000;
  const messages = 2 * many;
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    const known = { one: join(dir, "one"), many: join(dir, "many") };
    await announce(stand, known.one, 1);
    await announce(stand, known.many, many);
    const rounds = await contest({ name: moves.name, rounds: stand.rounds }, {
      "one": () => withServers(stand, { known: known.one, count: 1, messages }),
      "many": () => withServers(stand, { known: known.many, count: many, messages }),
    });
    return {
      lines: [
        { what: "CPU per event, one floating IP", value: rounds.median("one", "cpuMicros"), unit: "µs" },
        {
          what: `CPU per event, ${many.toLocaleString("en")} floating IPs`,
          value: rounds.median("many", "cpuMicros"),
          unit: "µs",
        },
        { what: "one against many", value: rounds.ratio("one", "many", "cpuMicros"), unit: "×", aim: { atMost: 2 } },
        { what: "events/s, one floating IP", value: rounds.median("one", "perSecond"), unit: "/s" },
      ],
      raw: rounds,
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
