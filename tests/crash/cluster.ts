// The disasters of several processes that share a ledger, each a function whose parameters scale it.
import { progress } from "../../tools/packages.ts";
import type { PostgresServer } from "../../tools/postgres/server.ts";
import { SeededRandom } from "../support/random.ts";
import { postgresProbe } from "./ledger_probe.ts";
import type { Member } from "./member.ts";
import type { Outcome } from "./outcome.ts";
import type { ScenarioOptions } from "./scenarios.ts";
import { StallWatch } from "./stalls.ts";
import { Trial } from "./trial.ts";
import { sleep, TAKEN } from "./witness.ts";

export interface ClusterScenario extends ScenarioOptions {
  readonly postgres: PostgresServer;
}

/** How often each disaster comes. */
export interface Disasters {
  /** kill -9 of a process. */
  readonly kills?: number;
  /** SIGSTOP of a process for longer than a lease, then SIGCONT. */
  readonly freezes?: number;
  /** SIGTERM of a process. */
  readonly stops?: number;
  /** PostgreSQL is killed, and started after less or more than a lease. */
  readonly postgresKills?: number;
  /** RabbitMQ is killed, and started. */
  readonly rabbitKills?: number;
  /** Connections between a process and PostgreSQL are cut without a word, for longer than a lease. */
  readonly postgresCuts?: number;
  /** The same of RabbitMQ. */
  readonly rabbitCuts?: number;
}

export const PLUGINS = ["One", "Two", "Three", "Four", "Five", "Six"];
export const LEASE_SECONDS = 3;
const SIZE = 3;

/** Of so many sleepers, one at least has had a request on its way. */
const MANY_FREEZES = 20;

/** Disasters that last while the next one begins. */
const AT_ONCE = 4;
/** From the beginning of one disaster to the next, on average. */
const PAUSE_MS = 2000;

/** All disasters in random order, several at once, while operations are published from the first to the last. */
export async function strike({ rabbit, postgres, load, title, ...disasters }: ClusterScenario & Disasters & {
  readonly title: string;
}): Promise<Outcome> {
  const random = new SeededRandom(load.seed + 6);
  await using trial = await Trial.open({
    title,
    rabbit,
    load,
    plugins: PLUGINS,
    cluster: { postgres, leaseSeconds: LEASE_SECONDS, size: SIZE },
  });
  await using _stalls = new StallWatch(trial.faults, postgres);
  for (const witness of trial.witnesses) {
    // So slow that something is in hand at any time.
    witness.respond = async () => {
      await sleep(10 + random.below(80));
      return TAKEN;
    };
    await witness.open();
  }
  for (const member of trial.members) trial.launch(member);
  await trial.until(() => trial.members.every(({ log }) => log.includes("Listening on queue")));
  // RabbitMQ writes the name of a new quorum queue to disk half a second later, and forgets the queue if it is killed before.
  await sleep(3000);
  const queue = random.shuffled(
    listOf(disasters).map((disaster) => ({ disaster, random: new SeededRandom(random.below(1e9)) })),
  );
  await publishDuring(trial, { items: queue, random }, ({ disaster, random }) => CAUSES[disaster](trial, random));
  const outcome = await trial.conclude();
  const probe = postgresProbe(postgres);
  const notes = [
    `${trial.faults.count("freeze")} freezes, ${trial.faults.count("cut from postgres", "cut from rabbit")} cuts`,
    describeStalls(trial),
    `leases were taken ${await probe.taken()} times; ${outcome.refused} requests came too late and were refused, ` +
    `${outcome.takenOver} events were sent again by another process without a kill`,
  ];
  const problems = [...outcome.problems, ...proofs(outcome, { disasters, taken: await probe.taken() })];
  return { ...outcome, notes: [...outcome.notes, ...notes, ...keepLogs(trial, problems)], problems };
}

/** Keeps what the runs have logged that problems name. */
function keepLogs({ logs }: Trial, problems: readonly string[]): readonly string[] {
  const named = new Set(
    problems.flatMap((problem) => [...problem.matchAll(/\brun (\d+)/g)].map(([, run]) => Number(run))),
  );
  if (named.size === 0) return [];
  const dir = Deno.makeTempDirSync({ prefix: "oss-watcher-crash-" });
  for (const run of named) Deno.writeTextFileSync(`${dir}/run-${run}.log`, logs.get(run) ?? "");
  return [`The logs of the runs that problems name are in ${dir}`];
}

