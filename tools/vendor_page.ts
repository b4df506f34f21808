// Makes src/console/page/vendor/ from the npm packages of deno.json:
// deno run -A tools/vendor_page.ts. A browser resolves no bare specifiers, and the page has no
// build step: each file is the package's own module, with relative paths in its imports.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };

const TARGET = fileURLToPath(new URL("../src/console/page/vendor", import.meta.url));

type PackageName = keyof typeof project.imports;

/** A module of a package, and its name in `vendor/`. */
interface VendoredModule {
  readonly file: string;
  readonly package: PackageName;
  /** In the package. */
  readonly path: string;
  /** Of a package that has no minified module: the global that its script sets, and is exported. */
  readonly global?: string;
}

const MODULES: readonly VendoredModule[] = [
  { file: "preact.js", package: "preact", path: "dist/preact.mjs" },
  { file: "preact_hooks.js", package: "preact", path: "hooks/dist/hooks.mjs" },
  { file: "htm.js", package: "htm", path: "dist/htm.mjs" },
  { file: "signals_core.js", package: "@preact/signals-core", path: "dist/signals-core.mjs" },
  { file: "signals.js", package: "@preact/signals", path: "dist/signals.mjs" },
  { file: "uplot.js", package: "uplot", path: "dist/uPlot.iife.min.js", global: "uPlot" },
];

const STYLE = { file: "uplot.css", package: "uplot", path: "dist/uPlot.min.css" } as const;

/** What the packages import of each other. */
const SPECIFIERS: Readonly<Record<string, string>> = {
  "preact": "./preact.js",
  "preact/hooks": "./preact_hooks.js",
  "@preact/signals-core": "./signals_core.js",
};

/** The files of `vendor/`, by their names. */
export async function vendoredFiles(): Promise<ReadonlyMap<string, string>> {
  const packages = await downloaded();
  const read = (name: PackageName, path: string) => Deno.readTextFile(join(packages.get(name)!, path));
  const files = new Map<string, string>();
  for (const module of MODULES) {
    files.set(module.file, moduleText(module, await read(module.package, module.path)));
  }
  files.set(STYLE.file, `/* ${nameOf(STYLE.package)}, ${STYLE.path} */\n${await read(STYLE.package, STYLE.path)}\n`);
  const licences = await Promise.all(
    [...packages.keys()].map(async (name) => `${nameOf(name)}\n\n${(await read(name, "LICENSE")).trim()}\n`),
  );
  files.set("LICENSES.txt", licences.join(`\n${"-".repeat(80)}\n\n`));
  return files;
}

function moduleText({ package: name, path, global }: VendoredModule, text: string): string {
  const linked = text
    .replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "")
    .replace(/\bfrom"([^"]+)"/g, (_, specifier: string) => {
      const target = SPECIFIERS[specifier];
      if (target === undefined) throw new Error(`Cannot vendor ${nameOf(name)}: it imports "${specifier}"`);
      return `from"${target}"`;
    });
  const exported = global === undefined ? "" : `\nexport default ${global};`;
  return `// @ts-nocheck: ${nameOf(name)}, ${path}. Made by tools/vendor_page.ts.\n${linked.trim()}${exported}\n`;
}

/** As `preact@11.2.0`. */
function nameOf(name: PackageName): string {
  return project.imports[name].replace(/^npm:/, "");
}

/** Where Deno keeps each package, which it downloads if need be. */
async function downloaded(): Promise<ReadonlyMap<PackageName, string>> {
  const names = [...new Set(MODULES.map((module) => module.package))];
  await run("cache", "--quiet", ...names.map((name) => project.imports[name]));
  const { npmCache } = JSON.parse(await run("info", "--json")) as { npmCache: string };
  const registries = await Array.fromAsync(Deno.readDir(npmCache), ({ name }) => join(npmCache, name));
  return new Map(names.map((name) => {
    const [, folder, version] = /^(.+)@([^@]+)$/.exec(nameOf(name)) ?? [];
    const places = registries.map((registry) => join(registry, `${folder}`, `${version}`));
    const place = places.find((path) => isFolder(path));
    if (place === undefined) throw new Error(`Cannot find "${nameOf(name)}" in ${npmCache}`);
    return [name, place];
  }));
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

async function run(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdin: "null",
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  await Deno.mkdir(TARGET, { recursive: true });
  for (const [file, text] of await vendoredFiles()) await Deno.writeTextFile(join(TARGET, file), text);
}
