import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { runProgram as runHere } from "../../src/cli/program.ts";
import { type MadeConf, ossConf } from "../config/oss_conf.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";

const TOP = new URL("../../", import.meta.url);
const COUNT = 200;
const CONFS = fc.sample(ossConf, { numRuns: COUNT, seed: 2015 });
const SAMPLE = fileURLToPath(new URL("samples/life.jsonl", TOP));

let directory: ProgramDirectory;
const paths = CONFS.map((_, index) => `${index}`);
/** The variables that migrate told to set, by file. */
const variables: (readonly string[])[] = [];

Deno.test.beforeAll(async () => {
  directory = new ProgramDirectory({});
  for (const [index, conf] of CONFS.entries()) {
    directory.write(`${index}/oss.conf`, conf.text);
    for (const [file, text] of ownPlugins(conf)) directory.write(`${index}/${file}`, text);
    const { out, err, code } = await migrate(directory.path(`${index}`, "oss.conf"));
    assert.equal(code, 0, `${err}\n${conf.text}`);
    directory.write(`${index}/config.ts`, out);
    variables.push([...err.matchAll(/^To set: (\S+), /gm)].map(([, name]) => name as string));
    const secrets = Object.fromEntries(variables[index]!.map((name) => [name, secretOf(name, conf)]));
    directory.write(`${index}/variables.json`, JSON.stringify(secrets));
    for (const secret of Object.values(secrets).filter((one) => one.length > 6)) {
      assert.ok(!(out + err).includes(secret), `a secret is written: ${conf.text}`);
    }
  }
});

Deno.test.afterAll(() => directory[Symbol.dispose]());

Deno.test(`migrate writes config.ts files for ${COUNT} INI files in oslo.config's dialect that type-check`, async () => {
  const { success, err } = await deno(
    "check",
    "--quiet",
    "--config",
    fileURLToPath(new URL("deno.json", TOP)),
    ...files(),
  );
  assert.ok(success, err);
});

for (const width of ["80", "120"]) {
  Deno.test(`migrate writes config.ts files that deno fmt leaves alone, ${width} columns wide`, async () => {
    const { success, err } = await deno("fmt", "--check", "--no-config", "--line-width", width, ...files());
    assert.ok(success, err);
  });
}

Deno.test("migrate writes config.ts files that equal what --config-file reads, and both are what was meant", async () => {
  const imports = JSON.parse(await Deno.readTextFile(new URL("deno.json", TOP))).imports as Record<string, string>;
  const absolute = Object.entries(imports).map(([name, target]) =>
    [name, target.startsWith("./") ? new URL(target, TOP).href : target] as const
  );
  const recorded = new URL("../config/recorded_plugins.ts", import.meta.url).href;
  directory.write(
    "deno.json",
    JSON.stringify({ imports: { ...Object.fromEntries(absolute), "oss-watcher/plugins": recorded } }),
  );
  const main = fileURLToPath(new URL("../config/compare_loaded.ts", import.meta.url));
  const { success, out, err } = await deno(
    ...["run", "-A", "--quiet", "--no-lock", "--config", directory.path("deno.json"), main],
    ...paths.map((path) => directory.path(path)),
  );
  assert.ok(success, err);

  const read = JSON.parse(out) as { config: Record<string, unknown>; plugins: [string, unknown[] | null][] }[];
  assert.equal(read.length, COUNT);
  for (const [index, conf] of CONFS.entries()) {
    const { log } = conf.config as { log?: { file?: string } };
    const file = log?.file === undefined ? {} : { log: { ...log, file: directory.path(`${index}`, log.file) } };
    assert.deepEqual(read[index]?.config, { ...conf.config, ...file }, conf.text);
    const rest = conf.rest === null ? [] : [["RestNotify", [conf.rest]]];
    assert.deepEqual(
      read[index]?.plugins,
      [...rest, ...conf.own.map((name) => [name.split(".").at(-1), null])],
      conf.text,
    );
  }
});

Deno.test("a dry run with the migrated config.ts is that with the INI file", async () => {
  const both = CONFS.findIndex(({ rest, own }) => rest !== null && own.length > 0);
  const alone = CONFS.findIndex(({ own }) => own.length === 0);
  for (const index of [both, alone]) {
    const dir = directory.path(`${index}`);
    const env = JSON.parse(Deno.readTextFileSync(`${dir}/variables.json`));
    const [direct, migrated] = await Promise.all([
      runProgram({ dir, args: ["--config-file", "oss.conf", "--dry-run", SAMPLE] }),
      runProgram({ dir, args: ["--dry-run", SAMPLE], env }),
    ]);
    assert.deepEqual(migrated, direct);
    assert.equal(direct.code, 0, direct.err);
  }
});

function files(): string[] {
  return paths.map((path) => directory.path(path, "config.ts"));
}

function* ownPlugins({ own }: MadeConf): Iterable<[file: string, text: string]> {
  for (const [module, names] of Map.groupBy(own, (name) => name.slice(0, name.lastIndexOf(".")))) {
    const classes = names.map((name) =>
      `export class ${name.split(".").at(-1)} implements Plugin {\n  notify(): void {}\n}\n`
    );
    yield [
      `plugins/${module.replaceAll(".", "/")}.ts`,
      `import type { Plugin } from "oss-watcher";\n${classes.join("")}`,
    ];
  }
}

/** What the generator had put where a variable is named for. */
function secretOf(variable: string, { rest, config }: MadeConf): string {
  const [section = "", key = ""] = /^([A-Z]+)_(.*)$/.exec(variable)?.slice(1) ?? [];
  const options = section === "REST" ? rest : config[section.toLowerCase()] as Record<string, unknown>;
  const name = key.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return String(options?.[name]);
}

async function migrate(path: string): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ["", ""];
  const terminal = {
    print: (text: string) => void (out += `${text}\n`),
    error: (text: string) => void (err += `${text}\n`),
    readInput: () => Promise.resolve(new Uint8Array()),
  };
  const code = await runHere(["migrate", path], {
    version: "0",
    imports: {},
    terminal,
    builtInConfig: () => Promise.reject(new Error("not needed")),
    builtInPlugins: () => import("../../plugins/mod.ts"),
    stopSignal: () => AbortSignal.abort(),
    onReload: () => assert.fail(),
    newIsolate: () => assert.fail(),
  });
  return { code, out, err };
}

async function deno(...args: readonly string[]): Promise<{ success: boolean; out: string; err: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: fileURLToPath(TOP),
    env: { NO_COLOR: "1" },
  }).output();
  return { success, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}
