import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, READ_ONLY, READ_WRITE, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { config, FILES, LIFE, NOTHING, test, updated } from "./tested_histories.ts";

function filesIn(dir: ProgramDirectory): readonly string[] {
  return [...Deno.readDirSync(dir.path("tests"))].map(({ name }) => name).sort();
}

Deno.test("test fails without a file of expected events, and writes none; --update writes it, and then it passes", async () => {
  using dir = new ProgramDirectory(FILES);
  const first = await test(dir, [], READ_ONLY);
  assert.deepEqual([first.code, first.err], [3, ""]);
  assert.equal(
    first.out,
    `FAILED   tests/life.jsonl: 3 events, and no tests/life.expected.json to compare with
  If this is as it should be: oss-watcher test --update tests/life.jsonl
FAILED   tests/nothing.jsonl: no events, and no tests/nothing.expected.json to compare with
  If this is as it should be: oss-watcher test --update tests/nothing.jsonl

2 failed
`,
  );
  const written = await test(dir, ["--update"]);
  assert.deepEqual([written.code, written.err], [0, ""]);
  assert.equal(
    written.out,
    `written  tests/life.expected.json: 3 events, 3 added
written  tests/nothing.expected.json: no events
  a port went; no floating IP was on it

2 written
`,
  );
  const second = await test(dir, [], READ_ONLY);
  assert.deepEqual([second.code, second.err], [0, ""]);
  assert.equal(
    second.out,
    `ok       tests/life.jsonl: 3 events
ok       tests/nothing.jsonl: no events
  a port went; no floating IP was on it

2 passed
`,
  );
  const text = Deno.readTextFileSync(dir.path("tests/life.expected.json"));
  assert.ok(!text.includes(dir.path()));
  await matchesSnapshot(text, new URL("snapshots/life.expected.json", import.meta.url));
});

Deno.test("test --update writes the same bytes again, from any directory", async () => {
  using dir = await updated();
  const before = Deno.readTextFileSync(dir.path("tests/life.expected.json"));
  const { code, out } = await test(dir, ["--update"]);
  assert.equal(code, 0);
  assert.match(out, /^kept {5}tests\/life\.expected\.json: 3 events$/m);
  const elsewhere = await runProgram({
    dir: dir.path("tests"),
    args: ["test", "--config", dir.path("config.ts")],
    permissions: READ_ONLY,
  });
  assert.deepEqual([elsewhere.code, elsewhere.err], [0, ""], elsewhere.out);
  assert.match(elsewhere.out, /^ok {7}life\.jsonl: 3 events$/m);
  assert.equal(Deno.readTextFileSync(dir.path("tests/life.expected.json")), before);
});

Deno.test("test shows what differs from what is expected, and the command that accepts it", async () => {
  using dir = await updated();
  dir.write("config.ts", config({ greeting: "welcome" }));
  const { code, out, err } = await test(dir, [], READ_ONLY);
  assert.deepEqual([code, err], [3, ""]);
  await matchesSnapshot(out, new URL("snapshots/test_failed.txt", import.meta.url));
  const command = /If this is as it should be: oss-watcher test (.*)$/m.exec(out)?.[1]?.split(" ") ?? [];
  assert.equal((await test(dir, command)).code, 0);
  assert.equal((await test(dir, [], READ_ONLY)).code, 0);
});

Deno.test("test tells of expected events that do not come, and --update names those that it removes", async () => {
  using dir = await updated();
  dir.write("config.ts", config().replace(`deletion: ["compute.instance.delete.end"]`, "deletion: []"));
  const { code, out } = await test(dir, [], READ_ONLY);
  assert.equal(code, 3);
  assert.match(out, /^FAILED {3}tests\/life\.jsonl: 2 events, 1 missing$/m);
  assert.match(out, /^ {2}- expected, and does not come\n {2}Hello would send\n {4}- goodbye beam-ctl-01$/m);
  const { out: said } = await test(dir, ["--update"]);
  assert.match(
    said,
    /^written {2}tests\/life\.expected\.json: 2 events, 1 removed\n {2}removed server\/4818c5b1-.*\/deletion$/m,
  );
});

