import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import settings from "../typescript/deno.json" with { type: "json" };
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

/** How an editor's checker ended, and what it said of which file. */
interface Checked {
  readonly success: boolean;
  readonly said: string;
}

/** Apart from the program's packages: one of these takes TypeScript along where it is, which would be 30 MB of every binary. */
const TYPESCRIPT = fileURLToPath(new URL("../typescript/deno.json", import.meta.url));

/** The two ways in which editors check: TypeScript itself by tsconfig.json, Deno by deno.json. */
const CHECKERS: Readonly<Record<string, readonly string[]>> = {
  "TypeScript itself": [
    ...["run", "--quiet", "--allow-all", "--frozen", "--config", TYPESCRIPT],
    ...[`${settings.imports.typescript}/tsc`, "--project", "tsconfig.json", "--pretty", "false"],
  ],
  "Deno": ["check", "--quiet", "--no-lock"],
};

async function check(dir: ProgramDirectory, checker: string): Promise<Checked> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...CHECKERS[checker] ?? []],
    cwd: dir.path(),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { success, said: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
}

/** What `oss-watcher init` writes into an empty directory, with a plugin of the user's. */
async function initiated(): Promise<ProgramDirectory> {
  const dir = new ProgramDirectory({});
  for (const args of [["init"], ["new", "plugin", "cmdb-record"]]) {
    const { code, err } = await runProgram({ dir: dir.path(), args, permissions: READ_WRITE });
    assert.equal(code, 0, err);
  }
  return dir;
}

for (const checker of Object.keys(CHECKERS)) {
  Deno.test(`init writes what ${checker} checks without a finding, and in which it finds every planted mistake`, async () => {
    using dir = await initiated();
    dir.write(
      "config.ts",
      Deno.readTextFileSync(dir.path("config.ts"))
        .replace(`import { Hello }`, `import { CmdbRecord } from "./plugins/cmdb_record.ts";\nimport { Hello }`)
        .replace("new Hello(),", `new Hello(),\n    new CmdbRecord({ url: "https://cmdb.example.com/nodes" }),`),
    );
    assert.deepEqual(await check(dir, checker), { success: true, said: "" });

    plant(dir, "plugins/hello.ts", ["log.info(", "log.inform("]);
    plant(dir, "plugins/hello.ts", ["{ FQDN, IP }: Detail", "{ FQDN, IP, MAC: { length } }: Detail"]);
    plant(dir, "plugins/cmdb_record.ts", ["detail.ID", "detail.ID.length"]);
    plant(dir, "config.ts", ["queue: {", "qeue: {"]);
    plant(dir, "config.ts", ["new EventLog()", `new EventLog({ format: "xml" })`]);
    const { success, said } = await check(dir, checker);

    assert.equal(success, false);
    for (
      const mistake of [
        /Property 'inform' does not exist on type 'Logger'. Did you mean 'info'\?/,
        /Property 'length' does not exist on type 'string \| null'/,
        /'detail.ID' is possibly 'null'/,
        /'qeue' does not exist in type/,
        /Type '"xml"' is not assignable to type '[^']*"json" \| "text"/,
      ]
    ) assert.match(said, mistake);
    assert.doesNotMatch(said, /\.oss-watcher.*error|error.*\.oss-watcher/);
  });
}

Deno.test("init refuses to overwrite what is there", async () => {
  using dir = await initiated();
  const before = Deno.readTextFileSync(dir.path("config.ts"));
  const { code, err } = await runProgram({ dir: dir.path(), args: ["init"], permissions: READ_WRITE });
  assert.equal(code, 1);
  assert.match(err, /^Cannot write "config\.ts": it exists already\. Name another directory, or move the file away\n$/);
  assert.equal(Deno.readTextFileSync(dir.path("config.ts")), before);
});

/** Makes a mistake in a file. */
function plant(dir: ProgramDirectory, file: string, [right, wrong]: readonly [string, string]): void {
  const text = Deno.readTextFileSync(dir.path(file));
  assert.ok(text.includes(right), `${file} has no ${right}`);
  dir.write(file, text.replace(right, wrong));
}
