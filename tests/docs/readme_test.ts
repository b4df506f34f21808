import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

const SAMPLE = fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url));

Deno.test("the README's plugins are right to the letter and to the type, and show what they would send", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const [, plugins = ""] = /## The plugins\n[^]*?```ts\n([^]*?)```/.exec(readme) ?? [];
  const names = [...plugins.matchAll(/^new (\w+)\(/gm)].map(([, name]) => name);
  assert.ok(names.length >= 5);
  using dir = new ProgramDirectory({});
  assert.equal((await runProgram({ dir: dir.path(), args: ["init"], permissions: READ_WRITE })).code, 0);
  dir.write(
    "config.ts",
    `import { type Config, env } from "oss-watcher";
      import { ${names.join(", ")} } from "oss-watcher/plugins";
      export default {
        events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
        plugins: [${plugins}],
      } satisfies Config;`,
  );
  const env = { CMDB_TOKEN: "t0ken-of-cmdb", SMTP_PASSWORD: "hush-4711", EVENTS_URL: "amqps://a:hush-4711@b/c" };

  const { code, out, err } = await runProgram({ dir: dir.path(), args: ["--dry-run", SAMPLE], env });
  const checked = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--no-lock", "config.ts"],
    cwd: dir.path(),
    stdin: "null",
  }).output();

  assert.equal(code, 0, out + err);
  for (const name of names) assert.match(out, new RegExp(`^  ${name} would send$`, "m"));
  assert.doesNotMatch(out, /t0ken|hush/);
  assert.equal(new TextDecoder().decode(checked.stderr), "");
});
