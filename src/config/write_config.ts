import { printable } from "../wire/escaping/printable.ts";
import {
  type Plan,
  type PlannedPlugin,
  type PlanObject,
  type PlanValue,
  Secret,
  secretsOf,
  type Unread,
} from "./plan.ts";

/**
 * Writes a plan as config.ts, formatted as by `deno fmt` for any line width: each item has a line
 * of its own.
 *
 * @param source What it was made from, for its first line.
 */
export function writeConfig(plan: Plan, source: string): string {
  const plugins = namedApart(plan.plugins);
  const { events = {}, ...others } = plan.sections;
  const top = { plan, path: "", indent: 1 };
  return [
    ...heading(plan, source),
    ...imports(plan, plugins),
    "",
    "export default {",
    ...property("events", events, top),
    "  plugins: [",
    ...plugins.flatMap((plugin) => construction(plugin, plan)),
    "  ],",
    ...properties(others, top),
    "} satisfies Config;",
    "",
  ].join("\n");
}

function heading(plan: Plan, source: string): string[] {
  const secrets = secretsOf(plan);
  const width = Math.max(...secrets.map(({ variable }) => variable.length));
  const lines = [
    `Written by oss-watcher migrate, from ${source}.`,
    ...(secrets.length === 0 ? [] : ["", "Set these variables, each to the value that stands there:"]),
    ...secrets.map(({ variable, place, part }) =>
      `  ${variable.padEnd(width)}  ${place}${part === null ? "" : ` (${part})`}`
    ),
    ...(plan.warnings.length === 0 ? [] : ["", "Look at these:"]),
    ...plan.warnings.map((warning) => `  ${warning}`),
    ...(plan.unread.length === 0 ? [] : ["", "Nothing reads these:"]),
    ...plan.unread.flatMap(unreadLines),
  ];
  // Text from the files must not end a comment and continue as code.
  return [...lines.map((line) => `// ${printable(line)}`.trimEnd()), ""];
}

function unreadLines({ place, assignment, advice }: Unread): string[] {
  return [`  ${place}: ${advice}`, ...(assignment === null ? [] : [`    ${assignment}`])];
}

interface NamedPlugin extends PlannedPlugin {
  /** What the file calls the class. */
  readonly localName: string;
}

/** Two modules may export classes of one name, or of a name that is taken. */
function namedApart(plugins: readonly PlannedPlugin[]): readonly NamedPlugin[] {
  const taken = new Set(["Config", "env"]);
  return plugins.map((plugin) => {
    let localName = plugin.className;
    for (let number = 2; taken.has(localName); number++) localName = `${plugin.className}${number}`;
    taken.add(localName);
    return { ...plugin, localName };
  });
}

function imports(plan: Plan, plugins: readonly NamedPlugin[]): string[] {
  const config = secretsOf(plan).length === 0 ? "import type { Config }" : "import { type Config, env }";
  const modules = [...Map.groupBy(plugins, ({ module }) => module)].sort(([a], [b]) =>
    byText(a.toLowerCase(), b.toLowerCase())
  );
  const own = modules.filter(([module]) => module.startsWith("./"));
  const builtIn = modules.filter(([module]) => !module.startsWith("./"));
  return [`${config} from "oss-watcher";`, ...[...builtIn, ...own].map(([module, of]) => importOf(module, of))];
}

function importOf(module: string, plugins: readonly NamedPlugin[]): string {
  const names = plugins
    .map(({ className, localName }) => className === localName ? className : `${className} as ${localName}`)
    .sort((a, b) => byText(a.toLowerCase(), b.toLowerCase()));
  return `import { ${names.join(", ")} } from ${quoted(module)};`;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function construction({ localName, className, options = {} }: NamedPlugin, plan: Plan): string[] {
  if (Object.keys(options).length === 0) return [`    new ${localName}(),`];
  return [`    new ${localName}({`, ...properties(options, { plan, path: `${className}.`, indent: 3 }), "    }),"];
}

interface Position {
  readonly plan: Plan;
  /** The keys that lead here, with a dot behind each. */
  readonly path: string;
  readonly indent: number;
}

function properties(object: PlanObject, position: Position): string[] {
  return Object.entries(object).flatMap(([key, value]) => property(key, value, position));
}

function property(key: string, value: PlanValue, { plan, path, indent }: Position): string[] {
  const margin = "  ".repeat(indent);
  const remark = plan.remarks.get(path + key);
  const comment = remark === undefined ? [] : [`${margin}// ${remark}`];
  const [first = "", ...more] = literal(value, { plan, path: `${path}${key}.`, indent });
  return [...comment, ...withComma([`${margin}${key}: ${first}`, ...more])];
}

function literal(value: PlanValue, position: Position): string[] {
  if (value instanceof Secret) return [`env(${quoted(value.variable)})`];
  if (typeof value === "string") return [quoted(value)];
  if (typeof value !== "object") return [String(value)];
  const inner = { ...position, indent: position.indent + 1 };
  const margin = "  ".repeat(position.indent);
  if (!isList(value)) return ["{", ...properties(value, inner), `${margin}}`];
  const items = value.flatMap((item) => {
    const [first = "", ...more] = literal(item, inner);
    return withComma([`${margin}  ${first}`, ...more]);
  });
  return items.length === 0 ? ["[]"] : ["[", ...items, `${margin}]`];
}

function isList(value: readonly PlanValue[] | PlanObject): value is readonly PlanValue[] {
  return Array.isArray(value);
}

function withComma(lines: readonly string[]): string[] {
  return lines.map((line, index) => index === lines.length - 1 ? `${line},` : line);
}

/**
 * In the quotes that need fewer escapes, preferably double ones; invisible characters are escaped.
 */
function quoted(text: string): string {
  const count = (quote: string) => text.split(quote).length;
  const quote = count('"') > count("'") ? "'" : '"';
  const inside = [...text].map((char) => {
    if (char === quote || char === "\\") return `\\${char}`;
    if (char === "\n") return "\\n";
    if (char === " " || !/[\p{C}\p{Z}]/u.test(char)) return char;
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `${quote}${inside.join("")}${quote}`;
}
