import { mismatch } from "./api_schema.ts";
import type { ApiRoute } from "./routes.ts";

/** The parameters of a request, checked; a text says what is wrong with them. */
export function readQuery(
  route: ApiRoute,
  given: {
    readonly query: Readonly<Record<string, readonly string[]>>;
    readonly path: Readonly<Record<string, string>>;
  },
): Readonly<Record<string, string | number>> | string {
  const parameters = route.query ?? {};
  const unknown = Object.keys(given.query).find((name) => parameters[name]?.in !== "query");
  if (unknown !== undefined) return `Cannot use the parameter ${JSON.stringify(unknown.slice(0, 40))}: unknown. ${SEE}`;
  const read: Record<string, string | number> = {};
  for (const [name, { schema, isRequired }] of Object.entries(parameters)) {
    const [text, ...others] = parameters[name]?.in === "path" ? [given.path[name]] : given.query[name] ?? [];
    if (others.length > 0) return `Cannot use the parameter ${name}: it is given twice. ${SEE}`;
    // The page's forms send what is not filled in as nothing.
    if (text === undefined || text === "") {
      if (isRequired) return `Cannot answer without the parameter ${name}. ${SEE}`;
      continue;
    }
    const value = schema.type === "integer" && /^-?\d{1,17}$/.test(text) ? Number(text) : text;
    const wrong = mismatch(value, schema, name);
    if (wrong !== null) return `Cannot use a parameter: ${wrong}. ${SEE}`;
    read[name] = value;
  }
  return read;
}

const SEE = "See /api/v1/openapi.json";
