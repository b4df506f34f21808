// Side by side: all contenders in every round, in shuffled order, so that a busy moment of the
// machine affects all alike.
import { SeededRandom } from "../tests/support/random.ts";
import { progress } from "../tools/packages.ts";

/** What one contender did in one round. */
export interface Sample {
  /** The work that was done: only contenders with equal work are compared. */
  readonly work: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Does its work once; throws when it fails. A text says why a contender is not installed. */
export type Contender = (() => Promise<Sample>) | string;

/** A figure, or why there is none. */
export type Outcome = number | { readonly refused: string };

type Attempt = Sample | { readonly failed: string } | { readonly absent: string };

export interface ContestOptions {
  readonly name: string;
  readonly rounds: number;
}

/** Runs all rounds. A contender that fails takes part in the next round, but gets no figure. */
export async function contest<Name extends string>(
  { name, rounds }: ContestOptions,
  contenders: Readonly<Record<Name, Contender>>,
): Promise<Contest<Name>> {
  const random = new SeededRandom(rounds);
  const attempts = new Map<string, Attempt[]>(Object.keys(contenders).map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, run] of random.shuffled(Object.entries<Contender>(contenders))) {
      const start = performance.now();
      const came = await attempt(run);
      attempts.get(contender)?.push(came);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const how = "absent" in came ? came.absent : "failed" in came ? `failed: ${came.failed}` : `${seconds} s`;
      progress(`${name}: round ${round} of ${rounds}, ${contender}: ${how}`);
    }
  }
  return new Contest(attempts);
}

async function attempt(run: Contender): Promise<Attempt> {
  if (typeof run === "string") return { absent: run };
  try {
    return await run();
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

/** The results of all rounds. */
export class Contest<Name extends string> {
  readonly #attempts: ReadonlyMap<string, readonly Attempt[]>;

  constructor(attempts: ReadonlyMap<string, readonly Attempt[]>) {
    this.#attempts = attempts;
  }

  /** The median over the rounds. */
  median(name: Name, figure: string): Outcome {
    const values = this.#values(name, figure);
    return "refused" in values ? values : medianOf(values);
  }

  /**
   * The median of the rounds' ratios: the figure of one contender, divided by that of the other.
   */
  ratio(name: Name, peer: Name, figure: string): Outcome {
    const [own, others] = [this.#values(name, figure), this.#values(peer, figure)];
    if ("refused" in own) return own;
    if ("refused" in others) return others;
    const works = new Set([...this.#works(name), ...this.#works(peer)]);
    if (works.size > 1) return { refused: `other work than its peer: ${[...works].join(" against ")}` };
    return medianOf(own.map((value, round) => value / (others[round] ?? NaN)));
  }

  /** All figures of all rounds, for the JSON. */
  toJSON(): Record<string, readonly Attempt[]> {
    return Object.fromEntries(this.#attempts);
  }

  /** The figures of all rounds, or the failure of the first round without one. */
  #values(name: Name, figure: string): readonly number[] | { readonly refused: string } {
    const values: number[] = [];
    for (const [index, attempt] of (this.#attempts.get(name) ?? []).entries()) {
      const round = `round ${index + 1} of ${name}`;
      if ("absent" in attempt) return { refused: attempt.absent };
      if ("failed" in attempt) return { refused: `${round}: ${attempt.failed}` };
      const value = attempt.figures[figure] ?? NaN;
      if (Number.isNaN(value)) return { refused: `${round} gave no ${figure}` };
      values.push(value);
    }
    return values;
  }

  #works(name: Name): readonly string[] {
    return (this.#attempts.get(name) ?? []).flatMap((attempt) => "work" in attempt ? [attempt.work] : []);
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
