/** A JSON Schema (2020-12), of the few words that the API needs. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly const?: string | boolean | number;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly $ref?: string;
}

export const TEXT: Schema = { type: "string" };
export const NUMBER: Schema = { type: "number" };
export const WHOLE: Schema = { type: "integer" };
export const BOOL: Schema = { type: "boolean" };
/** Milliseconds since the epoch. */
export const TIME: Schema = { type: "number", description: "milliseconds since the epoch" };
/** Any JSON. */
export const ANY: Schema = {};

export function orNull(schema: Schema): Schema {
  return typeof schema.type === "string" && schema.enum === undefined
    ? { ...schema, type: [schema.type, "null"] }
    : { anyOf: [schema, { type: "null" }] };
}

export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

export function oneOf(values: readonly string[]): Schema {
  return { type: "string", enum: values };
}

export function mapOf(schema: Schema): Schema {
  return { type: "object", additionalProperties: schema };
}

/**
 * An object with the keys of `T`, without others: a key that is missing here is a type error.
 *
 * @param optional Keys that may be absent.
 */
export function objectOf<T>(
  properties: { readonly [Key in keyof Required<T>]: Schema },
  optional: readonly (keyof T & string)[] = [],
): Schema {
  const required = Object.keys(properties).filter((key) => !(optional as readonly string[]).includes(key));
  return { type: "object", properties, required, additionalProperties: false };
}

/** The first place at which a value is not as a schema says, in words; `null`: it is. */
export function mismatch(value: unknown, schema: Schema, path = "the body"): string | null {
  if (schema.anyOf !== undefined) {
    const found = schema.anyOf.map((one) => mismatch(value, one, path));
    return found.includes(null) ? null : found[0] ?? null;
  }
  if (schema.const !== undefined && value !== schema.const) return `${path} must be ${schema.const}`;
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    return `${path} must be one of ${schema.enum.join(", ")}`;
  }
  if (schema.type !== undefined && ![schema.type].flat().includes(typeOf(value, schema))) {
    return `${path} must be ${[schema.type].flat().join(" or ")}`;
  }
  if (typeof value === "string") return textMismatch(value, schema, path);
  if (typeof value === "number") return numberMismatch(value, schema, path);
  if (Array.isArray(value)) return listMismatch(value, schema, path);
  if (typeof value === "object" && value !== null) return objectMismatch(value, schema, path);
  return null;
}

function typeOf(value: unknown, { type }: Schema): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") {
    return [type].flat().includes("integer") && Number.isInteger(value) ? "integer" : "number";
  }
  return typeof value;
}

function textMismatch(value: string, { minLength = 0, maxLength = Infinity }: Schema, path: string): string | null {
  if (value.length < minLength) return `${path} must not be empty`;
  return value.length > maxLength ? `${path} must have at most ${maxLength} characters` : null;
}

function numberMismatch(
  value: number,
  { minimum = -Infinity, maximum = Infinity }: Schema,
  path: string,
): string | null {
  return value < minimum || value > maximum ? `${path} must be from ${minimum} to ${maximum}` : null;
}

function listMismatch(
  value: readonly unknown[],
  { items, minItems = 0, maxItems = Infinity }: Schema,
  path: string,
): string | null {
  if (value.length < minItems) return `${path} must have at least ${minItems}`;
  if (value.length > maxItems) return `${path} must have at most ${maxItems}`;
  return items === undefined ? null : firstOf(value, (one, index) => mismatch(one, items, `${path}[${index}]`));
}

function objectMismatch(value: object, schema: Schema, path: string): string | null {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `${path} lacks "${missing}"`;
  return firstOf(Object.entries(value), ([key, one]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known !== undefined) return mismatch(one, known, key);
    if (additionalProperties === false) return `${path} has a key that is not known`;
    return typeof additionalProperties === "object" ? mismatch(one, additionalProperties, key) : null;
  });
}

function firstOf<T>(list: readonly T[], find: (one: T, index: number) => string | null): string | null {
  for (const [index, one] of list.entries()) {
    const found = find(one, index);
    if (found !== null) return found;
  }
  return null;
}
