import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

const SAMPLE = fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url));

const CONFIGURATION = await Deno.readTextFile(new URL("../../docs/CONFIGURATION.md", import.meta.url));
const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

Deno.test("docs/CONFIGURATION.md's plugins are right to the letter and to the type, and show what they would send", async () => {
  const [, plugins = ""] = /## The plugins\n[^]*?```ts\n([^]*?)```/.exec(CONFIGURATION) ?? [];
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
  const tokens = { CMDB_TOKEN: "t0ken-of-cmdb", NETBOX_TOKEN: "t0ken-of-netbox" };
  const env = {
    ...tokens,
    SMTP_PASSWORD: "hush-4711",
    EVENTS_URL: "amqps://a:hush-4711@b/c",
    KAFKA_PASSWORD: "hush-4711",
    CHAT_URL: "https://chat.example.com/hush-4711",
  };

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

for (const [document, text] of [["README.md", README], ["docs/CONFIGURATION.md", CONFIGURATION]] as const) {
  Deno.test(`the config.ts of ${document} works as it is`, async () => {
    const [, config = ""] = /```ts\n(import [^`]*?satisfies Config;\n)```/.exec(text) ?? [];
    assert.notEqual(config, "");
    using dir = new ProgramDirectory({});
    assert.equal((await runProgram({ dir: dir.path(), args: ["init"], permissions: READ_WRITE })).code, 0);
    dir.write("config.ts", config);
    const { code, out, err } = await runProgram({ dir: dir.path(), args: ["--dry-run", SAMPLE] });
    assert.equal(code, 0, out + err);
    assert.match(out, /^ {2}RestNotify would send\n {4}POST https:\/\/cmdb\.example\.com/m);
  });
}

Deno.test("the README lists every plugin", async () => {
  const plugins = await Deno.readTextFile(new URL("../../plugins/mod.ts", import.meta.url));
  const exported = [...plugins.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names = ""]) => names.split(","));
  // DnsPlugin is what three of them share.
  const classes = exported.map((name) => name.trim()).filter((name) => /^(?!DnsPlugin$)[A-Z]\w+$/.test(name));
  assert.ok(classes.length >= 10);
  for (const name of classes) {
    assert.match(README, new RegExp(`^\\| (?:\`\\w+\`, )*\`${name}\`(?:, \`\\w+\`)* \\|`, "m"));
  }
});