Deno.test("test fails for expected events without a history, and --update leaves them there", async () => {
  using dir = await updated();
  Deno.removeSync(dir.path("tests/nothing.jsonl"));
  for (const args of [[], ["--update"]]) {
    const { code, out } = await test(dir, args);
    assert.equal(code, 3);
    assert.match(
      out,
      /^FAILED {3}tests\/nothing\.expected\.json: there is no history tests\/nothing\.jsonl\n {2}Bring the history back, or remove what is expected of it: rm tests\/nothing\.expected\.json$/m,
    );
    assert.deepEqual(filesIn(dir), ["life.expected.json", "life.jsonl", "nothing.expected.json"]);
  }
});

Deno.test("test runs the histories that are named, and looks for no others", async () => {
  using dir = await updated();
  dir.write("tests/other.jsonl", "{");
  const { code, out } = await test(dir, ["tests/nothing.jsonl", "./tests/nothing.jsonl"], READ_ONLY);
  assert.equal(code, 0);
  assert.match(out, /^ok {7}tests\/nothing\.jsonl[^]*\n1 passed\n$/);
});

Deno.test("test says which lines of a history cannot be used, ends with 1, and --update does not write it", async () => {
  using dir = await updated();
  const before = Deno.readTextFileSync(dir.path("tests/life.expected.json"));
  dir.write("tests/life.jsonl", `${LIFE}\n{"cut": `);
  for (const args of [[], ["--update"]]) {
    const { code, out } = await test(dir, args);
    assert.equal(code, 1);
    assert.match(out, /^ERROR {4}tests\/life\.jsonl: cannot be tested\n {2}line 26: JSON that is cut off$/m);
    assert.equal(Deno.readTextFileSync(dir.path("tests/life.expected.json")), before);
  }
});

Deno.test("test calls a preview that fails an error, and --update does not write it", async () => {
  using dir = new ProgramDirectory({
    ...FILES,
    "config.ts": config().replace("(created ?", `(detail.FQDN.endsWith("02") ? detail.no.where : created ?`),
  });
  const { code, out } = await test(dir, ["--update"]);
  assert.equal(code, 1);
  assert.match(out, /^ERROR {4}tests\/life\.jsonl: cannot be tested\n {2}line \d+: Hello: Cannot read properties/m);
  assert.deepEqual(filesIn(dir), ["life.jsonl", "nothing.expected.json", "nothing.jsonl"]);
});

for (
  const [what, text, said] of [
    ["marks of a merge", "<<<<<<< HEAD\n", /it is no JSON\. If it has marks of a merge, resolve them/],
    ["another JSON", `{"events": [{"key": 1}]}`, /it has no list of events as test --update writes it\. Remove it$/m],
    ["an event twice", null, /it has the event "server\/4818c5b1-.*\/creation" twice\. Remove one/],
  ] as const
) {
  Deno.test(`test refuses a file of expected events with ${what}`, async () => {
    using dir = await updated();
    const { events } = JSON.parse(Deno.readTextFileSync(dir.path("tests/life.expected.json")));
    dir.write("tests/life.expected.json", text ?? JSON.stringify({ events: [events[0], ...events] }));
    const { code, out } = await test(dir, [], READ_ONLY);
    assert.equal(code, 1);
    assert.match(
      out,
      /^ERROR {4}tests\/life\.jsonl: cannot be tested\n {2}Cannot read "tests\/life\.expected\.json": /m,
    );
    assert.match(out, said);
  });
}

