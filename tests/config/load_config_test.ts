import assert from "node:assert/strict";
import { loadConfig, type LoadOptions } from "../../src/config/load_config.ts";
import { ConfigError, UserError } from "../../src/model/errors.ts";
import { TestDirectory } from "./directory.ts";

const EVENTS = `{ creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] }`;
const GOOD = `export default { events: ${EVENTS}, plugins: [{ name: "mine", notify() {} }] };`;
const PLUGIN_TEXT = `import type { Plugin } from "oss-watcher";
export class Mine implements Plugin {
  notify(): void {}
}
`;

/** Loads from a directory, far from this machine's own configuration. */
function load(directory: TestDirectory, options: Partial<LoadOptions> = {}) {
  const fallback = () => import("../../config.ts");
  return loadConfig({ cwd: directory.path, systemPath: directory.file("etc/config.ts"), fallback, ...options });
}

async function failure(loading: Promise<unknown>): Promise<UserError> {
  const error = await loading.then(() => assert.fail("it was loaded"), (error: unknown) => error);
  assert(error instanceof UserError, String(error));
  assert.doesNotMatch(error.message, /^\s+at /m);
  return error;
}

Deno.test("loadConfig() takes the file that path names, relative to cwd", async () => {
  await using directory = new TestDirectory({ "config.ts": "throw 1", "other/mine.ts": GOOD });

  const loaded = await load(directory, { path: "other/mine.ts" });

  assert.equal(loaded.path, directory.file("other/mine.ts"));
  assert.deepEqual(loaded.pluginNames, ["mine"]);
  assert.deepEqual(loaded.config.events.creation, ["compute.instance.create.end"]);
});

Deno.test("loadConfig() takes ./config.ts rather than the system's", async () => {
  await using directory = new TestDirectory({ "config.ts": GOOD, "etc/config.ts": "throw 1" });

  assert.equal((await load(directory)).path, directory.file("config.ts"));
});

Deno.test("loadConfig() takes the system's when there is no other", async () => {
  await using directory = new TestDirectory({ "etc/config.ts": GOOD });

  assert.equal((await load(directory)).path, directory.file("etc/config.ts"));
});

Deno.test("loadConfig() takes the one that is compiled in when there is no file", async () => {
  await using directory = new TestDirectory({});

  const loaded = await load(directory);

  assert.deepEqual([loaded.path, loaded.pluginNames], [null, ["EventLog"]]);
});

Deno.test("loadConfig() refuses a pipe, as of a shell's <(…)", async () => {
  await using directory = new TestDirectory({});
  const { code } = await new Deno.Command("mkfifo", { args: [directory.file("pipe")] }).output();
  assert.equal(code, 0);

  await assert.rejects(load(directory, { path: "pipe" }), {
    message: `Cannot read the configuration "${directory.file("pipe")}": it is a pipe or a device. Write it to a file`,
  });
});

Deno.test("loadConfig() finds a file whose name needs escapes in a URL", async () => {
  await using directory = new TestDirectory({ "a b#%20ü.ts": GOOD });

  assert.equal((await load(directory, { path: "a b#%20ü.ts" })).path, directory.file("a b#%20ü.ts"));
});

Deno.test("loadConfig() takes named exports when there is no default export", async () => {
  const text = `export const events = ${EVENTS}; export const plugins = [{ name: "named", notify() {} }];`;
  await using directory = new TestDirectory({ "config.ts": text });

  assert.deepEqual((await load(directory)).pluginNames, ["named"]);
});

Deno.test("loadConfig() takes the default export when named ones say the same", async () => {
  const text = `
    export const events = ${EVENTS};
    export const plugins = [{ name: "same", notify() {} }];
    export const helper = 1;
    export default { events: { ...events }, plugins };`;
  await using directory = new TestDirectory({ "config.ts": text });

  assert.deepEqual((await load(directory)).pluginNames, ["same"]);
});

