// Makes one executable of the program: deno task compile [--target TARGET] [--output FILE]
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PERMISSIONS } from "./permissions.ts";
import project from "../deno.json" with { type: "json" };

/**
 * Files in the executable beside the imports of main.ts: those that `init` and `new plugin` write,
 * and main.ts itself, which a reload starts as a worker.
 */
export const EMBEDDED: readonly string[] = ["mod.ts", "plugins", "src", "samples", "templates"];

/**
 * deno.json without `lazy-dynamic-imports`: with it a compiled program would lack the lazily
 * imported modules. Deno has no flag that takes a setting back.
 */
const SETTINGS: readonly string[] = [
  "--no-config",
  ...["--import-map", "deno.json", "--lock", "deno.lock"],
  ...project.unstable.filter((name) => name !== "lazy-dynamic-imports").map((name) => `--unstable-${name}`),
];

const TOP = fileURLToPath(new URL("..", import.meta.url));
const DEFAULT_OUTPUT = "dist/oss-watcher";

export interface Compilation {
  /** As `x86_64-unknown-linux-gnu`. @default this machine's */
  readonly target?: string;
  /** Relative to the current directory; on Windows `.exe` is added. @default dist/oss-watcher */
  readonly output?: string;
}

/** The arguments of `deno` that compile the program. Run them in the project's top directory. */
export function compileArguments({ target, output = DEFAULT_OUTPUT }: Compilation): readonly string[] {
  return [
    "compile",
    ...SETTINGS,
    "--frozen",
    // Leaves out npm packages of deno.lock that only tests import.
    "--exclude-unused-npm",
    ...PERMISSIONS,
    ...EMBEDDED.flatMap((path) => ["--include", path]),
    ...(target === undefined ? [] : ["--target", target]),
    "--output",
    output,
    "main.ts",
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { target: { type: "string" }, output: { type: "string" } },
  });
  Deno.chdir(TOP);
  await Deno.mkdir(dirname(values.output ?? DEFAULT_OUTPUT), { recursive: true });
  const { code } = await new Deno.Command(Deno.execPath(), { args: [...compileArguments(values)] }).spawn().status;
  Deno.exit(code);
}
