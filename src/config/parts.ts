import * as v from "valibot";
import { didYouMean } from "./closest.ts";

/** A mistake as a sentence; `keys` is its path from the checked value. */
export interface Finding {
  readonly keys?: readonly (string | number)[];
  readonly message: string;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A schema for every key of `T`: a missing one is a type error. */
export type SchemasOf<T> = Record<keyof T, v.GenericSchema>;

/**
 * An object without unknown keys: a finding for each of them (valibot's own `strictObject` stops at
 * the first).
 */
export function strict(
  entries: Readonly<Record<string, v.GenericSchema>>,
  check: (value: Fields) => Finding[] = () => [],
) {
  const allowed = Object.keys(entries);
  return v.pipe(
    v.custom<Fields>(isRecord, `an object with ${allowed.join(", ")}`),
    v.looseObject(entries),
    findings((value) => isRecord(value) ? [...unknownKeys(value, allowed), ...check(value)] : []),
  );
}

/** A check with texts of its own. It also runs on values in which other mistakes were found. */
export function findings<T>(check: (value: unknown) => Finding[]) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    const input: unknown = dataset.value;
    for (const { keys = [], message } of check(input)) {
      const path = keys.map((key) => ({ type: "unknown", origin: "value", input, key, value: undefined }) as const);
      const [first, ...rest] = path;
      addIssue(first === undefined ? { message } : { message, path: [first, ...rest] });
    }
  });
}

/** One, or a list of at least one. */
export function oneOrMore(schema: v.GenericSchema) {
  const many = list(schema, "one, or a list of at least one");
  return v.lazy((input) => Array.isArray(input) ? many : schema);
}

export function list(schema: v.GenericSchema, allowed: string) {
  return v.pipe(v.array(schema, allowed), v.nonEmpty(allowed));
}

export function text(allowed = "a string that is not empty", pattern = /[^]/) {
  return v.pipe(v.string(allowed), v.regex(pattern, allowed));
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const allowed = `a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`}`;
  return v.pipe(v.number(allowed), v.integer(allowed), v.minValue(min, allowed), v.maxValue(max, allowed));
}

/** A number that may be fractional: seconds, hours, days. */
export function quantity(max: number) {
  const allowed = `a number above 0, at most ${max}`;
  return v.pipe(v.number(allowed), v.gtValue(0, allowed), v.maxValue(max, allowed));
}

/** The same, or 0. */
export function numberFromZero(max: number) {
  const allowed = `a number from 0 to ${max}`;
  return v.pipe(v.number(allowed), v.minValue(0, allowed), v.maxValue(max, allowed));
}

export function bool() {
  return v.boolean("true or false");
}

/** Certificates and keys come in pairs. */
export function pairOfFiles({ certFile, keyFile }: Fields): Finding[] {
  if (certFile !== undefined && keyFile === undefined) return [{ keys: ["certFile"], message: "needs keyFile" }];
  if (keyFile !== undefined && certFile === undefined) return [{ keys: ["keyFile"], message: "needs certFile" }];
  return [];
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownKeys(value: Fields, allowed: readonly string[]): Finding[] {
  const free = allowed.filter((key) => value[key] === undefined);
  return Object.keys(value).filter((key) => !allowed.includes(key)).map((key) => ({
    keys: [key],
    message: `unknown key${didYouMean(key, free) || ";"} Allowed: ${allowed.join(", ")}`,
  }));
}