Deno.test("loadConfig() names exports that contradict the default export", async () => {
  const text = `
    export const events = { creation: [], deletion: [] };
    export const plugins = [{ name: "one", notify() {} }];
    export default { events: ${EVENTS}, plugins: [{ ...plugins[0] }] };`;
  await using directory = new TestDirectory({ "config.ts": text });

  const error = await failure(load(directory));

  assert(error instanceof ConfigError);
  assert.deepEqual(error.findings, [
    `events: the export "events" and the default export's "events" differ; write "events," in the default export`,
    `plugins: the export "plugins" and the default export's "plugins" differ; write "plugins," in the default export`,
  ]);
});

Deno.test("loadConfig() says what to write when nothing is exported", async () => {
  await using directory = new TestDirectory({ "config.ts": "const config = {};" });

  assert.equal(
    (await failure(load(directory))).message,
    `Cannot use the configuration "${directory.file("config.ts")}":\n` +
      "  the default export: missing; end the file with: export default { events, plugins, … } satisfies Config;",
  );
});

Deno.test("loadConfig() names every mistake at once", async () => {
  const text = `export default { events: { creation: ["x"], deletion: [] }, plugins: [], rabit: 1 };`;
  await using directory = new TestDirectory({ "config.ts": text });

  const error = await failure(load(directory));

  assert(error instanceof ConfigError);
  assert.deepEqual(error.findings.map((finding) => finding.split(":")[0]).sort(), [
    "events.creation[0]",
    "plugins",
    "rabit",
  ]);
});

Deno.test("loadConfig() names everything that a plugin's constructor finds wrong", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `anOptionThatIsUnknown${at}`);
  const text = `import { RestNotify } from "oss-watcher/plugins";
    export default { events: ${EVENTS}, plugins: [new RestNotify({ ${
    names.map((name) => `${name}: 1`).join(", ")
  } })] };`;
  await using directory = new TestDirectory({ "config.ts": text });

  const { message } = await failure(load(directory));

  assert.match(message, /Cannot make RestNotify: /);
  for (const name of ["urlCreation", "urlDeletion", ...names]) assert.ok(message.includes(`${name}: `), message);
});

Deno.test("loadConfig() refuses a path where there is no file", async () => {
  await using directory = new TestDirectory({ "config.ts": GOOD });

  for (const path of ["absent.ts", "config.ts/x.ts"]) {
    assert.equal(
      (await failure(load(directory, { path }))).message,
      `Cannot read the configuration "${
        directory.file(path)
      }": there is no such file. Put it there, or name another with --config`,
    );
  }
});

Deno.test("loadConfig() does not pass over a ./config.ts that it cannot read", async () => {
  await using directory = new TestDirectory({ "config.ts/file": "", "etc/config.ts": GOOD });

  assert.match(
    (await failure(load(directory))).message,
    /^Cannot read the configuration ".*config\.ts": it is a directory$/,
  );
});

for (
  const [what, files, state] of [
    [
      "a comma is missing",
      { "config.ts": `export default {\n  a: 1\n  b: 2,\n};` },
      "config.ts:3:3: Syntax error: Expected ','",
    ],
    [
      "a colon is missing before a secret",
      { "config.ts": `export default { password "s3cret" };` },
      "config.ts:1:27: Syntax error: Unexpected token",
    ],
    [
      "a quote is missing before a secret",
      { "config.ts": `export default { password: x s3cret };` },
      "config.ts:1:30: Syntax error: Expected ','",
    ],
    ["it is not text", { "config.ts": "\0" }, "config.ts:1:1: Syntax error: Unexpected character '\\0'"],
    [
      "a file that it imports is broken",
      { "config.ts": `import "./a.ts";`, "a.ts": "const a = ;" },
      "a.ts:1:11: Syntax error: Expression expected",
    ],
    [
      "a file that it imports is missing",
      { "config.ts": `import "./a.ts";` },
      `config.ts:1:8: Module not found "file://DIR/a.ts".`,
    ],
    [
      "a package that it imports is unknown",
      { "config.ts": `import "nothing";` },
      `config.ts:1:8: Import "nothing" not a dependency and not in import map from "file://DIR/config.ts"`,
    ],
    [
      "it imports what is not exported",
      { "config.ts": `import { nope } from "oss-watcher"; nope();` },
      "config.ts:1:10: The requested module 'oss-watcher' does not provide an export named 'nope'",
    ],
    ["it throws", { "config.ts": `\nthrow new Error("no\\nway");` }, "config.ts:2:7: no"],
    [
      "a file that it imports throws",
      { "config.ts": `import "./a.ts";`, "a.ts": "null.x;" },
      "Cannot read properties of null (reading 'x')",
    ],
    ["it throws a text", { "config.ts": `throw "no";` }, "no"],
    [
      "a variable is not set",
      { "config.ts": `import { env } from "oss-watcher";\nenv("OSS_WATCHER_NOT_SET");` },
      `config.ts:2:1: Cannot read "OSS_WATCHER_NOT_SET" from the environment: it is not set. Set it, or edit config.ts`,
    ],
    ["a plugin refuses its options", {
      "config.ts": `import { EventLog } from "oss-watcher/plugins";\nnew EventLog({ file: "" });`,
    }, "config.ts:2:1: Cannot make EventLog: file: must be a text that is not empty"],
  ] as const
) {
  Deno.test(`loadConfig() says where and why in one line when ${what}`, async () => {
    await using directory = new TestDirectory(files);

    const { message } = await failure(load(directory));

    const start = `Cannot load the configuration "${directory.file("config.ts")}": `;
    const place = /^\w+\.ts:/.test(state) ? `${directory.path}/` : "";
    assert.equal(message, start + place + state.replace("DIR", directory.path));
  });
}

