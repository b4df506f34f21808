import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ProgramOptions } from "../../src/cli/context.ts";
import * as cli from "../../src/cli/program.ts";
import { EXPECTED, EXPECTED_V1 } from "../facts/expected_events.ts";
import { type CaptureLine, mergeByTime, readCapture, readSamples } from "../support/captures.ts";
import { denoDir, ProgramDirectory, runProgram, startProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { until } from "../support/until.ts";

const PASSWORD = "hush-4711";

/** Two plugins: one that shows a request, one that shows nothing. No broker, no OpenStack. */
const CONFIG = `import type { Config } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [
    new RestNotify({
      host: "https://cmdb.example", port: 8443, user: "watcher", password: "${PASSWORD}",
      headers: { "X-Auth-Token": "token-${PASSWORD}" }, urlCreation: "/created", urlDeletion: "/deleted?key=${PASSWORD}",
    }),
    { name: "Pager", notify() { throw new Error("a dry run called notify"); } },
  ],
} satisfies Config;
`;

/** The same without the request, for long histories. */
const SHORT_CONFIG = CONFIG.replace(/new RestNotify\([^]*?\}\),/, "");

/** Outputs that were compared with the payloads by hand, value by value. */
const SNAPSHOTS: readonly { readonly name: string; readonly files: readonly string[]; readonly config?: string }[] = [
  { name: "server_creation", files: ["compute.instance.create.end.json"] },
  { name: "server_creation_versioned", files: ["instance.create.end.json"] },
  { name: "server_deletion_alone", files: ["compute.instance.delete.end.json"] },
  { name: "server_deletion_after_creation", files: ["instance.create.end.json", "compute.instance.delete.end.json"] },
  { name: "association", files: ["floatingip.update.end.associate.json"] },
  { name: "disassociation_alone", files: ["floatingip.update.end.disassociate.json"] },
  { name: "move_alone", files: ["floatingip.update.end.move.json"] },
  { name: "move", files: ["floatingip.update.end.associate.json", "floatingip.update.end.move.json"] },
  { name: "port_deletion_alone", files: ["port.delete.end.json"] },
  { name: "life", files: ["life.jsonl"], config: SHORT_CONFIG },
];

for (const { name, files, config = CONFIG } of SNAPSHOTS) {
  for (const form of ["human", "json"] as const) {
    Deno.test(`dry run of ${files.join(", then ")} (${form}) shows what would be sent`, async () => {
      using dir = directory({ "config.ts": config });
      const args = [
        ...files.flatMap((file) => ["--dry-run", sampleFile(file)]),
        ...(form === "json" ? ["--json"] : []),
      ];
      const { code, out, err } = await runProgram({ dir: dir.path(), args });
      assert.equal(err, "");
      assert.equal(code, name === "port_deletion_alone" ? 3 : 0);
      assert.ok(!out.includes(PASSWORD));
      await matchesSnapshot(out, new URL(`snapshots/${name}.${form}.txt`, import.meta.url));
    });
  }
}

const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"));

for (
  const { name, lines, expected } of [
    { name: "the whole run", lines: mergeByTime(RUN, readCapture("monitoring.jsonl")), expected: EXPECTED },
    { name: "the whole run without envelopes", lines: readCapture("v1-no-envelope.jsonl"), expected: EXPECTED_V1 },
  ]
) {
  Deno.test(`dry run of ${name} shows the events written by hand`, async () => {
    using dir = directory({ "config.ts": SHORT_CONFIG, "run.jsonl": jsonLines(lines) });
    const { code, out, err } = await runProgram({ dir: dir.path(), args: ["--dry-run", "run.jsonl", "--json"] });
    assert.equal(err, "");
    assert.equal(code, 0);
    const results = resultsIn(out);
    assert.equal(results.length, lines.length);
    assert.deepEqual(
      results.flatMap(({ events }) => events).map(({ key, detail: { ID, IP } }) => ({ key, server: ID, ip: IP })),
      expected.map(({ key, server, ip }) => ({ key, server, ip })),
    );
    assert.deepEqual(
      results.flatMap(({ plugins }) => plugins),
      expected.map(({ key }) => ({ name: "Pager", key, created: key.endsWith("/creation"), preview: null })),
    );
  });
}