/** What the machine itself did to the processes. */
function describeStalls({ faults }: Trial): string {
  const seconds = faults.all.filter(({ kind }) => kind === "slow").map(({ from, to }) => (to - from) / 1000);
  return `${seconds.length} times the machine was slow or overloaded, up to ${Math.max(0, ...seconds).toFixed(1)} s`;
}

/** What must have happened if the scenario has tried anything. */
function proofs(
  { refused, takenOver, kills, killsBetween }: Outcome,
  { disasters: { freezes = 0 }, taken }: { readonly disasters: Disasters; readonly taken: number },
): string[] {
  const problems: string[] = [];
  // Six plugins, decisions and housekeeping.
  if (kills > 0 && taken <= PLUGINS.length + 2) problems.push("no lease has moved: this run proves nothing");
  // An attempt in hand of a sleeper is told apart from others by its coming late alone.
  if (freezes >= MANY_FREEZES && refused === 0) problems.push("no sleeper's request came late: this run proves little");
  if (freezes > 2 && refused + takenOver === 0) {
    problems.push("no sleeper had anything in hand: this run proves nothing");
  }
  if (kills > 5 && killsBetween === 0) problems.push("no kill fell between an attempt and its record");
  return problems;
}

type Disaster = keyof Disasters;

function listOf(disasters: Disasters): Disaster[] {
  return (Object.keys(CAUSES) as Disaster[]).flatMap((one) => Array.from({ length: disasters[one] ?? 0 }, () => one));
}

/** Longer than a lease, and than what is in hand may take. */
function longMs(random: SeededRandom): number {
  return LEASE_SECONDS * 1000 + 1000 + random.below(1500);
}

const CAUSES: Readonly<Record<Disaster, (trial: Trial, random: SeededRandom) => Promise<void>>> = {
  async kills(trial, random) {
    const member = await someRunning(trial, random);
    await trial.kill(member);
    trial.launch(member);
  },
  async freezes(trial, random) {
    await trial.freeze(await someRunning(trial, random), longMs(random));
  },
  async stops(trial, random) {
    const member = await someRunning(trial, random);
    await trial.stop(member);
    trial.launch(member);
  },
  async postgresKills(trial, random) {
    await inTurn(trial, "postgres", () => trial.killPostgres(random.below(2 * LEASE_SECONDS * 1000)));
  },
  async rabbitKills(trial) {
    await inTurn(trial, "rabbit", () => trial.killBroker());
  },
  async postgresCuts(trial, random) {
    await trial.cut(await someRunning(trial, random), { from: "postgres", ms: longMs(random) });
  },
  async rabbitCuts(trial, random) {
    await trial.cut(await someRunning(trial, random), { from: "rabbit", ms: longMs(random) });
  },
};

/** A process that runs: all may be about to start again. */
async function someRunning(trial: Trial, random: SeededRandom): Promise<Member> {
  await trial.until(() => trial.members.some(({ isRunning }) => isRunning));
  return random.pick(trial.members.filter(({ isRunning }) => isRunning));
}

const turns = new WeakMap<Trial, Map<string, Promise<void>>>();

/** A server is started again before it is killed again. */
async function inTurn(trial: Trial, server: string, action: () => Promise<void>): Promise<void> {
  const ofTrial = turns.getOrInsertComputed(trial, () => new Map());
  const turn = (ofTrial.get(server) ?? Promise.resolve()).then(action);
  ofTrial.set(server, turn.catch(() => {}));
  await turn;
}

/** Begins one action after the other, a few of them at a time; publishes meanwhile, so that both end together. */
async function publishDuring<Item>(
  trial: Trial,
  { items, random }: { readonly items: readonly Item[]; readonly random: SeededRandom },
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let begun = 0;
  const acting = (async () => {
    for (const item of items) {
      const one = act(item).finally(() => running.delete(one));
      one.catch(() => {});
      running.add(one);
      while (running.size >= AT_ONCE) await Promise.race(running);
      await sleep(PAUSE_MS / 2 + random.below(PAUSE_MS));
      if (++begun % 20 === 0) {
        progress(`${begun} of ${items.length} disasters, ${trial.publishing.confirmed} operations`);
      }
    }
    await Promise.all(running);
  })();
  acting.catch(() => {});
  const { publishing } = trial;
  while (!publishing.isDone) {
    const mayBeConfirmed = ((begun + 1) / items.length) * trial.steps.length;
    if (publishing.confirmed >= mayBeConfirmed) await Promise.race([acting, sleep(20)]);
    else await publishing.next();
  }
  await acting;
}
