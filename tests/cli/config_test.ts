import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ProgramDirectory, READ_ONLY, runProgram } from "../support/program.ts";

const CONFIG = `import { credential, env, file, when } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [
    when(
      new RestNotify({
        urlCreation: \`https://cmdb.example.com/\${env("HOOK")}\`,
        urlDeletion: "https://cmdb.example.com/gone",
        bearer: file(new URL("token", import.meta.url)),
      }),
      { projects: ["web"] },
    ),
    { name: "Own", pin: "hush-pin-1", secretPin: 4711, notify() {} },
  ],
  rabbit: [
    { url: \`amqp://watcher:\${credential("rabbit")}@rabbit-1\`, queue: { name: env("WATCH_QUEUE") } },
    { host: ["a", "b"], password: env("UNSET", "hush-fallback"), tls: true, watchQueue: "monitoring" },
  ],
  console: { sessionHours: 8 },
  detail: { static: { "A\\u001b[31m": "\\u001b[31mx" } },
  openstack: {},
};
`;

function directory(): ProgramDirectory {
  return new ProgramDirectory({ "config.ts": CONFIG, token: "hush-token-1\n", "credentials/rabbit": "hush-rabbit-1" });
}

function environment(dir: ProgramDirectory): Readonly<Record<string, string>> {
  return {
    HOOK: "hush-hook-1",
    WATCH_QUEUE: "watcher",
    CREDENTIALS_DIRECTORY: dir.path("credentials"),
    STATE_DIRECTORY: "/var/lib/x",
  };
}

Deno.test("config show says of every setting what it is and where it is from, without secrets", async () => {
  using dir = directory();
  const { code, out, err } = await runProgram({
    dir: dir.path(),
    args: ["config", "show", "--json"],
    env: environment(dir),
  });
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  const { file, settings } = JSON.parse(out) as {
    file: string;
    settings: { key: string; value: unknown; from: string }[];
  };
  assert.equal(file, dir.path("config.ts"));
  const of = (key: string) => {
    const found = settings.filter((one) => one.key === key);
    assert.equal(found.length, 1, key);
    return [found[0]!.value, found[0]!.from];
  };
  assert.deepEqual(of("events.creation"), [["compute.instance.create.end"], "config.ts"]);
  assert.deepEqual(of("events.settleSeconds"), [3, "default"]);
  assert.deepEqual(of("plugins.RestNotify.urlCreation"), ["https://cmdb.example.com/***", "config.ts + env HOOK"]);
  assert.deepEqual(of("plugins.RestNotify.bearer"), ["***", `file ${dir.path("token")}`]);
  assert.deepEqual(of("plugins.RestNotify.when.projects"), [["web"], "config.ts"]);
  assert.deepEqual(of("plugins.Own.secretPin"), ["***", "config.ts"]);
  assert.deepEqual(of("rabbit[0].url"), ["amqp://rabbit-1", `config.ts + file ${dir.path("credentials/rabbit")}`]);
  assert.deepEqual(of("rabbit[0].queue.name"), ["watcher", "env WATCH_QUEUE"]);
  assert.deepEqual(of("rabbit[0].queue.type"), ["quorum", "default"]);
  assert.deepEqual(of("rabbit[1].password"), ["***", "config.ts"]);
  assert.deepEqual(of("rabbit[1].port"), [5671, "default"]);
  assert.deepEqual(of("console.sessionHours"), [8, "config.ts"]);
  assert.deepEqual(of("openstack.reconcile.everyHours"), [24, "default"]);
  assert.deepEqual(of("ledger.file"), ["/var/lib/x/ledger.db", "default"]);
  assert.ok(!settings.some(({ key }) => key.startsWith("rabbit[0].host")));
  assert.ok(!/hush-(?!pin)/.test(out), out);
});

Deno.test("config show is a table of the same, which a value cannot colour", async () => {
  using dir = directory();
  const run = (...args: readonly string[]) =>
    runProgram({ dir: dir.path(), args: ["config", "show", ...args], env: environment(dir) });
  const [{ code, out }, json] = await Promise.all([run(), run("--json")]);
  assert.equal(code, 0);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines[0], dir.path("config.ts"));
  assert.equal(lines.length - 1, JSON.parse(json.out).settings.length);
  assert.match(out, /^rabbit\[0\]\.queue\.name +"watcher" +env WATCH_QUEUE$/m);
  // deno-lint-ignore no-control-regex
  assert.ok(!/\x1b/.test(out + json.out));
});

Deno.test("config show names the mistakes of a configuration that cannot be used", async () => {
  using dir = new ProgramDirectory({ "config.ts": "export default { events: 1, plugins: [] };" });
  const { code, out, err } = await runProgram({ dir: dir.path(), args: ["config", "show"] });
  assert.deepEqual({ code, out }, { code: 1, out: "" });
  assert.match(err, /events: found 1; allowed: an object with/);
});

Deno.test("config schema prints a JSON Schema, and needs no configuration", async () => {
  using dir = new ProgramDirectory({ "config.ts": "throw new Error();" });
  const { code, out, err } = await runProgram({ dir: dir.path(), args: ["config", "schema"], permissions: READ_ONLY });
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(JSON.parse(out));
  assert.ok(validate({ events: { creation: [], deletion: ["instance.delete.end"] }, plugins: [{}] }));
  assert.ok(!validate({ events: { creation: [], deletion: [] }, plugins: [{}] }));
  assert.ok(!validate({ events: { creation: [], deletion: ["instance.delete.end"] }, plugins: [] }));
});