for (const capture of ["unversioned.jsonl", "versioned.jsonl", "monitoring.jsonl", "v1-no-envelope.jsonl"]) {
  Deno.test(`dry run of ${capture} reads every line`, async () => {
    const lines = readCapture(capture);
    using dir = directory({ [capture]: jsonLines(lines) });
    const { code, out, err } = await runProgram({ dir: dir.path(), args: ["--dry-run", capture] });
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.equal(out.trimEnd().split("\n").at(-1), `${lines.length} notifications read. Nothing was sent.`);
    assert.equal(hostileIn(out), null);
  });
}

Deno.test("dry run of every sample in one run reads all of them", async () => {
  const samples = readSamples();
  using dir = directory(
    Object.fromEntries(samples.map(({ name, sample }) => [`${name}.json`, JSON.stringify(sample)])),
  );
  const args = samples.flatMap(({ name }) => ["--dry-run", `${name}.json`]);
  const { code, out, err } = await runProgram({ dir: dir.path(), args: [...args, "--json"] });
  assert.equal(err, "");
  assert.equal(code, 0);
  assert.deepEqual(
    resultsIn(out).map(({ event }) => event),
    samples.map(({ sample }) => sample.decoded_inner_message["event_type"]),
  );
});

/** Alone: without a history a free floating IP may have been associated before, and a port's end frees nothing that is known. */
const EVENTFUL = [
  "compute.instance.create.end",
  "compute.instance.delete.end",
  "compute.instance.delete.end.published-by-api",
  "floatingip.create.end.associated",
  "floatingip.delete.end.associated",
  "floatingip.update.end.associate",
  "floatingip.update.end.description-while-associated",
  "floatingip.update.end.description-while-free",
  "floatingip.update.end.disassociate",
  "floatingip.update.end.move",
];
const EVENTFUL_VERSIONED = ["instance.create.end", "instance.delete.end", "instance.delete.end.published-by-api"];

/** A terminal that nobody looks at. */
const UNSEEN: ProgramOptions = {
  version: "",
  imports: {},
  terminal: { print: () => {}, error: assert.fail, readInput: () => Promise.resolve(new Uint8Array()) },
  builtInConfig: assert.fail,
  builtInPlugins: assert.fail,
  stopSignal: assert.fail,
  onReload: () => assert.fail(),
  newIsolate: () => assert.fail(),
};

Deno.test("dry run of each sample alone ends with 0 where an event follows from it, with 3 else", async () => {
  const samples = readSamples();
  const files = Object.fromEntries(samples.map(({ name, sample }) => [`${name}.json`, JSON.stringify(sample)]));
  using dir = directory({ ...files, "config.ts": SHORT_CONFIG });
  const ends: Record<string, number> = {};
  for (const { name } of samples) {
    // In this process: so many others would take a minute.
    const args = ["--config", dir.path("config.ts"), "--dry-run", dir.path(`${name}.json`)];
    ends[name] = await cli.runProgram(args, UNSEEN);
  }
  const eventful = [...EVENTFUL, ...EVENTFUL_VERSIONED, ...EVENTFUL.map((name) => `v1.${name}`)];
  const expected = Object.fromEntries(samples.map(({ name }) => [name, eventful.includes(name) ? 0 : 3]));
  assert.deepEqual(ends, expected);
});

Deno.test("dry run of one notification shows the same in every form", async () => {
  const { sample } = readSamples().find(({ name }) => name === "compute.instance.create.end")!;
  const { exchange, routing_key, queue, properties, wire_body: body, decoded_inner_message: inner } = sample;
  const forms: Readonly<Record<string, string>> = {
    "raw body": body,
    "raw body over several lines": JSON.stringify(JSON.parse(body), null, 2),
    "decoded": JSON.stringify(inner),
    "line of a capture": JSON.stringify({ received: "1795288371.3", exchange, routing_key, queue, properties, body }),
    "line with a binary body": JSON.stringify({ properties, body_base64: btoa(body) }),
    "sample": JSON.stringify(sample, null, 2),
    "list": JSON.stringify([inner]),
    "lines of Windows": `\r\n${JSON.stringify(inner)}\r\n\r\n`,
    "with a byte order mark": `\ufeff${body}`,
  };
  using dir = directory({ "config.ts": SHORT_CONFIG });
  for (const [form, input] of Object.entries(forms)) {
    const { code, out, err } = await runProgram({ dir: dir.path(), args: ["--dry-run", "-", "--json"], input });
    assert.equal(err, "", form);
    assert.equal(code, 0, form);
    assert.deepEqual(
      resultsIn(out).map(({ messageId, events }) => [messageId, events.map(({ key }) => key)]),
      [["53282399-ac97-4c3c-80cb-29afbb2b2228", ["server/4818c5b1-ac0b-4458-9eed-faf8936ad379/creation"]]],
      form,
    );
  }
});

