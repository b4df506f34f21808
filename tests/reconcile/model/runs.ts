import { SeededRandom } from "../../support/random.ts";
import { type Outcome, Run } from "./run.ts";

/** Choices of one run: more than most need; those that are missing are zero, so that the run ends quietly. */
const MAX_CHOICES = 300;
const MAX_CHOICE = 10_000;
/** Attempts at shortening a history that has failed. */
const MAX_ATTEMPTS = 3000;

export interface Failure {
  readonly seed: number;
  readonly error: Error;
  readonly choices: readonly number[];
  readonly log: readonly string[];
}

/** Plays runs from a seed on, one per seed. The first that fails is returned, in its shortest form. */
export async function playRuns(
  { from, count, isShortened = true }: {
    readonly from: number;
    readonly count: number;
    readonly isShortened?: boolean;
  },
): Promise<{ readonly failure: Failure | null; readonly outcomes: readonly Outcome[] }> {
  const outcomes: Outcome[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const choices = choicesOf(seed);
    const played = await play(choices);
    if ("error" in played) {
      const shortest = isShortened ? await shorten(choices) : choices;
      const { error, log } = await play(shortest) as Failed;
      return { failure: { seed, error, choices: shortest, log }, outcomes };
    }
    outcomes.push(played);
  }
  return { failure: null, outcomes };
}

/** A failure in words: how to repeat it, and what happened. */
export function describe({ seed, error, choices, log }: Failure): string {
  return [`Seed ${seed}: ${error.stack}`, ...log, `Choices: ${JSON.stringify(choices)}`].join("\n");
}

interface Failed {
  readonly error: Error;
  readonly log: readonly string[];
}

async function play(choices: readonly number[]): Promise<Outcome | Failed> {
  const run = new Run(choices);
  try {
    return await run.play();
  } catch (error) {
    return { error: error as Error, log: run.log };
  }
}

function choicesOf(seed: number): readonly number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: random.below(MAX_CHOICES) }, () => random.below(MAX_CHOICE));
}

/** Leaves out stretches of choices, and makes them zero, as long as the run still fails. */
async function shorten(choices: readonly number[]): Promise<readonly number[]> {
  let [shortest, attempts] = [choices, 0];
  for (let size = Math.ceil(choices.length / 2); size > 0 && attempts < MAX_ATTEMPTS;) {
    const before = shortest;
    for (let at = 0; at < shortest.length && attempts < MAX_ATTEMPTS; at += size) {
      const [head, rest] = [shortest.slice(0, at), shortest.slice(at + size)];
      const zeros = shortest.slice(at, at + size).map(() => 0);
      for (const shorter of [[...head, ...rest], [...head, ...zeros, ...rest]]) {
        if (shorter.every((choice, index) => choice === shortest[index]) && shorter.length === shortest.length) {
          continue;
        }
        attempts++;
        if (!("error" in await play(shorter))) continue;
        shortest = shorter;
        break;
      }
    }
    if (size > 1 || before === shortest) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  return shortest;
}
