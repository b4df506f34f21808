// The same events in a ledger that holds a thousand, and in one that holds a million.
import { join } from "node:path";
import { progress } from "../../tools/packages.ts";
import { contest, type Sample } from "../contest.ts";
import { drain } from "../drain.ts";
import { growLedger } from "../grow_ledger.ts";
import { lives, type Load } from "../mix.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

const FEW = 1000;
const MANY = 1_000_000;

export const ledgerSize: Row = { name: "cost by size of the ledger", measure };

async function measure(stand: Stand): Promise<Measured> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    const many = stand.quick ? MANY / 20 : MANY;
    const grownLedger = await grown(join(dir, "many"), many);
    // Each round has servers of its own. The large ledger grows a little in each; the small one is
    // made anew.
    let number = many;
    const servers = stand.quick ? 500 : 5000;
    const load = () => lives(servers, number += servers);
    const rounds = await contest({ name: ledgerSize.name, rounds: stand.rounds }, {
      "few": async () => inLedger(stand, await grown(join(dir, `few-${number}`), FEW), load()),
      "many": () => inLedger(stand, grownLedger, load()),
    });
    const few = `${FEW.toLocaleString("en")} events`;
    return {
      lines: [
        { what: `CPU per delivery, ${few}`, value: rounds.median("few", "cpuMicros"), unit: "µs" },
        {
          what: `CPU per delivery, ${many.toLocaleString("en")} events`,
          value: rounds.median("many", "cpuMicros"),
          unit: "µs",
        },
        {
          what: "many against few",
          value: rounds.ratio("many", "few", "cpuMicros"),
          unit: "×",
          aim: { atMost: 1.3 },
        },
        {
          what: "events/s, many against few",
          value: rounds.ratio("many", "few", "perSecond"),
          unit: "×",
        },
      ],
      raw: rounds,
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

interface Grown {
  readonly dir: string;
  deliveries: number;
}

async function grown(dir: string, events: number): Promise<Grown> {
  progress(`Filling a ledger with ${events.toLocaleString("en")} events …`);
  await Deno.mkdir(dir);
  await growLedger(join(dir, "ledger.db"), { events, plugin: "Idle0" });
  return { dir, deliveries: events };
}

function inLedger({ bus, url }: Stand, ledger: Grown, load: Load): Promise<Sample> {
  ledger.deliveries += load.events;
  const { dir, deliveries } = ledger;
  const start = () => startWatcher({ url, queue: QUEUE, plugins: idlePlugins(1, load.events), dir, deliveries });
  return drain({ bus, queue: QUEUE, load, start });
}
