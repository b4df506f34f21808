/** A mistake as a sentence; `keys` is its path from the checked value. */
export interface Finding {
  readonly keys?: readonly (string | number)[];
  readonly message: string;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A part of a JSON Schema (2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What must hold between the keys of an object, beyond each of them. With `jsonSchema`, the JSON
 * Schema of config.ts says the same; without it, only the findings do.
 */
export interface Rule {
  (value: Fields): Finding[];
  readonly jsonSchema?: JsonSchema;
}

/** Of two keys, one is of no use without the other. */
export function needs(key: string, other: string): Rule {
  return rule({ dependentRequired: { [key]: [other] } }, (value) => {
    return isGiven(value, key) && !isGiven(value, other) ? [{ keys: [key], message: `needs ${other}` }] : [];
  });
}

/** Certificates and keys come in pairs. */
export const PAIR_OF_FILES: readonly Rule[] = [needs("certFile", "keyFile"), needs("keyFile", "certFile")];

/** Keys of which one excludes the others. @param advice What to do, behind the names of those that are there. */
export function notBeside(key: string, others: readonly string[], advice: string): Rule {
  const not = { required: [key], anyOf: others.map((other) => ({ required: [other] })) };
  return rule({ not }, (value) => {
    const beside = others.filter((other) => isGiven(value, other));
    return !isGiven(value, key) || beside.length === 0
      ? []
      : [{ keys: [key], message: `stands beside ${beside.join(", ")}; ${advice}` }];
  });
}

/** At least one of these keys is there. */
export function oneNeeded(keys: readonly string[], message: string): Rule {
  return rule({ anyOf: keys.map((key) => ({ required: [key] })) }, (value) => {
    return keys.some((key) => isGiven(value, key)) ? [] : [{ message }];
  });
}

/** A rule of its own, with the JSON Schema of the same. */
export function rule(jsonSchema: JsonSchema, check: (value: Fields) => Finding[]): Rule {
  return Object.assign((value: Fields) => check(value), { jsonSchema });
}

function isGiven(value: Fields, key: string): boolean {
  return value[key] !== undefined;
}
