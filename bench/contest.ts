// Side by side: all contenders in every round, in shuffled order, so that a busy moment of the machine hits whoever is there.
import { SeededRandom } from "../tests/support/random.ts";
import { progress } from "../tools/packages.ts";

/** What one contender did in one round. */
export interface Sample {
  /** What was done, the same for all that may be compared. */
  readonly work: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Does its work once; throws when it could not. */
export type Contender = () => Promise<Sample>;

/** A figure, or why there is none. */
export type Outcome = number | { readonly refused: string };

type Attempt = Sample | { readonly failed: string };

export interface ContestOptions {
  readonly name: string;
  readonly rounds: number;
}

/** Runs all rounds. A contender that fails goes on in the next round, but no figure of it will be given. */
export async function contest<Name extends string>(
  { name, rounds }: ContestOptions,
  contenders: Readonly<Record<Name, Contender>>,
): Promise<Contest<Name>> {
  const random = new SeededRandom(rounds);
  const attempts = new Map<string, Attempt[]>(Object.keys(contenders).map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, run] of random.shuffled(Object.entries<Contender>(contenders))) {
      progress(`${name}: round ${round} of ${rounds}, ${contender}`);
      attempts.get(contender)?.push(await attempt(run));
    }
  }
  return new Contest(attempts);
}

async function attempt(run: Contender): Promise<Attempt> {
  try {
    return await run();
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error);
    progress(`failed: ${failed}`);
    return { failed };
  }
}

/** What came of all rounds. */
export class Contest<Name extends string> {
  readonly #attempts: ReadonlyMap<string, readonly Attempt[]>;

  constructor(attempts: ReadonlyMap<string, readonly Attempt[]>) {
    this.#attempts = attempts;
  }

  /** The median over the rounds. */
  median(name: Name, figure: string): Outcome {
    const samples = this.#samples(name);
    return "refused" in samples ? samples : medianOf(samples.map((sample) => valueOf(sample, figure)));
  }

  /** The median of what each round gives: its figure of one contender, divided by that of the other. */
  ratio(name: Name, peer: Name, figure: string): Outcome {
    const [own, others] = [this.#samples(name), this.#samples(peer)];
    if ("refused" in own) return own;
    if ("refused" in others) return others;
    const works = new Set([...own, ...others].map(({ work }) => work));
    if (works.size > 1) return { refused: `other work than its peer: ${[...works].join(" against ")}` };
    const ratios = own.map((sample, round) => valueOf(sample, figure) / valueOf(others[round] as Sample, figure));
    return medianOf(ratios);
  }

  /** All figures of all rounds, for the JSON. */
  toJSON(): Record<string, readonly Attempt[]> {
    return Object.fromEntries(this.#attempts);
  }

  #samples(name: Name): readonly Sample[] | { readonly refused: string } {
    const attempts = this.#attempts.get(name) ?? [];
    const failures = attempts.flatMap((one, index) =>
      "failed" in one ? [`round ${index + 1} of ${name}: ${one.failed}`] : []
    );
    return failures[0] === undefined ? attempts as readonly Sample[] : { refused: failures[0] };
  }
}

function valueOf({ figures }: Sample, figure: string): number {
  return figures[figure] ?? NaN;
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
