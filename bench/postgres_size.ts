/**
 * The ledger on PostgreSQL with a thousand events beside one with a million: the start with its
 * take-over of all leases, an event's cost, and listings. `deno run -A bench/postgres_size.ts [EVENTS [ROUNDS]]`;
 * a million take some ten minutes. Each ledger is grown in a file, and copied by `ledger copy`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PostgresServer, startPostgres } from "../tools/postgres/server.ts";
import { progress } from "../tools/packages.ts";
import { PERMISSIONS } from "../tools/permissions.ts";
import { setUpRabbit, startRabbit } from "../tools/rabbitmq.ts";
import { contest } from "./contest.ts";
import { drain } from "./drain.ts";
import { growLedger } from "./grow_ledger.ts";
import { lives, type Load } from "./mix.ts";
import { Bus } from "./queue.ts";
import { CountingReceiver } from "./receiver.ts";
import { QUEUE } from "./stand.ts";
import { restPlugin, startWatcher } from "./watcher.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const FEW = 1000;
/** Servers of a round, which come and go. */
const SERVERS = 4000;
const PLUGIN = "RestNotify";

const many = Number(Deno.args[0] ?? 1_000_000);
const rounds = Number(Deno.args[1] ?? 5);
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
try {
  await setUpRabbit();
  await using rabbit = await startRabbit({ settings: ["vm_memory_high_watermark.absolute = 4GiB"] });
  await using bus = new Bus(rabbit.url);
  await using receiver = new CountingReceiver();
  await using small = await grown(FEW);
  await using large = await grown(many);
  const ledgers = { few: small, many: large };
  // Each round has servers of its own.
  let number = many;
  const load = (servers: number) => lives(servers, number += servers);

  /** Runs a process until it has told these events. */
  const told = async (server: PostgresServer, events: Load) => {
    const deliveries = await doneIn(server) + events.events;
    const finished = receiver.expect(events.events);
    let startedAt = 0;
    const start = () => {
      startedAt = Date.now();
      const where = { url: rabbit.url, queue: QUEUE, postgres: server, keepsLedger: true };
      return startWatcher({ ...where, plugins: restPlugin(receiver.port), deliveries, finished });
    };
    const sample = await drain({ bus, queue: QUEUE, load: events, start });
    return { sample, ms: await finished - startedAt };
  };

  /** A process starts, takes all leases, and tells the events of one server. */
  const starts = (server: PostgresServer) => async () => ({
    work: "a start",
    figures: { ms: (await told(server, load(1))).ms },
  });
  const costs = (server: PostgresServer) => async () => (await told(server, load(SERVERS))).sample;

  const listing = (server: PostgresServer, ...args: readonly string[]) => async () => {
    const start = performance.now();
    await command("events", "--ledger", server.url, ...args);
    return { work: "a listing", figures: { ms: performance.now() - start } };
  };

  const measured = {
    "start to the first delivery, ms": [starts, "ms"],
    "processor time of an event, µs": [costs, "cpuMicros"],
    "events, ms": [(server: PostgresServer) => listing(server), "ms"],
    "events --state dead, ms": [(server: PostgresServer) => listing(server, "--state", "dead"), "ms"],
    "events --limit 500, ms": [(server: PostgresServer) => listing(server, "--limit", "500"), "ms"],
  } as const;
  for (const [name, [measure, figure]] of Object.entries(measured)) {
    const found = await contest({ name, rounds }, { few: measure(ledgers.few), many: measure(ledgers.many) });
    const [few, much] = [found.median("few", figure), found.median("many", figure)];
    console.log(`${name}: ${shown(few)} and ${shown(much)}, ${shown(found.ratio("many", "few", figure), 2)} times`);
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}

function shown(value: number | { readonly refused: string }, digits = 0): string {
  return typeof value === "number" ? value.toFixed(digits) : value.refused;
}

async function grown(events: number): Promise<PostgresServer> {
  const file = join(dir, `${events}.db`);
  progress(`Filling a ledger with ${events.toLocaleString("en")} events …`);
  await growLedger(file, { events, plugin: PLUGIN });
  const server = await startPostgres();
  await command("ledger", "copy", "--from", file, "--to", server.url);
  await Deno.remove(file);
  // As autovacuum does in time, which must not come into a round.
  await server.psql("VACUUM ANALYZE");
  return server;
}

async function doneIn(server: PostgresServer): Promise<number> {
  return Number(await server.psql("SELECT count(*) FROM oss_watcher.delivery WHERE state = 'done'"));
}

async function command(...args: readonly string[]): Promise<void> {
  const given = ["run", "--quiet", "--no-prompt", ...PERMISSIONS, MAIN, ...args];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: given,
    cwd: dir,
    stdout: "null",
    stderr: "inherit",
  })
    .output();
  if (!success) throw new Error(`oss-watcher ${args.join(" ")} has failed`);
}