Deno.test("test writes no secret into a file of expected events", async () => {
  const secret = "hush-4711-sesame";
  using dir = new ProgramDirectory({
    ...FILES,
    "config.ts": `import { env } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";
const token = env("CMDB_TOKEN");
export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [
    new RestNotify({ urlCreation: "https://x.example/" + token, urlDeletion: "https://x.example/?t=" + token, bearer: token }),
    { name: "Own", notify() {}, preview: () => ({ [token]: 1, text: "x" + btoa(token) }) },
  ],
};`,
  });
  const run = { dir: dir.path(), env: { CMDB_TOKEN: secret } };
  const { code } = await runProgram({ ...run, args: ["test", "--update"], permissions: READ_WRITE });
  assert.equal(code, 0);
  const text = Deno.readTextFileSync(dir.path("tests/life.expected.json"));
  assert.doesNotMatch(text, /hush|aHVzaC/);
  // Whatever the secret is where the test runs.
  const other = await runProgram({ dir: dir.path(), args: ["test"], env: { CMDB_TOKEN: "another-secret-0815" } });
  assert.equal(other.code, 0, other.out);
});

Deno.test("test of every plugin of ours gives the same in another time zone, language, and with other secrets", async () => {
  const document = await Deno.readTextFile(new URL("../../docs/CONFIGURATION.md", import.meta.url));
  const [, plugins = ""] = /## The plugins\n[^]*?```ts\n([^]*?)```/.exec(document) ?? [];
  const names = [...plugins.matchAll(/^new (\w+)\(/gm)].map(([, name]) => name);
  assert.ok(names.length >= 12);
  using dir = new ProgramDirectory({
    ...FILES,
    "config.ts": `import { env } from "oss-watcher";
import { ${names.join(", ")} } from "oss-watcher/plugins";
export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"], update: ["Ram"] },
  plugins: [${plugins}],
};`,
  });
  const secrets = (secret: string) => ({
    CMDB_TOKEN: secret,
    NETBOX_TOKEN: secret,
    SMTP_PASSWORD: secret,
    EVENTS_URL: `amqps://a:${secret}@b/c`,
    KAFKA_PASSWORD: secret,
    CHAT_URL: `https://chat.example.com/${secret}`,
  });
  const one = {
    dir: dir.path(),
    args: ["test", "--update"],
    permissions: READ_WRITE,
    env: secrets("hush-4711-sesame"),
  };
  assert.equal((await runProgram(one)).code, 0);
  const env = { ...secrets("open-0815"), TZ: "Asia/Tokyo", LANG: "ja_JP.UTF-8", LC_ALL: "ja_JP.UTF-8" };
  const { code, out } = await runProgram({ dir: dir.path(), args: ["test"], env });
  assert.equal(code, 0, out);
});

for (
  const [what, files, args, code, said] of [
    [
      "a directory without tests",
      {},
      [],
      1,
      /^Cannot test "tests": there is no such directory\. Make it, and record a history in it: oss-watcher record tests\/first\.jsonl --seconds 60\n$/,
    ],
    [
      "an empty directory",
      { "tests/README.md": "" },
      [],
      1,
      /^Cannot test "tests": there is no history \(\*\.jsonl\)\. Record one: /,
    ],
    [
      "a file with another ending",
      {},
      ["config.ts"],
      1,
      /^Cannot test "config\.ts": the name of a history ends with \.jsonl\. Rename it\n$/,
    ],
    ["--junit with --update", {}, ["--update", "--junit", "x"], 2, /^Cannot use --junit with --update/],
    [
      "a report that cannot be written",
      { "tests/nothing.jsonl": NOTHING },
      ["--junit", "no/x"],
      1,
      /^Cannot write "no\/x": its directory is not there/,
    ],
  ] as const
) {
  Deno.test(`test refuses ${what}`, async () => {
    using dir = new ProgramDirectory({ "config.ts": config(), ...files });
    const end = await test(dir, args);
    assert.equal(end.code, code);
    assert.match(end.err, said);
  });
}

Deno.test("test takes a configuration of the first generation, with histories beside it", async () => {
  using dir = new ProgramDirectory({
    "etc/oss.conf": await Deno.readTextFile(
      fileURLToPath(new URL("../data/first_generation/oss.conf", import.meta.url)),
    ),
    "etc/tests/nothing.jsonl": NOTHING,
  });
  const { code, out } = await test(dir, ["--config-file", "etc/oss.conf"]);
  assert.equal(code, 3);
  assert.match(out, /oss-watcher test --config-file etc\/oss\.conf --update etc\/tests\/nothing\.jsonl$/m);
});