Deno.test("dry run with --json has exactly the promised keys", async () => {
  using dir = directory({});
  const args = ["--dry-run", sampleFile("life.jsonl"), "--json"];
  const { out } = await runProgram({ dir: dir.path(), args });
  const results = resultsIn(out);
  for (const result of results) {
    assert.deepEqual(Object.keys(result), ["messageId", "event", "events", "plugins", "reason"]);
    assert.equal(result.reason === null, result.events.length > 0);
    for (const event of result.events) assert.deepEqual(Object.keys(event), ["key", "created", "detail"]);
    for (const plugin of result.plugins) {
      assert.deepEqual(Object.keys(plugin), ["name", "key", "created", "preview"]);
    }
    assert.equal(result.plugins.length, 2 * result.events.length);
  }
  assert.equal(results.length, 24);
});

Deno.test("dry run of an event type that is not handled ends with 3 and says so", async () => {
  using dir = directory({ "update.json": wireBody("compute.instance.update") });
  const args = ["--dry-run", "update.json"];
  const [human, json] = [
    await runProgram({ dir: dir.path(), args }),
    await runProgram({ dir: dir.path(), args: [...args, "--json"] }),
  ];
  const reason = "not an event type that is handled";
  assert.match(human.out, new RegExp(`^compute\\.instance\\.update  \\S+Z\\n  nothing to send: ${reason}\\n$`));
  assert.equal(human.code, 3);
  const [{ messageId, ...result } = assert.fail()] = resultsIn(json.out);
  assert.match(messageId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(result, { event: "compute.instance.update", events: [], plugins: [], reason });
  assert.equal(json.code, 3);
});

Deno.test("dry run of an event type that no group lists ends with 3", async () => {
  using dir = directory({ "config.ts": CONFIG.replaceAll(`, "floatingip.update.end"`, "") });
  const args = ["--dry-run", sampleFile("floatingip.update.end.associate.json")];
  const { code, out } = await runProgram({ dir: dir.path(), args });
  assert.equal(code, 3);
  assert.match(out, /\n {2}nothing to send: \S/);
});

for (
  const { ends, files, code } of [
    { ends: "an event and nothing", files: ["event", "nothing"], code: 0 },
    { ends: "nothing and an event", files: ["nothing", "event"], code: 0 },
    { ends: "nothing, nothing", files: ["nothing", "nothing"], code: 3 },
    { ends: "an event and bad input", files: ["event", "bad"], code: 1 },
    { ends: "bad input and an event", files: ["bad", "event"], code: 1 },
    { ends: "bad input and nothing", files: ["bad", "nothing"], code: 1 },
    { ends: "an event and a notification without its resource", files: ["event", "incomplete"], code: 1 },
  ]
) {
  Deno.test(`dry run of ${ends} ends with ${code}`, async () => {
    using dir = directory({
      event: wireBody("compute.instance.create.end"),
      nothing: wireBody("compute.instance.update"),
      bad: "{",
      incomplete: JSON.stringify({ message_id: "1", event_type: "instance.create.end", payload: {} }),
    });
    const args = files.flatMap((file) => ["--dry-run", file]);
    const { code: end, out } = await runProgram({ dir: dir.path(), args });
    assert.equal(end, code);
    // What is good is shown whatever else is bad.
    assert.equal(out.includes("creation: a server came"), files.includes("event"));
  });
}

Deno.test("dry run shows nothing that a terminal would obey, whoever chose the names", async () => {
  const hostile = "web\x1b[2J\r\n\x07\x9b31m\u202egnp.exe\u2066\u200b\u2028\u{e0041}<end>";
  using dir = directory({
    "config.ts": CONFIG.replace(
      `{ name: "Pager"`,
      `{ name: "Text", notify() {}, preview: ({ FQDN }: { FQDN: unknown }) => "rm " + FQDN }, { name: "Pager"`,
    ),
    "hostile.jsonl": [
      JSON.stringify({
        message_id: `id${hostile}`,
        event_type: "compute.instance.create.end",
        timestamp: `2026-11-21 19:13:11${hostile}`,
        payload: {
          instance_id: "server-1\u202e<end>",
          hostname: `host${hostile}`,
          metadata: { [`key${hostile}`]: `value${hostile}`, owner: hostile },
          fixed_ips: [{ address: `10.0.0.1${hostile}` }],
        },
      }),
      JSON.stringify({ message_id: `id${hostile}`, event_type: `type${hostile}`, payload: {} }),
      JSON.stringify({ message_id: `other${hostile}`, event_type: `instance.${hostile}`, payload: {} }),
    ].join("\n"),
    [`file${hostile.replaceAll("/", "")}`]: "no JSON",
  });
  const files = ["hostile.jsonl", `file${hostile.replaceAll("/", "")}`];
  for (const more of [[], ["--json"]]) {
    const args = [...files.flatMap((file) => ["--dry-run", file]), ...more];
    const { code, out, err } = await runProgram({ dir: dir.path(), args });
    assert.equal(code, 1);
    assert.equal(hostileIn(out), null);
    assert.equal(hostileIn(err), null);
    assert.match(out, /host.*<end>/);
    assert.match(err, /^Cannot read a notification in "fileweb.*<end>", line 1: not JSON\n$/);
    if (more.length === 0) continue;
    assert.equal(resultsIn(out)[0]?.events[0]?.detail["FQDN"], `host${hostile}`);
  }
});

Deno.test("dry run never shows a token that a notification carries", async () => {
  const token = "gAAAAABl-very-secret";
  const message = {
    message_id: "1",
    event_type: "compute.instance.create.end",
    payload: { instance_id: "server", hostname: "web" },
    _context_auth_token: token,
    _context_service_catalog: [{ token }],
  };
  using dir = directory({
    "good.json": JSON.stringify(message),
    "incomplete.json": JSON.stringify({ ...message, payload: {} }),
    "cut.json": JSON.stringify(message).slice(0, -3),
    "broken.json": JSON.stringify(message).replace(`"1"`, `"1" "${token}"`),
  });
  const args = ["good", "incomplete", "cut", "broken"].flatMap((name) => ["--dry-run", `${name}.json`]);
  const { out, err } = await runProgram({ dir: dir.path(), args: [...args, "--debug"] });
  assert.match(out, /creation: a server came/);
  assert.ok(!`${out}${err}`.includes("gAAAA"));
});

Deno.test("dry run writes nothing, not even a ledger", async () => {
  using dir = directory({ state: null });
  const env = { XDG_STATE_HOME: dir.path("state"), HOME: dir.path("state"), DENO_DIR: denoDir() };
  const { code } = await runProgram({
    dir: dir.path(),
    args: ["--dry-run", sampleFile("life.jsonl")],
    permissions: ["--allow-read", "--allow-write", "--allow-env", "--deny-net"],
    env,
  });
  assert.equal(code, 0);
  assert.deepEqual([...Deno.readDirSync(dir.path())].map(({ name }) => name).sort(), ["config.ts", "state"]);
  assert.deepEqual([...Deno.readDirSync(dir.path("state"))], []);
});

Deno.test("dry run takes the configuration and plugins beside it from any directory", async () => {
  using dir = new ProgramDirectory({
    "etc/config.ts": `import { Mine } from "./plugins/mine.ts";
      export const events = { creation: ["instance.create.end"], deletion: [] };
      export const plugins = [new Mine()];`,
    "etc/plugins/mine.ts": `import { printable } from "oss-watcher/kit";
      export class Mine { notify() {} preview({ FQDN }: { FQDN: string }) { return printable("mine gets " + FQDN); } }`,
  });
  const args = ["--config", "etc/config.ts", "--dry-run", sampleFile("compute.instance.create.end.json")];
  const { code, out, err } = await runProgram({ dir: dir.path(), args });
  assert.equal(err, "");
  assert.equal(code, 0);
  assert.match(out, /\n {2}Mine would send\n {4}mine gets beam-ctl-01\n/);
});

Deno.test("dry run goes on when a plugin's preview fails, and ends with 1", async () => {
  using dir = directory({
    "config.ts": `export const events = { creation: ["instance.create.end"], deletion: [] };
      const notify = () => {};
      export const plugins = [
        { name: "Throws", notify, preview() { throw new Error("no such template\\x1b[2J"); } },
        { name: "Rejects", notify, preview: () => Promise.reject("no reason") },
        { name: "Big", notify, preview: () => 1n },
        { name: "Odd", notify, preview: () => ({ method: 1, url: 2, headers: null }) },
        { name: "Good", notify, preview: () => "good" },
      ];`,
  });
  const args = ["--dry-run", sampleFile("compute.instance.create.end.json")];
  const { code, out, err } = await runProgram({ dir: dir.path(), args });
  assert.equal(err, "");
  assert.equal(code, 1);
  assert.deepEqual(
    out.split("\n").filter((line) => /^ {2}[A-Z]/.test(line)),
    [
      "  Throws: its preview failed: no such template\\u{1b}[2J",
      "  Rejects: its preview failed: no reason",
      "  Big: its preview failed: Do not know how to serialize a BigInt",
      "  Odd would send",
      "  Good would send",
    ],
  );
});

Deno.test("dry run shows a detail with null where a function of the configuration throws, and says so", async () => {
  using dir = directory({
    "config.ts": SHORT_CONFIG.replace(
      "} satisfies Config",
      `detail: { fields: { Rack: () => { throw new Error("no rack"); }, Site: ({ detail }) => detail.FQDN } } } satisfies Config`,
    ),
  });
  const args = ["--dry-run", sampleFile("compute.instance.create.end.json")];
  const { code, out, err } = await runProgram({ dir: dir.path(), args });
  assert.equal(code, 0);
  assert.match(out, /\n {6}"Rack": null,\n {6}"Site": "beam-ctl-01"\n/);
  assert.match(err, /^\S+ \S+ WARNING \(detail\) .*Rack.*no rack.*\n$/);
});

Deno.test("dry run hides what came through env(), in URLs, bodies and errors of previews", async () => {
  using dir = directory({
    "config.ts": `import { type Config, env } from "oss-watcher";
      import { RestNotify } from "oss-watcher/plugins";
      const token = env("HOOK_TOKEN");
      const url = \`https://chat.example/hooks/\${token}\`;
      export default {
        events: { creation: ["compute.instance.create.end"], deletion: [] },
        plugins: [
          new RestNotify({ urlCreation: url, urlDeletion: url, body: ({ FQDN }) => ({ FQDN, token }) }),
          { name: "Broken", notify() {}, preview() { throw new Error("no " + token); } },
        ],
      } satisfies Config;`,
  });
  const args = ["--dry-run", sampleFile("compute.instance.create.end.json")];
  const { code, out, err } = await runProgram({ dir: dir.path(), args, env: { HOOK_TOKEN: "T0KEN/of-hook" } });
  // A preview that fails is a bug of the configuration.
  assert.equal(code, 1, err);
  assert.match(out, /POST https:\/\/chat\.example\/hooks\/\*\*\*\n/);
  assert.match(out, /"token": ?"\*\*\*"/);
  assert.match(out, /Broken: its preview failed: no \*\*\*\n/);
  assert.doesNotMatch(out + err, /T0KEN/);
});

Deno.test("dry run that waits for input ends at the first SIGINT", async () => {
  using dir = directory({ "config.ts": `console.error("loaded");\n${CONFIG}` });
  await using program = startProgram({ dir: dir.path(), args: ["--dry-run", "-"], input: "" });
  // The configuration is loaded after all that listens to signals could be.
  await until(() => program.err.includes("loaded"), 60_000);
  assert.equal((await program.end("SIGINT")).signal, "SIGINT");
});

function sampleFile(file: string): string {
  return fileURLToPath(new URL(`../../samples/${file}`, import.meta.url));
}

function wireBody(name: string): string {
  return readSamples().find((one) => one.name === name)!.sample.wire_body;
}

function jsonLines(lines: readonly CaptureLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** With a configuration if none is named. */
function directory(files: Readonly<Record<string, string | null>>): ProgramDirectory {
  return new ProgramDirectory({ "config.ts": CONFIG, ...files });
}

interface Result {
  readonly messageId: string;
  readonly event: string;
  readonly events: readonly {
    readonly key: string;
    readonly created: boolean;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
  readonly plugins: readonly {
    readonly name: string;
    readonly key: string;
    readonly created: boolean;
    readonly preview: unknown;
  }[];
  readonly reason: string | null;
}

function resultsIn(out: string): Result[] {
  return out.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** The first character that a terminal would obey or not show, line ends aside. */
function hostileIn(text: string): string | null {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.exec(text.replaceAll("\n", ""))?.[0] ?? null;
}
