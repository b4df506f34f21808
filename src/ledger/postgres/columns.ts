/**
 * Rows as texts, a text per column, for `unnest(string_to_array($1, E'\\x1e', E'\\x1d'), …)`: a
 * third of the processor time of arrays. JSON has no control characters.
 */
export const SEPARATOR = "\x1e";
const NULL = "\x1d";

/** SQL: the arrays of parameters `first` and following, one per column. */
export function unnested(first: number, types: readonly string[]): string {
  const columns = types.map((type, index) => {
    const column = `string_to_array($${first + index}::text, E'\\x1e', E'\\x1d')`;
    return type === "text" ? column : `${column}::${type}[]`;
  });
  return `unnest(${columns.join(", ")})`;
}

/** One column of rows. An empty one has no rows. */
export class Column {
  #texts: string[] = [];

  /**
   * @param value Text without control characters: JSON, or the result of {@linkcode plain}. An empty
   * text may come out as NULL.
   */
  add(value: string | number | boolean | null): void {
    this.#texts.push(value === null ? NULL : String(value));
  }

  get text(): string {
    return this.#texts.join(SEPARATOR);
  }
}

/** Columns of rows that are added together. */
export class Columns {
  readonly #columns: readonly Column[];
  #size = 0;

  constructor(count: number) {
    this.#columns = Array.from({ length: count }, () => new Column());
  }

  get size(): number {
    return this.#size;
  }

  add(...values: readonly (string | number | boolean | null)[]): void {
    this.#size++;
    values.forEach((value, index) => this.#columns[index]!.add(value));
  }

  get texts(): readonly string[] {
    return this.#columns.map(({ text }) => text);
  }
}

// deno-lint-ignore no-control-regex -- these are what it is about
const UNUSUAL = /[\x00-\x1f\x7f\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Most texts are of other characters alone, and this is told at once. */
const MAY_BE_UNUSUAL = /[^ -[\]-~]/;

/**
 * A text that strangers wrote, as it is stored: without control characters, which PostgreSQL or our
 * separators do not allow. Different texts stay different.
 */
export function plain(text: string): string {
  if (!MAY_BE_UNUSUAL.test(text)) return text;
  return text.replace(
    UNUSUAL,
    (unit) => unit === "\\" ? "\\\\" : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The text that was stored by {@linkcode plain}. */
export function original(stored: string): string {
  return stored.includes("\\")
    ? stored.replace(
      /\\(\\|u([0-9a-f]{4}))/g,
      (_, all, hex) => hex === undefined ? all : String.fromCharCode(Number.parseInt(hex, 16)),
    )
    : stored;
}

/** SQL's text of an array of numbers. */
export function arrayOf(numbers: readonly number[]): string {
  return `{${numbers.join(",")}}`;
}

/** The numbers of an array that PostgreSQL gave as text. */
export function numbersOf(array: unknown): readonly number[] {
  const inner = String(array).slice(1, -1);
  return inner === "" ? [] : inner.split(",").map(Number);
}
