/**
 * How fast oss-watcher is beside its peers: `deno task bench`.
 *
 *     deno task bench               every row but the long ones, some 15 minutes
 *     deno task bench --quick       small rounds, a minute: whether all works, not how fast
 *     deno task bench --backlog     also a queue of a million messages
 *     deno task bench --ledger      also a ledger of a million events
 *     deno task bench --only TEXT   only rows whose names hold this text
 *     deno task bench --out FILE    where the results go as JSON (bench-results.json)
 *
 * @module
 */

import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { progress } from "../tools/packages.ts";
import { setUpRabbit, startRabbit } from "../tools/rabbitmq.ts";
import { preparePeers } from "./peers.ts";
import { Bus } from "./queue.ts";
import { backlog } from "./rows/backlog.ts";
import { consoleRow } from "./rows/console.ts";
import { coldStart } from "./rows/cold_start.ts";
import { draining } from "./rows/draining.ts";
import { endToEnd } from "./rows/end_to_end.ts";
import { enrichment } from "./rows/enrichment.ts";
import { plugins, servers } from "./rows/growth.ts";
import { hanging } from "./rows/hanging.ts";
import { latency } from "./rows/latency.ts";
import { moves } from "./rows/moves.ts";
import { ledgerSize } from "./rows/ledger_size.ts";
import { metadata } from "./rows/metadata.ts";
import { postgres } from "./rows/postgres.ts";
import { slowTarget } from "./rows/slow_target.ts";
import type { Measured, Row, Stand } from "./stand.ts";
import { tableOf } from "./table.ts";

const ROUNDS = 5;
const ROWS: readonly Row[] = [
  draining,
  endToEnd,
  latency,
  plugins,
  servers,
  moves,
  hanging,
  slowTarget,
  metadata,
  coldStart,
  enrichment,
  postgres,
  consoleRow,
];

/** All processors, and room for a backlog. */
const BROKER = {
  env: { RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+P 65536 -kernel inet_dist_use_interface {127,0,0,1}" },
  settings: ["vm_memory_high_watermark.absolute = 4GiB"],
};

const OPTIONS = {
  quick: { type: "boolean", default: false },
  backlog: { type: "boolean", default: false },
  ledger: { type: "boolean", default: false },
  only: { type: "string", default: "" },
  out: { type: "string", default: "bench-results.json" },
} as const;

async function bench(args: readonly string[]): Promise<void> {
  const values = optionsOf(args);
  const all = [...ROWS, ...values.backlog ? [backlog] : [], ...values.ledger ? [ledgerSize] : []];
  const rows = all.filter(({ name }) => name.includes(values.only));
  if (rows.length === 0) {
    const names = all.map(({ name }) => name).join(", ");
    throw new Error(
      `Cannot bench "${values.only}": no row's name holds it. The rows are: ${names}; more with --backlog and --ledger`,
    );
  }
  await setUpRabbit();
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    const peers = await preparePeers(dir);
    await using rabbit = await startRabbit(BROKER);
    await using bus = new Bus(rabbit.url);
    const { url, port } = rabbit;
    const { quick } = values;
    const rounds = quick ? 1 : ROUNDS;
    await measure(rows, { stand: { bus, url, port, peers, rounds, quick }, out: values.out });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function optionsOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    const options = Object.keys(OPTIONS).map((name) => `--${name}`).join(", ");
    throw new Error(`${error instanceof Error ? error.message : error}. What can be given is ${options}`);
  }
}

async function measure(rows: readonly Row[], { stand, out }: { readonly stand: Stand; readonly out: string }) {
  const start = performance.now();
  const machine = { processors: cpus().map(({ model }) => model), deno: Deno.version.deno };
  const results: unknown[] = [];
  for (const row of rows) {
    const rowStart = performance.now();
    const { lines, raw } = await row.measure(stand).catch(refusedRow);
    const seconds = secondsSince(rowStart);
    progress(`${row.name}: ${seconds} s in all`);
    print(`${tableOf(row.name, lines)}\n`);
    results.push({ row: row.name, seconds, lines, raw });
    const at = new Date().toISOString();
    await Deno.writeTextFile(out, `${JSON.stringify({ at, machine, rounds: stand.rounds, results }, null, 2)}\n`);
  }
  progress(`${secondsSince(start)} s; all figures: ${out}`);
}

/** A row whose preparation fails does not keep others from being measured. */
function refusedRow(error: unknown): Measured {
  const refused = error instanceof Error ? error.message : String(error);
  return { lines: [{ what: "all", value: { refused }, unit: "" }], raw: { refused } };
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

try {
  await bench(Deno.args);
  Deno.exit(0);
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
