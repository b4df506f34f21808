/**
 * The choices of one run, made beforehand: a run is repeated, and shortened, by its list of numbers. Zero is always the tamest choice, and what
 * comes after the end of the list.
 */
export class Choices {
  readonly #values: readonly number[];
  #used = 0;

  constructor(values: readonly number[]) {
    this.#values = values;
  }

  /** How many choices were asked for. */
  get used(): number {
    return this.#used;
  }

  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    return (this.#values[this.#used++] ?? 0) % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  pick<Value>(values: readonly Value[]): Value | undefined {
    return values.length === 0 ? undefined : values[this.below(values.length)];
  }

  /** One of the names, by their weights; the first one is the tamest. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [name, weight] of entries) {
      if (left < weight) return name;
      left -= weight;
    }
    throw new RangeError("No weights");
  }
}
