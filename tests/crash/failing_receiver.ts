// A receiver with every fault that there is, beside one that is well.
import { SeededRandom } from "../support/random.ts";
import type { ScenarioOptions } from "./scenarios.ts";
import type { Outcome } from "./outcome.ts";
import { Trial } from "./trial.ts";
import { type Reply, type Respond, sleep, TAKEN, wellAnswered, type Witness } from "./witness.ts";

const FAULTS: readonly Reply[] = [
  { status: 500 },
  { status: 503, retryAfterSeconds: 1 },
  { status: 429 },
  "hang",
  "reset",
];

/** Long enough that an answer which is given is seen, on a busy machine, too. */
const RETRY = { plugins: { Failing: { attemptTimeoutSeconds: 5 } } };

/**
 * One receiver is down for the first half, then answers with faults at random, at least each of them `faults` times, then is well again; the
 * other one is well all the time.
 */
export async function failReceiver(
  { rabbit, load, faults }: ScenarioOptions & { readonly faults: number },
): Promise<Outcome> {
  await using trial = await Trial.open({
    title: "A receiver down, then at fault",
    rabbit,
    load,
    plugins: ["Healthy", "Failing"],
    retry: RETRY,
  });
  const [healthy, failing] = trial.witnesses as [Witness, Witness];
  await healthy.open();
  await trial.start();
  const published = trial.publish();
  await trial.delivered(load.events / 2);
  const random = new SeededRandom(load.seed + 4);
  const replies = random.shuffled(Array.from({ length: faults }, () => FAULTS).flat());
  failing.respond = faultily(replies, random);
  await failing.open();
  await published;
  await trial.delivered(load.events);
  const behind = failing.taken.size;
  await trial.until(() => replies.length === 0);
  trial.notes.push(`when the healthy plugin had everything, the failing one had ${behind} events`);
  return await trial.conclude();
}

/** Every second answer is a fault as long as there are any left. */
function faultily(replies: Reply[], random: SeededRandom): Respond {
  return async () => {
    const fault = random.chance(0.5) ? replies.pop() : undefined;
    return fault ?? await wellAnswered();
  };
}

/** How long a plugin's events take, in milliseconds: medians of the rounds' medians, and of their ratios. */
export interface Latencies {
  readonly withoutMs: number;
  readonly besideMs: number;
  readonly ratio: number;
  /** Of each round, ascending. */
  readonly ratios: readonly number[];
}

/**
 * The latency of a plugin, from the broker's confirmation to the arrival at its receiver, beside a plugin that fails in every way and without it. One
 * right after the other, who comes first in turns, and each round by itself: what else the machine does changes from minute to minute.
 */
export async function compareLatency(
  { rounds, ...options }: ScenarioOptions & { readonly rounds: number },
): Promise<Latencies> {
  const without: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const load = { ...options.load, seed: options.load.seed + round };
    const runs = [
      async () => without.push(median(await latencies({ ...options, load, plugins: ["Healthy"] }))),
      async () => beside.push(median(await latencies({ ...options, load, plugins: ["Healthy", "Failing"] }))),
    ];
    for (const run of round % 2 === 0 ? runs : runs.reverse()) await run();
  }
  const ratios = beside.map((ms, round) => ms / (without[round] as number)).toSorted((a, b) => a - b);
  return { withoutMs: median(without), besideMs: median(beside), ratio: median(ratios), ratios };
}

/** Few enough messages that nothing queues up: a queue would be measured else. */
const PAUSE_MS = 10;

async function latencies(
  { rabbit, load, plugins }: ScenarioOptions & { readonly plugins: readonly string[] },
): Promise<number[]> {
  const retry = plugins.includes("Failing") ? RETRY : {};
  await using trial = await Trial.open({ title: "Latency", rabbit, load, plugins, retry });
  const [healthy, failing] = trial.witnesses as [Witness, Witness | undefined];
  healthy.respond = () => Promise.resolve(TAKEN);
  await healthy.open();
  if (failing !== undefined) {
    const random = new SeededRandom(load.seed);
    failing.respond = () => Promise.resolve(random.pick(FAULTS));
  }
  await trial.start();
  const half = Math.ceil(trial.steps.length / 2);
  for (const step of trial.steps.keys()) {
    if (step === half) await failing?.open();
    await trial.publishSome(1);
    await sleep(PAUSE_MS);
  }
  await trial.delivered(load.events);
  // The first ones come while everything is still being compiled.
  return trial.latencies(healthy).slice(Math.ceil(load.events / 5));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
