// How the cost of a delivery grows with what there is.
import { contest, type Sample } from "../contest.ts";
import { drain } from "../drain.ts";
import { arrivals, associations, lives, type Load, ports } from "../mix.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

/** What a cost may grow by. */
const FLAT = { atMost: 1.3 };

export const plugins: Row = {
  name: "cost by number of plugins",
  async measure(stand: Stand): Promise<Measured> {
    const run = (count: number, servers: number) => () => {
      const load = lives(stand.quick ? servers / 10 : servers);
      const deliveries = count * load.events;
      const start = () =>
        startWatcher({ url: stand.url, queue: QUEUE, plugins: idlePlugins(count, load.events), deliveries });
      return drain({ bus: stand.bus, queue: QUEUE, load, units: deliveries, start });
    };
    // Other numbers of events: comparing costs per delivery is the purpose.
    const rounds = await contest({ name: plugins.name, rounds: stand.rounds }, {
      "1 plugin": sameWork(run(1, 2500)),
      "10 plugins": sameWork(run(10, 1000)),
      "50 plugins": sameWork(run(50, 250)),
    });
    const cost = (name: "1 plugin" | "10 plugins" | "50 plugins") => ({
      what: `CPU per delivery, ${name}`,
      value: rounds.median(name, "cpuMicros"),
      unit: "µs",
    });
    return {
      lines: [
        cost("1 plugin"),
        cost("10 plugins"),
        cost("50 plugins"),
        { what: "10 against 1", value: rounds.ratio("10 plugins", "1 plugin", "cpuMicros"), unit: "×", aim: FLAT },
        { what: "50 against 1", value: rounds.ratio("50 plugins", "1 plugin", "cpuMicros"), unit: "×", aim: FLAT },
      ],
      raw: rounds,
    };
  },
};

export const servers: Row = {
  name: "cost by number of servers",
  async measure(stand: Stand): Promise<Measured> {
    const [few, many] = [10, stand.quick ? 1000 : 10_000];
    const messages = stand.quick ? 1000 : 4000;
    const rounds = await contest({ name: servers.name, rounds: stand.rounds }, {
      "few": () => withServers(stand, few, messages),
      "many": () => withServers(stand, many, messages),
    });
    return {
      lines: [
        { what: `CPU per delivery, ${few} servers`, value: rounds.median("few", "cpuMicros"), unit: "µs" },
        { what: `CPU per delivery, ${many} servers`, value: rounds.median("many", "cpuMicros"), unit: "µs" },
        { what: `${many} against ${few}`, value: rounds.ratio("many", "few", "cpuMicros"), unit: "×", aim: FLAT },
      ],
      raw: rounds,
    };
  },
};

/** A ledger that knows so many servers, by a run before; then their floating IPs come and go. */
async function withServers(stand: Stand, count: number, messages: number): Promise<Sample> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    const [came, bound] = [arrivals(count), ports(count)];
    const known: Load = { bodies: [...bound.bodies, ...came.bodies], events: count, claimed: count };
    const run = (load: Load, deliveries: number) => {
      const plugins = idlePlugins(1, load.events);
      const start = () => startWatcher({ url: stand.url, queue: QUEUE, plugins, dir, deliveries });
      return drain({ bus: stand.bus, queue: QUEUE, load, start });
    };
    await run(known, count);
    return await run(associations(messages, count), count + messages);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function sameWork(run: () => Promise<Sample>): () => Promise<Sample> {
  return async () => ({ ...await run(), work: "deliveries" });
}
