import { isRecord } from "../model/is_record.ts";
import * as v from "valibot";
import { didYouMean } from "./closest.ts";
import type { Fields, Finding, JsonSchema, Rule } from "./rules.ts";

export type { Fields, Finding };

/** A schema for every key of `T`: a missing one is a type error. */
export type SchemasOf<T> = Record<keyof T, v.GenericSchema>;

/**
 * An object without unknown keys: a finding for each of them (valibot's own `strictObject` stops at
 * the first).
 */
export function strict(entries: Readonly<Record<string, v.GenericSchema>>, ...rules: readonly Rule[]) {
  const allowed = Object.keys(entries);
  const allOf = rules.flatMap(({ jsonSchema }) => jsonSchema === undefined ? [] : [jsonSchema]);
  return v.pipe(
    v.custom<Fields>(isRecord, `an object with ${allowed.join(", ")}`),
    v.looseObject(entries),
    findings((value) =>
      isRecord(value) ? [...unknownKeys(value, allowed), ...rules.flatMap((check) => check(value))] : []
    ),
    inJsonSchema({ additionalProperties: false, ...(allOf.length === 0 ? {} : { allOf }) }),
  );
}

/** Beside a check that is code: what the JSON Schema of config.ts says in its place. */
export function inJsonSchema<T>(jsonSchema: JsonSchema) {
  return v.metadata<T, { readonly jsonSchema: JsonSchema }>({ jsonSchema });
}

/** One of two schemas, chosen by a look at the value: its findings are then those of one of them. */
export function either(first: v.GenericSchema, second: v.GenericSchema, isFirst: (value: unknown) => boolean) {
  const chosen = v.lazy((value) => isFirst(value) ? first : second);
  return v.pipe(
    chosen,
    v.metadata<unknown, { readonly anyOf: readonly v.GenericSchema[] }>({ anyOf: [first, second] }),
  );
}

/** `false`, or what the schema says. */
export function orFalse(schema: v.GenericSchema) {
  return either(v.literal(false), schema, (value) => value === false);
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
  return either(list(schema, "one, or a list of at least one"), schema, Array.isArray);
}

/** An object with keys of its own; valibot takes a list for one. */
export function objectOf(schema: v.GenericSchema, allowed: string) {
  return v.pipe(v.custom<Fields>(isRecord, allowed), v.record(v.string(), schema, allowed));
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

function unknownKeys(value: Fields, allowed: readonly string[]): Finding[] {
  const free = allowed.filter((key) => value[key] === undefined);
  return Object.keys(value).filter((key) => !allowed.includes(key)).map((key) => ({
    keys: [key],
    message: `unknown key${didYouMean(key, free) || ";"} Allowed: ${allowed.join(", ")}`,
  }));
}
