import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { ProgramDirectory, READ_ONLY, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { deletions } from "./history_texts.ts";

const LIFE = fileURLToPath(new URL("../../samples/life.jsonl", import.meta.url));
const CHANGES = fileURLToPath(new URL("../../samples/changes.jsonl", import.meta.url));
const LEGACY = `creation: ["compute.instance.create.end", "floatingip.update.end"],
  deletion: ["compute.instance.delete.end", "floatingip.update.end"]`;

/** A plugin that shows names. */
const NAMES = `{ name: "Names", notify() {}, preview: (detail) => "name " + detail.FQDN }`;
const REST = (options = "") =>
  `new RestNotify({ urlCreation: "https://cmdb.example/created", urlDeletion: "https://cmdb.example/deleted", ${options} })`;

function config(plugins: string, { events = LEGACY, more = "" } = {}): string {
  return `import { env } from "oss-watcher";
import { RestNotify, Webhook, EventLog } from "oss-watcher/plugins";
export default { events: { ${events} }, plugins: [${plugins}], ${more} };`;
}

const LINE = deletions(["web-1"]);

async function diff(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = ["old.ts", "new.ts", LIFE],
  run: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  using dir = new ProgramDirectory(files);
  return await runProgram({ dir: dir.path(), args: ["diff", ...args], permissions: READ_ONLY, ...run });
}

Deno.test("diff of two configurations that send the same says so and ends with 0", async () => {
  const { code, out, err } = await diff({ "old.ts": config(REST()), "new.ts": config(REST()) });
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(
    out,
    `--- old.ts
+++ new.ts

24 notifications, 11 events: all the same.

PLUGIN      BEFORE  AFTER  SAME  CHANGED  ONLY BEFORE  ONLY AFTER
RestNotify      11     11    11        0            0           0

Nothing was sent.
`,
  );
});

for (
  const [name, before, after, recording = LIFE] of [
    ["url", config(REST()), config(REST(`host: "https://other.example"`).replaceAll("https://cmdb.example", ""))],
    [
      "static",
      config(`${REST()}, ${NAMES}`),
      config(`${REST()}, ${NAMES}`, { more: `detail: { static: { Datacenter: "X" } }` }),
    ],
    ["plugins", config(`${REST()}, ${NAMES}`), config(`${NAMES}, { name: "Pager", notify() {} }`)],
    ["events", config(NAMES), config(NAMES, { events: `creation: ["compute.instance.create.end"], deletion: []` })],
    [
      "updates",
      config(REST()),
      config(REST(`urlUpdate: "https://cmdb.example/updated"`), { events: `${LEGACY}, update: ["FQDN", "Ram"]` }),
      CHANGES,
    ],
    ["when", config(NAMES), config(`when(${NAMES}, { subjects: ["server"] })`).replace("env", "when")],
    [
      "long_lines",
      config(REST(`body: "vco-xml"`)),
      config(REST(`body: "vco-xml"`), { more: `detail: { static: { Datacenter: "X" } }` }),
    ],
  ] as const
) {
  Deno.test(`diff shows a change of ${name}, and ends with 3`, async () => {
    const { code, out, err } = await diff({ "old.ts": before, "new.ts": after }, ["old.ts", "new.ts", recording]);
    assert.deepEqual([code, err], [3, ""]);
    await matchesSnapshot(out, new URL(`snapshots/diff_${name}.txt`, import.meta.url));
  });
}

Deno.test("diff --stat shows the counts alone, and --json one line for each event that differs, then the counts", async () => {
  const files = { "old.ts": config(`${NAMES}, ${REST()}`), "new.ts": config(NAMES.replace("name ", "NAME ")) };
  const stat = await diff(files, ["old.ts", "new.ts", LIFE, "--stat"]);
  assert.deepEqual([stat.code, stat.err], [3, ""]);
  assert.match(
    stat.out,
    /^--- old\.ts\n\+\+\+ new\.ts\n\n24 notifications, 11 events: 11 changed\.\n\nPLUGIN .*\nNames +11 .*\nRestNotify .* removed\n\nNothing was sent\.\n$/,
  );
  const { code, out, err } = await diff(files, ["old.ts", "new.ts", LIFE, "--json"]);
  assert.deepEqual([code, err], [3, ""]);
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, 12);
  for (const { key, change, before, after, plugins } of lines.slice(0, -1)) {
    assert.deepEqual([change, before.key, after.key], ["changed", key, key]);
    assert.deepEqual(plugins, [{ name: "Names", change: "changed" }]);
    assert.equal(before.plugins[0].preview, `name ${before.detail.FQDN}`);
    assert.equal(after.plugins[0].preview, `NAME ${before.detail.FQDN}`);
  }
  const none = { same: 0, changed: 0, onlyBefore: 0, onlyAfter: 0 };
  assert.deepEqual(lines.at(-1), {
    notifications: 24,
    events: { ...none, changed: 11 },
    changedKeys: [],
    plugins: [
      { name: "Names", isBefore: true, isAfter: true, ...none, changed: 11 },
      { name: "RestNotify", isBefore: true, isAfter: false, ...none, onlyBefore: 11 },
    ],
  });
});

