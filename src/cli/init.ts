import { dirname, join } from "node:path";
import { Command } from "commander";
import { UserError } from "../model/errors.ts";
import type { CommandContext } from "./context.ts";
import { writeFailure } from "./write_failure.ts";

/** Files of the program beside its code, and where `init` copies them. */
const COPIED: readonly { readonly from: string; readonly to: string }[] = [
  { from: "templates/config.ts", to: "config.ts" },
  { from: "templates/plugins/hello.ts", to: "plugins/hello.ts" },
  { from: "samples", to: "samples" },
];

/** Sources of `oss-watcher` and of the three below it, for editors and for tests of own plugins. */
const LIBRARY = [
  "mod.ts",
  "plugins",
  "src/model",
  "src/kit",
  "src/wire",
  "src/openstack",
  "src/testing",
  "src/dispatch/failure.ts",
  "src/dispatch/policy.ts",
];
const LIBRARY_DIR = ".oss-watcher";
/** The packages that these sources import. */
const LIBRARY_PACKAGES = [
  "@nats-io/jetstream",
  "@nats-io/nats-core",
  "@nats-io/nats-core/internal",
  "kafkajs",
  "kafkajs/request_queue",
  "ldapts",
  "nodemailer",
  "p-limit",
  "rabbitmq-client",
  "yaml",
];
/** Makes TypeScript, which knows neither Deno nor those packages, check the user's files only. */
const NOT_CHECKED = "// @ts-nocheck\n";

/** `init [DIR]`: writes a directory with a configuration that works, a plugin and samples. */
export function initCommand(context: CommandContext): Command {
  return new Command("init")
    .description("Write a directory that works at once: config.ts, a plugin, samples, and what an editor needs.")
    .argument("[dir]", "the directory; it is made if it is missing", ".")
    .addHelpText(
      "after",
      "\nExample:\n  oss-watcher init watcher\n  cd watcher\n  oss-watcher --dry-run samples/life.jsonl",
    )
    .action(async (dir: string) => {
      await refuseExisting(dir);
      for (const { from, to } of COPIED) await copy(from, join(dir, to));
      for (const part of LIBRARY) await copy(part, join(dir, LIBRARY_DIR, part), NOT_CHECKED);
      await writeJson(join(dir, "deno.json"), editorSettings(context.imports));
      await writeJson(join(dir, "tsconfig.json"), typescriptSettings(context.imports));
      context.terminal.print(nextSteps(dir));
    });
}

/** The URL of a file of the program, from its path in the repository. */
export function programFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}

async function refuseExisting(dir: string): Promise<void> {
  for (const file of ["config.ts", "deno.json", "tsconfig.json", "plugins/hello.ts"]) {
    const path = join(dir, file);
    const there = await Deno.stat(path).then(() => true, () => false);
    if (there) {
      throw new UserError(`Cannot write "${path}": it exists already. Name another directory, or move the file away`);
    }
  }
}

async function copy(from: string, to: string, heading = ""): Promise<void> {
  const source = programFile(from);
  if ((await Deno.stat(source)).isDirectory) {
    for await (const { name } of Deno.readDir(source)) await copy(`${from}/${name}`, join(to, name), heading);
    return;
  }
  try {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.writeTextFile(to, heading + await Deno.readTextFile(source));
  } catch (error) {
    throw new UserError(`Cannot write "${to}": ${whyUncopied(error)}`);
  }
}

/** Making a directory fails in its own way where a part of its path is a file. */
function whyUncopied(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "a part of its path is a file. Name another place";
  return writeFailure(error);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** For editors alone: the program resolves `oss-watcher` to its own modules. */
function editorSettings(imports: CommandContext["imports"]) {
  const packages = Object.entries(imports).filter(([name]) => LIBRARY_PACKAGES.includes(name));
  const own = Object.entries(imports).filter(([, target]) => target.startsWith("./"));
  return {
    imports: {
      ...Object.fromEntries(own.map(([name, target]) => [name, target.replace("./", `./${LIBRARY_DIR}/`)])),
      ...Object.fromEntries(packages),
    },
    compilerOptions: { strict: true },
    exclude: [LIBRARY_DIR],
  };
}

function typescriptSettings(imports: CommandContext["imports"]) {
  const own = Object.entries(imports).filter(([, target]) => target.startsWith("./"));
  return {
    compilerOptions: {
      target: "esnext",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["esnext", "dom"],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      paths: Object.fromEntries(own.map(([name, target]) => [name, [target.replace("./", `./${LIBRARY_DIR}/`)]])),
    },
    include: ["config.ts", "plugins"],
  };
}

function nextSteps(dir: string): string {
  return [
    `Wrote ${dir === "." ? "this directory" : dir}: config.ts, plugins/hello.ts, samples, and what an editor needs.`,
    "Next:",
    ...(dir === "." ? [] : [`  cd ${dir}`]),
    "  oss-watcher --dry-run samples/compute.instance.create.end.json",
    "  oss-watcher new plugin NAME",
  ].join("\n");
}
