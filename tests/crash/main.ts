// The crash test in full: real RabbitMQ, PostgreSQL and processes, and a judge outside. `deno task test:crash [SEED]`, or
// `deno task test:crash cluster [SEED]`: only several processes on one PostgreSQL.
import { progress } from "../../tools/packages.ts";
import { type PrivateRabbit, setUpRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { startPostgres } from "../../tools/postgres/server.ts";
import { strike } from "./cluster.ts";
import { compareLatency, failReceiver } from "./failing_receiver.ts";
import { fillDisk } from "./full_disk.ts";
import { compareGrowth, describeGrowth } from "./growth.ts";
import { LEGEND, problemsOf, tableOf } from "./report.ts";
import { killBroker, killService, type ScenarioOptions, stopService, stopWhileHanging } from "./scenarios.ts";
import type { Outcome } from "./outcome.ts";

/** 500 servers at one time, and what happens to them and their floating IPs; a fourth of that changes a server. */
const LOAD = { events: 10_000, servers: 500, changes: 0.25 };
const SMALLER_LOAD = { events: 2_000, servers: 200, changes: 0.25 };
const LATENCY_LOAD = { events: 600, servers: 100, ignored: 0 };
const LATENCY_ROUNDS = 9;

const MAX_LATENCY_RATIO = 1.2;
const MAX_GROWTH_RATIO = 1.3;

/** All at once, to three processes. */
const DISASTERS = {
  kills: 100,
  freezes: 50,
  stops: 20,
  postgresKills: 10,
  rabbitKills: 10,
  postgresCuts: 10,
  rabbitCuts: 10,
};

/** Several processes on one PostgreSQL; returns what is wrong. */
async function runCluster(rabbit: PrivateRabbit, seed: number): Promise<string[]> {
  await using postgres = await startPostgres();
  const outcome = await strike({ rabbit, postgres, load: { ...LOAD, seed }, title: "three processes", ...DISASTERS });
  print(`\n${tableOf([outcome])}\n\n${LEGEND}`);
  for (const note of outcome.notes) print(note);
  return problemsOf([outcome]);
}

/** Runs everything on SQLite; returns what is wrong. */
async function run(rabbit: PrivateRabbit, seed: number): Promise<string[]> {
  const large: ScenarioOptions = { rabbit, load: { ...LOAD, seed } };
  const small: ScenarioOptions = { rabbit, load: { ...SMALLER_LOAD, seed } };
  const scenarios: readonly (() => Promise<Outcome>)[] = [
    () => killService({ ...large, kills: 100 }),
    () => killBroker({ ...large, kills: 10, queueType: "quorum" }),
    () => failReceiver({ ...large, faults: 12 }),
    () => fillDisk(small),
    () => stopService({ ...small, stops: 10 }),
    () => stopWhileHanging(small),
  ];
  const outcomes: Outcome[] = [];
  const failures: string[] = [];
  for (const scenario of scenarios) {
    try {
      const outcome = await scenario();
      progress(tableOf([outcome]));
      outcomes.push(outcome);
    } catch (error) {
      failures.push(`A scenario broke off: ${error instanceof Error ? error.stack : error}`);
    }
  }
  print(`\n${tableOf(outcomes)}\n\n${LEGEND}`);
  for (const { title, notes } of outcomes) for (const note of notes) print(`${title}: ${note}`);
  return [
    ...failures,
    ...problemsOf(outcomes),
    ...await runLatency({ rabbit, load: { ...LATENCY_LOAD, seed } }),
    ...await runGrowth(rabbit),
  ];
}

async function runLatency(options: ScenarioOptions): Promise<string[]> {
  const { withoutMs, besideMs, ratio, ratios } = await compareLatency({ ...options, rounds: LATENCY_ROUNDS });
  const [alone, beside] = [withoutMs.toFixed(1), besideMs.toFixed(1)];
  print(`\nMedian latency of a plugin: ${alone} ms alone, ${beside} ms beside one that fails`);
  const rounds = ratios.map((each) => each.toFixed(2)).join(", ");
  print(`${ratio.toFixed(2)} times as much (at most ${MAX_LATENCY_RATIO}); by rounds ${rounds}`);
  return ratio > MAX_LATENCY_RATIO ? [`A failing plugin makes another one ${ratio.toFixed(2)} times slower`] : [];
}

async function runGrowth(rabbit: PrivateRabbit): Promise<string[]> {
  const comparisons = await compareGrowth({ rabbit, small: 1_000, large: 1_000_000 });
  print(`\nWith 10³ and with 10⁶ deliveries in the ledger, at most ${MAX_GROWTH_RATIO} times as much:`);
  print(describeGrowth(comparisons));
  return comparisons.filter(({ ratio }) => ratio > MAX_GROWTH_RATIO)
    .map(({ what, ratio }) => `${what}: ${ratio.toFixed(2)} times as much in a large ledger`);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function main(): Promise<number> {
  const isCluster = Deno.args[0] === "cluster";
  const [given] = isCluster ? Deno.args.slice(1) : Deno.args;
  const seed = Number(given ?? Math.floor(Math.random() * 1e9));
  if (!Number.isSafeInteger(seed)) {
    progress(
      `Cannot run the crash test with seed "${given}": it is no whole number. deno task test:crash [cluster] [SEED]`,
    );
    return 2;
  }
  await setUpRabbit();
  progress(`Crash test, seed ${seed}`);
  const start = Date.now();
  await using rabbit = await startRabbit();
  const problems = isCluster
    ? await runCluster(rabbit, seed)
    : [...await run(rabbit, seed), ...await runCluster(rabbit, seed)];
  const minutes = ((Date.now() - start) / 60_000).toFixed(1);
  print(
    problems.length === 0 ? `\nAll as promised, in ${minutes} min` : `\nWRONG, seed ${seed}:\n${problems.join("\n")}`,
  );
  return problems.length === 0 ? 0 : 1;
}

Deno.exit(await main());