Deno.test("diff of both formats of Nova finds the same events in other notifications", async () => {
  const lines = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"));
  const versioned = LEGACY.replaceAll("compute.instance", "instance");
  const files = {
    "old.ts": config(NAMES, { events: LEGACY }),
    "new.ts": config(NAMES, { events: versioned }),
    "run.jsonl": lines.map((line) => JSON.stringify(line)).join("\n"),
  };
  const { code, out, err } = await diff(files, ["old.ts", "new.ts", "run.jsonl", "--stat"]);
  assert.deepEqual([code, err], [0, ""], out);
  assert.match(out, /events: all the same/);
});

Deno.test("diff lets neither configuration see what the other one does to a module of both", async () => {
  const files = {
    "base.ts": `export const base = { plugins: [] };`,
    "old.ts": `import { base } from "./base.ts"; base.plugins.push(${NAMES});
      export default { events: { ${LEGACY} }, plugins: base.plugins };`,
    "new.ts": `import { base } from "./base.ts"; base.plugins.push({ name: "Other", notify() {} });
      export default { events: { ${LEGACY} }, plugins: base.plugins };`,
  };
  const { code, out } = await diff(files, ["old.ts", "new.ts", LIFE, "--stat"]);
  assert.equal(code, 3);
  assert.match(out, /^Names  +11 +0 .* removed\nOther  +0 +11 .* added$/m);
  assert.match(out, /^A plugin is known by its name\. If Other is Names under another name, what waits$/m);
});

Deno.test("diff takes oss_framework's configuration on either side, and its secrets are shown on neither", async () => {
  const ini = `[DEFAULT]
enabled_plugins=rest_plugin.RESTNotify
events_creation=compute.instance.create.end
events_deletion=compute.instance.delete.end
[rabbit]
host=localhost
user=user
password=hush-rabbit
watch_queue=monitoring.info
[rest]
host=https://cmdb.example
port=443
user=user
password=hush-4711
url_creation=/created
url_deletion=/deleted?token=hush-4711
`;
  const now = config(
    `new RestNotify({ host: "https://cmdb.example", port: 443, user: "user", password: env("REST_PASSWORD"),
      urlCreation: "/created", urlDeletion: "/deleted?token=" + env("REST_PASSWORD"), body: "vco-xml" })`,
    {
      events: `creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"]`,
      // As migrate writes it.
      more: `detail: { static: { IPType: "Public", Datacenter: "KDC", SecurityDomain: "DQT" } }`,
    },
  );
  const files = { "oss.conf": ini, "new.ts": now, "other.ts": now.replace("/created", "/x") };
  const env = { REST_PASSWORD: "sesame-0815" };
  const same = await diff(files, ["oss.conf", "new.ts", LIFE], { env });
  assert.deepEqual([same.code, same.err], [0, ""], same.out);
  for (const args of [["oss.conf", "other.ts", LIFE], ["other.ts", "oss.conf", LIFE, "--json"]]) {
    const { code, out } = await diff(files, args, { env });
    assert.equal(code, 3);
    assert.doesNotMatch(out, /hush|sesame/);
  }
});

Deno.test("diff is the same at any time: previews have neither the time of day nor numbers that other events shift", async () => {
  const plugins = [
    REST(`signingSecrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]`),
    REST(`format: "cloudevents", name: "Cloud"`),
    `new EventLog()`,
  ].join();
  const files = {
    "old.ts": config(plugins, { events: LEGACY.replaceAll(`, "floatingip.update.end"`, "") }),
    "new.ts": config(plugins),
  };
  const { code, out } = await diff(files, ["old.ts", "new.ts", LIFE, "--stat"]);
  assert.equal(code, 3);
  assert.match(out, /events: 3 the same, 8 only after\./);
});