Deno.test("loadConfig() says so when the configuration that is compiled in throws", async () => {
  await using directory = new TestDirectory({});
  const fallback = () => Promise.reject(new UserError("Cannot read it"));

  assert.equal(
    (await failure(load(directory, { fallback }))).message,
    "Cannot load the configuration that is compiled in: Cannot read it",
  );
});

Deno.test("loadConfig() maps oss-watcher for a config elsewhere, with a plugin and a deno.json beside it", async () => {
  const config = `
    import { type Config, env } from "oss-watcher";
    import { EventLog } from "oss-watcher/plugins";
    import { Mine } from "./plugins/mine.ts";
    export default {
      events: ${EVENTS},
      plugins: [new EventLog({ file: env("NOT_SET", "x") }), new Mine()],
    } satisfies Config;`;
  await using directory = new TestDirectory({
    "deno.json": `{ "imports": { "oss-watcher": "./nothing.ts" } }`,
    "config.ts": config,
    "plugins/mine.ts": PLUGIN_TEXT,
    "elsewhere/file": "",
  });
  const main = new URL("print_config.ts", import.meta.url).pathname;
  for (const [cwd, args] of [[directory.path, []], [directory.file("elsewhere"), ["../config.ts"]]] as const) {
    const command = new Deno.Command(Deno.execPath(), { cwd, args: ["run", "-A", main, ...args] });

    const { stdout, stderr } = await command.output();

    const expected = { path: directory.file("config.ts"), pluginNames: ["EventLog", "Mine"] };
    assert.equal(new TextDecoder().decode(stdout), JSON.stringify(expected), new TextDecoder().decode(stderr));
  }
});

Deno.test("loadConfig() takes relative files of a ledger on PostgreSQL from where config.ts is", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    const postgres = `{ url: "postgres://u@h/d", caFile: "ca.pem", certFile: "/c.pem", keyFile: "./k.pem" }`;
    await Deno.writeTextFile(
      `${dir}/config.ts`,
      `export default { events: { creation: [], deletion: ["instance.delete.end"] }, plugins: [{ name: "p", notify() {} }], ledger: { postgres: ${postgres} } };`,
    );
    const { config } = await loadConfig({ path: `${dir}/config.ts`, cwd: "/", fallback: () => Promise.reject() });
    assert.deepEqual(config.ledger, {
      postgres: { url: "postgres://u@h/d", caFile: `${dir}/ca.pem`, certFile: "/c.pem", keyFile: `${dir}/k.pem` },
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("loadConfig() takes a relative ledger.file from where config.ts is", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.writeTextFile(
      `${dir}/config.ts`,
      `export default { events: { creation: [], deletion: ["instance.delete.end"] }, plugins: [{ name: "p", notify() {} }], ledger: { file: "./l.db" } };`,
    );
    const { config } = await loadConfig({ path: `${dir}/config.ts`, cwd: "/", fallback: () => Promise.reject() });
    assert.equal(config.ledger?.file, `${dir}/l.db`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
