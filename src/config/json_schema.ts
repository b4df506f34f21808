import type { JsonSchema } from "./rules.ts";
import { configSchema } from "./schema.ts";

/** A schema, or a check in its pipe, with whatever of valibot's properties it has. */
interface Node {
  readonly kind: string;
  readonly type: string;
  readonly message?: unknown;
  readonly requirement?: unknown;
  readonly pipe?: readonly Node[];
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly value?: Node;
  readonly literal?: unknown;
  readonly options?: readonly unknown[];
  readonly entries?: Readonly<Record<string, Node>>;
  readonly metadata?: { readonly jsonSchema?: JsonSchema; readonly anyOf?: readonly Node[] };
}

/**
 * The JSON Schema (2020-12) of what config.ts exports, made from the schema that it is checked with.
 * It accepts whatever that accepts, as JSON: plugins and functions are more than JSON can say. What
 * two sections say together is left to `check`.
 */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "oss-watcher's config.ts, as JSON",
    ...schemaOf(configSchema as unknown as Node),
  };
}

function schemaOf(node: Node): JsonSchema {
  const parts = node.pipe ?? [node];
  // A pipe may begin with one.
  const all = parts.map((part) => part !== node && part.pipe !== undefined ? schemaOf(part) : partOf(part));
  return Object.assign({}, ...all);
}

/** What one part of a pipe adds. */
function partOf(part: Node): JsonSchema {
  if (part.metadata?.anyOf !== undefined) return { anyOf: part.metadata.anyOf.map(schemaOf) };
  if (part.metadata?.jsonSchema !== undefined) return part.metadata.jsonSchema;
  const make = PARTS[part.type];
  if (make === undefined) throw new TypeError(`PARTS has no row for ${part.kind} "${part.type}"`);
  return { ...make(part), ...description(part) };
}

/** The words of findings: what is allowed. */
function description({ kind, message }: Node): JsonSchema {
  return kind === "schema" && typeof message === "string" ? { description: message } : {};
}

const PARTS: Readonly<Record<string, (part: Node) => JsonSchema>> = {
  string: () => ({ type: "string" }),
  number: () => ({ type: "number" }),
  boolean: () => ({ type: "boolean" }),
  literal: ({ literal }) => ({ const: literal }),
  picklist: ({ options }) => ({ enum: options }),
  array: ({ item }) => ({ type: "array", items: schemaOf(item!) }),
  record: ({ value }) => ({ type: "object", additionalProperties: schemaOf(value!) }),
  loose_object: ({ entries = {} }) => {
    const required = Object.entries(entries).filter(([, entry]) => entry.type !== "optional").map(([key]) => key);
    const properties = Object.entries(entries).map(([key, entry]) => [key, schemaOf(entry)]);
    return {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length === 0 ? {} : { required }),
    };
  },
  optional: ({ wrapped }) => schemaOf(wrapped!),
  integer: () => ({ type: "integer" }),
  min_value: ({ requirement }) => ({ minimum: requirement }),
  max_value: ({ requirement }) => ({ maximum: requirement }),
  gt_value: ({ requirement }) => ({ exclusiveMinimum: requirement }),
  non_empty: () => ({ minItems: 1 }),
  // "[^]" is any character; other languages do not know it.
  regex: ({ requirement }) => {
    const { source } = requirement as RegExp;
    return source === "[^]" ? { minLength: 1 } : { pattern: source };
  },
  // Whatever they allow: code says it, and what a JSON Schema can say of it stands beside them.
  unknown: () => ({}),
  custom: () => ({}),
  function: () => ({}),
  lazy: () => ({}),
  check: () => ({}),
  raw_check: () => ({}),
};