Deno.test("diff shows nothing that a terminal would obey, whoever chose the names", async () => {
  const plugin = (text: string) => `{ name: "P", notify() {}, preview: () => "${text}\\u001b[2J\\u202e\\r" }`;
  const recording = `${deletions(["\u001b[31mred\u009b\u202e"])}\n`;
  const files = { "old.ts": config(plugin("a")), "new.ts": config(plugin("b")), "run.jsonl": recording };
  for (const more of [[], ["--json"]]) {
    const { code, out } = await diff(files, ["old.ts", "new.ts", "run.jsonl", ...more]);
    assert.equal(code, 3);
    assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  }
});

Deno.test("diff of a recording without events says that it shows nothing", async () => {
  const files = { "old.ts": config(NAMES), "new.ts": config(REST()) };
  const sample = fileURLToPath(new URL("../../samples/port.delete.end.json", import.meta.url));
  const { code, out } = await diff(files, ["old.ts", "new.ts", sample]);
  assert.equal(code, 3, "the plugins differ");
  assert.match(out, /1 notification and no event, before or after: this recording shows nothing of\n +the change\./);
});

Deno.test("diff says for which events a preview fails, and ends with 1", async () => {
  const failing = `{ name: "P", notify() {}, preview() { throw new Error("no \\u001b[2J luck") } }`;
  const files = { "old.ts": config(failing), "new.ts": config(failing) };
  const { code, err } = await diff(files);
  assert.equal(code, 1);
  assert.equal(err, "Cannot say what P would send for 11 events: its preview failed: no \\u{1b}[2J luck\n");
});

Deno.test("diff reads a recording from standard input, tells of lines that it cannot read, and ends with 1", async () => {
  const files = { "old.ts": config(NAMES), "new.ts": config(NAMES) };
  const input = `${await Deno.readTextFile(LIFE)}\n{"half`;
  const { code, out, err } = await diff(files, ["old.ts", "new.ts", "-"], { input });
  assert.equal(code, 1);
  assert.equal(err, "Cannot read a notification in standard input, line 26: JSON that is cut off\n");
  assert.match(out, /24 notifications, 11 events: all the same/);
});

Deno.test("diff tells of no more than 20 lines that it cannot read, and how many there are", async () => {
  const files = { "old.ts": config(NAMES), "new.ts": config(NAMES), "run.jsonl": `${LINE}\n${"{\n".repeat(450)}` };
  const { code, err } = await diff(files, ["old.ts", "new.ts", "run.jsonl"]);
  assert.equal(code, 1);
  const lines = err.trimEnd().split("\n");
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), "Cannot read 450 lines of the recording in all");
});

Deno.test("diff compares nothing of a plugin that is gone, though its preview failed", async () => {
  const failing = `{ name: "P", notify() {}, preview() { throw new Error("no luck") } }`;
  const { code, err } = await diff({ "old.ts": config(`${failing}, ${NAMES}`), "new.ts": config(NAMES) });
  assert.deepEqual([code, err], [3, ""]);
});

for (
  const [what, args, code, said] of [
    [
      "the same file twice",
      ["old.ts", "./old.ts", LIFE],
      2,
      /^Cannot compare "old\.ts" with "\.\/old\.ts": they are the same file\n$/,
    ],
    ["--config", ["--config", "x.ts", "old.ts", "new.ts", LIFE], 2, /^Cannot use --config or --config-file with diff/],
    ["no recording", ["old.ts", "new.ts"], 2, /missing required argument 'recording'/],
    [
      "a recording that is not there",
      ["old.ts", "new.ts", "none.jsonl"],
      1,
      /^Cannot read "none\.jsonl": there is no such file\n$/,
    ],
    ["a directory", ["old.ts", "new.ts", "."], 1, /^Cannot read "\.": it is a directory\n$/],
    ["an empty input", ["old.ts", "new.ts", "-"], 1, /^Cannot read standard input: it is empty/],
    [
      "two configurations with mistakes",
      ["bad.ts", "none.ts", LIFE],
      1,
      /^Cannot use the configuration ".*bad\.ts":\n {2}events: .*[^]*Cannot read the configuration ".*none\.ts": there is no such file/,
    ],
  ] as const
) {
  Deno.test(`diff refuses ${what}`, async () => {
    const files = { "old.ts": config(NAMES), "new.ts": config(REST()), "bad.ts": "export default { plugins: [] };" };
    const end = await diff(files, args, { input: "" });
    assert.deepEqual([end.code, end.out], [code, ""]);
    assert.match(end.err, said);
  });
}
