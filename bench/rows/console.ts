// The console beside the service: how long its requests take the service's thread, and what 400
// clients do to deliveries.
import { join } from "node:path";
import { freePorts } from "../../tools/free_ports.ts";
import { contest, type Sample } from "../contest.ts";
import { growLedger } from "../grow_ledger.ts";
import { threadMs } from "../measured.ts";
import { Operator } from "../operator.ts";
import { CountingReceiver } from "../receiver.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { restPlugin, startWatcher } from "../watcher.ts";
import { watcher } from "./latency.ts";

export const consoleRow: Row = { name: "console", measure };

const CLIENTS = 200;
const PATHS = [
  "",
  "vendor/uplot.js",
  "api/v1/session",
  "api/v1/overview",
  "api/v1/history?range=day",
  "api/v1/events?limit=500",
  "api/v1/events?text=10.0",
  "api/v1/dead-letters",
  "api/v1/plugins",
  "api/v1/audit-log",
  "api/v1/openapi.json",
] as const;

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  const events = stand.quick ? 200 : 800;
  const rounds = await contest({ name: consoleRow.name, rounds: stand.rounds }, {
    "requests": () => requests(stand),
    "alone": () => watcher(stand, { events, receiver }),
    "listening": () => watcher(stand, { events, receiver, beside: beside(0) }),
    "crowd": () => watcher(stand, { events, receiver, beside: beside(CLIENTS) }),
  });
  return {
    lines: [
      { what: "thread's time a request, p50", value: rounds.median("requests", "p50"), unit: "ms" },
      { what: "thread's time a request, p99", value: rounds.median("requests", "p99"), unit: "ms", aim: { atMost: 5 } },
      { what: "500 events, p99", value: rounds.median("requests", "events"), unit: "ms", aim: { atMost: 5 } },
      { what: "p99 of deliveries, console: false", value: rounds.median("alone", "p99"), unit: "ms" },
      { what: "p99 of deliveries, nobody looks", value: rounds.median("listening", "p99"), unit: "ms" },
      {
        what: `p99 beside ${CLIENTS} idle and ${CLIENTS} slow clients, against console: false`,
        value: rounds.ratio("crowd", "alone", "p99"),
        unit: "×",
        aim: { atMost: 1.2 },
      },
    ],
    raw: rounds,
  };
}

function beside(clients: number) {
  const [port = 0] = freePorts(1);
  return {
    sections: `console: { port: ${port} },`,
    begin: async (dir: string) =>
      clients === 0 ? new AsyncDisposableStack() : await Operator.crowd(dir, { port, each: clients }),
  };
}

/** One request after the other, of a service that has nothing else to do. */
async function requests({ bus, url, quick }: Stand): Promise<Sample> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  const events = quick ? 2000 : 50_000;
  await growLedger(join(dir, "ledger.db"), { events, plugin: "RestNotify" });
  const [port = 0] = freePorts(1);
  await bus.makeQueue(QUEUE, "classic");
  const plugins = restPlugin(1);
  const sections = `console: { port: ${port} },`;
  const running = startWatcher({ url, queue: QUEUE, plugins, sections, dir, deliveries: events });
  running.finished.catch(() => {});
  try {
    const operator = await Operator.signIn(dir, port);
    const times: { readonly path: string; readonly ms: number }[] = [];
    for (let round = 0; round < (quick ? 5 : 40); round++) {
      for (const path of PATHS) {
        const before = threadMs(running.pid);
        await operator.ask(path);
        // The first are compiled, and the console's modules loaded.
        if (round >= 3) times.push({ path, ms: threadMs(running.pid) - before });
      }
    }
    return { work: `${times.length} requests`, figures: figuresOf(times) };
  } finally {
    await running.end();
    await bus.deleteQueue(QUEUE);
    await Deno.remove(dir, { recursive: true });
  }
}

function figuresOf(times: readonly { readonly path: string; readonly ms: number }[]): Sample["figures"] {
  const sorted = (some: typeof times) => some.map(({ ms }) => ms).toSorted((one, other) => one - other);
  const at = (some: readonly number[], part: number) => some[Math.floor(some.length * part)] ?? NaN;
  const all = sorted(times);
  const byPath = PATHS.map((path) => {
    return [`p99 of /${path}`, at(sorted(times.filter((one) => one.path === path)), 0.99)] as const;
  });
  const events = at(sorted(times.filter(({ path }) => path === "api/v1/events?limit=500")), 0.99);
  return { p50: at(all, 0.5), p99: at(all, 0.99), events, ...Object.fromEntries(byPath) };
}
