// How the cost of a delivery grows with plugins and servers.
import { join } from "node:path";
import { contest, type Sample } from "../contest.ts";
import { drain } from "../drain.ts";
import { arrivals, associations, lives, type Load, ports } from "../mix.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

/** The factor by which a cost may grow. */
const FLAT = { atMost: 1.3 };

/** The number of deliveries is the same for any number of plugins: more plugins, fewer events. */
const DELIVERIES = 20_000;

export const plugins: Row = {
  name: "cost by number of plugins",
  async measure(stand: Stand): Promise<Measured> {
    const deliveries = stand.quick ? DELIVERIES / 10 : DELIVERIES;
    const run = (count: number) => async () => {
      const load = lives(deliveries / count / 2);
      const start = () =>
        startWatcher({ url: stand.url, queue: QUEUE, plugins: idlePlugins(count, load.events), deliveries });
      const { figures } = await drain({ bus: stand.bus, queue: QUEUE, load, units: deliveries, start });
      return { work: `${count * load.events} deliveries`, figures };
    };
    const rounds = await contest({ name: plugins.name, rounds: stand.rounds }, {
      "1 plugin": run(1),
      "10 plugins": run(10),
      "50 plugins": run(50),
      "200 plugins": run(200),
    });
    const cost = (name: "1 plugin" | "10 plugins" | "50 plugins" | "200 plugins") => ({
      what: `CPU per delivery, ${name}`,
      value: rounds.median(name, "cpuMicros"),
      unit: "µs",
      ...(name === "200 plugins" ? { aim: { atMost: 60 } } : {}),
    });
    return {
      lines: [
        cost("1 plugin"),
        cost("10 plugins"),
        cost("50 plugins"),
        cost("200 plugins"),
        { what: "10 against 1", value: rounds.ratio("10 plugins", "1 plugin", "cpuMicros"), unit: "×", aim: FLAT },
        { what: "50 against 1", value: rounds.ratio("50 plugins", "1 plugin", "cpuMicros"), unit: "×", aim: FLAT },
        {
          what: "memory, 200 plugins",
          value: rounds.median("200 plugins", "peakMib"),
          unit: "MiB",
          aim: { atMost: 250 },
        },
      ],
      raw: rounds,
    };
  },
};

export const servers: Row = {
  name: "cost by number of servers",
  async measure(stand: Stand): Promise<Measured> {
    const [few, many] = [10, stand.quick ? 1000 : 10_000];
    const messages = stand.quick ? 1000 : 10_000;
    const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
    try {
      const known = { few: join(dir, "few"), many: join(dir, "many") };
      await announce(stand, known.few, few);
      await announce(stand, known.many, many);
      const rounds = await contest({ name: servers.name, rounds: stand.rounds }, {
        "few": () => withServers(stand, { known: known.few, count: few, messages }),
        "many": () => withServers(stand, { known: known.many, count: many, messages }),
      });
      const cost = (name: "few" | "many", count: number) => ({
        what: `CPU per delivery, ${count.toLocaleString("en")} servers`,
        value: rounds.median(name, "cpuMicros"),
        unit: "µs",
      });
      const ratio = rounds.ratio("many", "few", "cpuMicros");
      const what = `${many.toLocaleString("en")} against ${few}`;
      return {
        lines: [cost("few", few), cost("many", many), { what, value: ratio, unit: "×", aim: FLAT }],
        raw: rounds,
      };
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
};

/** A ledger with this many servers and their ports, made by the service itself. */
export async function announce(stand: Stand, dir: string, count: number): Promise<void> {
  const [came, bound] = [arrivals(count), ports(count)];
  const load: Load = { bodies: [...bound.bodies, ...came.bodies], events: count, claimed: count };
  await Deno.mkdir(dir);
  await run(stand, { dir, load, deliveries: count });
}

/** In a copy of that ledger the servers' floating IPs come and go. */
export async function withServers(
  stand: Stand,
  { known, count, messages }: { readonly known: string; readonly count: number; readonly messages: number },
): Promise<Sample> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    await Deno.copyFile(join(known, "ledger.db"), join(dir, "ledger.db"));
    return await run(stand, { dir, load: associations(messages, count), deliveries: count + messages });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function run(
  { bus, url }: Stand,
  { dir, load, deliveries }: { readonly dir: string; readonly load: Load; readonly deliveries: number },
): Promise<Sample> {
  const plugins = idlePlugins(1, load.events);
  const start = () => startWatcher({ url, queue: QUEUE, plugins, dir, deliveries });
  return drain({ bus, queue: QUEUE, load, start });
}
