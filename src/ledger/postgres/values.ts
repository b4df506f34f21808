import type { Parameter } from "./client.ts";

/** Collects the values of a statement while its text is put together. */
export class Values {
  readonly #values: Parameter[] = [];

  get all(): readonly Parameter[] {
    return this.#values;
  }

  /** SQL: the place of a value, cast to a type. */
  text(value: string): string {
    return this.#add(value, "text");
  }

  number(value: number): string {
    return this.#add(value, "bigint");
  }

  /** SQL: an array of numbers. */
  numbers(values: readonly number[]): string {
    return `${this.#add(`{${values.join(",")}}`, "text")}::bigint[]`;
  }

  #add(value: Parameter, type: string): string {
    this.#values.push(value);
    return `$${this.#values.length}::${type}`;
  }
}
