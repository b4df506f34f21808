// The dependency rules of docs/ARCHITECTURE.md: which part of the program may import which. Type
// imports count. Fails the build.
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A part of the program, and the parts that it may import beside itself. All other imports are
 * forbidden.
 */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "src/model": [],
  "src/wire": ["src/model"],
  "mod.ts": ["src/model", "src/wire"],
  // The tools that authors of plugins use. The built-in plugins have no more than that. Of
  // src/openstack it has a client of one service, which loads the login when it is used.
  "src/kit": ["src/wire", "src/openstack"],
  "plugins": ["mod.ts", "src/kit"],
  // What authors of plugins import to test them; nothing of the program does. What an error means
  // is dispatch's to say.
  "src/testing": ["mod.ts", "src/model", "src/wire", "src/dispatch"],
  // An address of RabbitMQ means the same to those who consume and to those who publish.
  "src/rabbitmq": ["src/model", "src/wire"],
  "src/intake": ["src/rabbitmq", "src/model", "src/wire"],
  "src/facts": ["src/model"],
  "src/reconcile": ["src/model", "src/facts"],
  "src/ledger": ["src/model"],
  "src/dispatch": ["src/model"],
  // Whatever leaves for a log is cleaned of secrets and of what a terminal would obey, by the same
  // code as elsewhere.
  "src/observe": ["src/model", "src/wire"],
  "src/openstack": ["src/model", "src/wire"],
  "src/detail": ["src/model", "src/openstack"],
  "src/config": ["src/model", "src/wire"],
  "src/runtime": [
    "src/model",
    "src/wire",
    "src/rabbitmq",
    "src/intake",
    "src/facts",
    "src/ledger",
    "src/dispatch",
    "src/observe",
    "src/openstack",
    "src/detail",
    "src/reconcile",
    "src/config",
  ],
  // What check, doctor, tail and record look at: a configuration, a broker, a cloud. The service
  // needs none of it.
  "src/inspect": [
    "src/runtime",
    "src/model",
    "src/wire",
    "src/rabbitmq",
    "src/intake",
    "src/facts",
    "src/ledger",
    "src/openstack",
    "src/config",
  ],
  // The pages for operators. What they look at and do is the runtime's and the ledger's.
  "src/console": [
    "src/runtime",
    "src/reconcile",
    "src/ledger",
    "src/dispatch",
    "src/config",
    "src/model",
    "src/wire",
  ],
  // Texts for a terminal need the escaping of wire; operators' commands need the ledger and the
  // log, not the stages.
  "src/cli": [
    "src/console",
    "src/runtime",
    "src/inspect",
    "src/reconcile",
    "src/config",
    "src/model",
    "src/wire",
    "src/ledger",
    "src/observe",
  ],
  "main.ts": ["src/cli", "deno.json", "config.ts", "plugins"],
  "config.ts": ["mod.ts", "plugins"],
};

/** Packages that one place alone may name, or a few, so that they can be replaced there. */
export const SINGLE_HOMES: Readonly<Record<string, string | readonly string[]>> = {
  // For publishing: what consumes has a leaner one of its own (src/rabbitmq/amqp/).
  "rabbitmq-client": "src/wire/amqp/amqp_link.ts",
  "@nats-io/jetstream": "src/wire/nats/nats_link.ts",
  "@nats-io/nats-core": "src/wire/nats/",
  "kafkajs": "src/wire/kafka/kafka_link.ts",
  "node:sqlite": "src/ledger/sqlite/database.ts",
  "postgres": "src/ledger/postgres/client.ts",
  "commander": "src/cli/",
  "hono": "src/console/",
  "valibot": "src/config/",
  "yaml": "src/openstack/clouds_yaml.ts",
};

/** One line of a file that breaks a rule. */
export interface Violation {
  readonly file: string;
  readonly imports: string;
  readonly why: string;
}

const IMPORT =
  /^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|^\s*import\s+["']([^"']+)["']/gm;
const ALIASES: Readonly<Record<string, string>> = {
  "oss-watcher": "mod.ts",
  "oss-watcher/plugins": "plugins/mod.ts",
  "oss-watcher/kit": "src/kit/mod.ts",
  "oss-watcher/testing": "src/testing/mod.ts",
};

/** The violations of one file, given its path from the top and its text. */
export function violationsOf(file: string, text: string): readonly Violation[] {
  const part = partOf(file);
  if (part === null) return [];
  return importsOf(text).flatMap((specifier) => {
    const target = targetOf(file, specifier);
    const why = target === null ? whyNotPackage(file, specifier) : whyNotPart(part, partOf(target) ?? target);
    return why === null ? [] : [{ file, imports: specifier, why }];
  });
}

/**
 * Files that import each other in a circle, type imports included: whoever reads one of them has to
 * read all.
 */
export function cyclesOf(files: ReadonlyMap<string, string>): readonly string[] {
  const edges = new Map([...files].map(([file, text]) => [
    file,
    importsOf(text).flatMap((specifier) => targetOf(file, specifier) ?? []).filter((target) => files.has(target)),
  ]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (path.includes(file) || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return cycles;
}

function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

function targetOf(file: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return normalize(join(dirname(file), specifier));
  return ALIASES[specifier] ?? null;
}

function partOf(file: string): string | null {
  if (file in ALLOWED) return file;
  return Object.keys(ALLOWED).find((part) => file.startsWith(`${part}/`)) ?? null;
}

function whyNotPart(part: string, target: string): string | null {
  if (part === target || ALLOWED[part]?.includes(target)) return null;
  return `${part} may import ${ALLOWED[part]?.join(", ") || "nothing"}`;
}

function whyNotPackage(file: string, specifier: string): string | null {
  if (/^(npm|jsr|https?):/.test(specifier)) return "packages are named in deno.json alone";
  const homes = [SINGLE_HOMES[specifier] ?? []].flat();
  const isHome = homes.length === 0 || homes.some((home) => file.startsWith(home));
  return isHome ? null : `only ${homes.join(" and ")} may name it`;
}

async function sources(top: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const place of ["mod.ts", "main.ts", "config.ts", "src", "plugins"]) {
    for (const path of await filesBelow(join(top, place))) {
      files.set(relative(top, path).replaceAll("\\", "/"), await Deno.readTextFile(path));
    }
  }
  return files;
}

async function filesBelow(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory || name.endsWith(".ts")) found.push(...await filesBelow(join(path, name)));
  }
  return found.sort();
}

if (import.meta.main) {
  const files = await sources(fileURLToPath(new URL("..", import.meta.url)));
  const violations = [...files].flatMap(([file, text]) => violationsOf(file, text));
  const complaints = [
    ...violations.map(({ file, imports, why }) => `${file} imports ${imports}: ${why}`),
    ...cyclesOf(files).map((cycle) => `a circle of imports: ${cycle}`),
  ];
  const text = complaints.length === 0
    ? `Dependencies are as docs/ARCHITECTURE.md says, ${files.size} files`
    : complaints.join("\n");
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  Deno.exit(complaints.length === 0 ? 0 : 1);
}
