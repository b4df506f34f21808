import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { decide, WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { readDocuments } from "../../src/runtime/documents.ts";
import { describeFirst, listLayout } from "../../src/cli/events_text.ts";
import type { Listed } from "../../src/model/operations.ts";
import { type Database, openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import type { Delivery, Settlement } from "../../src/model/ledger.ts";
import { announceEvents, detailEvents, madeEvent } from "../support/made_events.ts";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram, startProgram } from "../support/program.ts";
import { EVERYTHING } from "../support/rules.ts";
import { until } from "../support/until.ts";

/** Long enough for a machine that is busy with much else. */
const LONG_MS = 120_000;
const NOW = Date.parse("2026-11-21T20:00:00Z");

const FIRST = "server/4818c5b1-ac0b-4458-9eed-faf8936ad379/creation";
const SECOND = "server/b7d20e4e-ba30-4575-b254-c1bb767a6f0d/creation";
const LAST = "server/4818c5b1-ac0b-4458-9eed-faf8936ad379/deletion";
const MOVED = "floatingip/8d58b4a7-0471-4678-8fc2-7d6f929bab45";
const DELETED = "floatingip/d9839822-857b-485d-8bc1-636b3c13e652";
const SURVIVING = "floatingip/15d3ebc7-2144-43ad-88fe-998ff62b47ca";

/** The events of samples/life.jsonl, as samples/README.md tells them. */
const LIFE = [
  FIRST,
  SECOND,
  `${MOVED}/1/creation`,
  `${MOVED}/2/deletion`,
  `${MOVED}/3/creation`,
  `${MOVED}/4/deletion`,
  `${DELETED}/1/creation`,
  `${DELETED}/2/deletion`,
  `${SURVIVING}/1/creation`,
  `${SURVIVING}/2/deletion`,
  LAST,
];

const REFUSED = `POST https://cmdb.example/created: 422: ${"no such owner, ".repeat(10)}\x1b[2J\u202e`;

Deno.test("events lists every delivery, newest first, within 80 columns", async () => {
  using dir = await ledgerDirectory();
  const { code, out, err } = await events(dir, []);
  assert.deepEqual([code, err], [0, ""]);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines[0], "TIME (UTC)           STATE       TRIES  PLUGIN  SERVER");
  assert.deepEqual(keysIn(out), LIFE.toReversed().flatMap((key) => [key, key]));
  assert.deepEqual(tooWide(out), []);
});

Deno.test("events --state dead shows what was refused, and why, on one line", async () => {
  using dir = await ledgerDirectory();
  const { code, out } = await events(dir, ["--state", "dead"]);
  assert.equal(code, 0);
  assert.equal(
    out,
    `TIME (UTC)           STATE       TRIES  PLUGIN  SERVER
2026-11-21 20:00:00  dead            1  Cmdb    beam-ctl-01 10.11.0.21
  ${FIRST}
  POST https://cmdb.example/created: 422: no such owner, no such owner, no such…
`,
  );
});

Deno.test("events --state retrying shows when it is tried next", async () => {
  using dir = await ledgerDirectory();
  const { out } = await events(dir, ["--state", "retrying"]);
  assert.equal(
    out,
    `TIME (UTC)           STATE       TRIES  PLUGIN  SERVER
2026-11-21 20:00:00  retrying        2  Cmdb    beam-ctl-02 10.11.0.160
  ${SECOND}
  next 2026-11-21 20:01:40: no answer within 10 s
`,
  );
});

for (
  const { args, keys } of [
    { args: ["--state", "waiting"], keys: LIFE.slice(2).toReversed() },
    { args: ["--state", "done"], keys: LIFE.toReversed() },
    { args: ["--state", "dropped"], keys: [] },
    { args: ["--plugin", "Dns"], keys: LIFE.toReversed() },
    { args: ["--plugin", "Cmdb", "--limit", "3"], keys: LIFE.slice(-3).toReversed() },
    {
      args: ["--plugin", "Dns", "--resource", "d9839822-857b-485d-8bc1-636b3c13e652"],
      keys: LIFE.slice(6, 8).toReversed(),
    },
    { args: ["--plugin", "Dns", "--resource", "203.0.113.61"], keys: LIFE.slice(8, 10).toReversed() },
    {
      // The server's own events, and those of the floating IPs on it: all but those of the other one.
      args: ["--plugin", "Dns", "--resource", "4818c5b1-ac0b-4458-9eed-faf8936ad379"],
      keys: [...LIFE.slice(0, 1), ...LIFE.slice(2, 4), ...LIFE.slice(6)].toReversed(),
    },
    { args: ["--plugin", "Dns", "--resource", "10.0.0.1"], keys: [] },
    // By its name, in any case, and by its fixed address: the same as by its id.
    ...["BEAM-ctl-01", "10.11.0.21"].map((resource) => ({
      args: ["--plugin", "Dns", "--resource", resource],
      keys: [...LIFE.slice(0, 1), ...LIFE.slice(2, 4), ...LIFE.slice(6)].toReversed(),
    })),
    { args: ["--plugin", "Dns", "--resource", "beam-ctl-0"], keys: [] },
    { args: ["--plugin", "Dns", "--resource", "beam-ctl-0_"], keys: [] },
    { args: ["--plugin", "Dns", "--resource", "beam-ctl-%"], keys: [] },
    { args: ["--plugin", "Dns", "--resource", `"beam-ctl-01`], keys: [] },
    { args: ["--plugin", "Dns", "--resource", "beam-ctl-01.example.com"], keys: [] },
    { args: ["--plugin", "Dns", "--since", "2026-11-21T20:00Z"], keys: LIFE.toReversed() },
    { args: ["--plugin", "Dns", "--since", "2026-11-21 21:00+01:00"], keys: LIFE.toReversed() },
    { args: ["--plugin", "Dns", "--since", "2026-11-21"], keys: LIFE.toReversed() },
    { args: ["--plugin", "Dns", "--since", "2026-11-21T20:00:00.001"], keys: [] },
    { args: ["--plugin", "Dns", "--since", "99999d"], keys: LIFE.toReversed() },
  ]
) {
  Deno.test(`events ${args.join(" ")} lists exactly what fits`, async () => {
    using dir = await ledgerDirectory();
    const human = await events(dir, args);
    const json = await events(dir, [...args, "--json"]);
    assert.deepEqual([human.code, human.err, json.code, json.err], [0, "", 0, ""]);
    assert.deepEqual(keysIn(human.out), keys);
    assert.deepEqual(linesOf(json.out).map(({ key }) => key), keys);
    if (keys.length === 0) assert.equal(human.out, "No delivery or notification matches.\n");
    assert.equal(human.out.includes("--limit shows more"), args.includes("--limit"));
    assert.deepEqual(tooWide(human.out), []);
  });
}

Deno.test("events --resource finds a server by the name with the domain that details have", async () => {
  using dir = await ledgerDirectory();
  {
    using database = openDatabase(dir.path("ledger.db"), { create: false });
    database.exec(
      "UPDATE event SET detail = json_set(detail, '$.FQDN', json_extract(detail, '$.FQDN') || '.cloud.example.com')",
    );
  }
  const found = await events(dir, ["--plugin", "Dns", "--resource", "Beam-ctl-02.cloud.example.com"]);
  assert.ok(keysIn(found.out).includes(SECOND));
  assert.ok(!keysIn(found.out).includes(FIRST));
  const other = await events(dir, ["--plugin", "Dns", "--resource", "beam-ctl-02.example.org"]);
  assert.equal(other.out, "No delivery or notification matches.\n");
});

Deno.test("events gives a server that does not fit beside its facts a line of its own", () => {
  const listed: Listed = {
    key: "server/a/creation",
    state: "done",
    name: "a-name-of-a-server\x1b[2J.cloud.example.com",
    address: "2001:db8::1234",
    plugin: "Cmdb",
    at: NOW,
    origin: "bus",
    attempts: 1,
    dueAt: null,
    reason: null,
  };
  const shown = (width?: number) => describeFirst([listed], listLayout(["Cmdb"], width)).split("\n").slice(1);
  const facts = "2026-11-21 20:00:00  done            1  Cmdb";
  const server = "a-name-of-a-server\\u{1b}[2J.cloud.example.com 2001:db8::1234";
  assert.deepEqual(shown(), [facts, `  ${server}`, "  server/a/creation"]);
  assert.deepEqual(shown(120), [`${facts}    ${server}`, "  server/a/creation"]);
  assert.deepEqual(shown(50)[1], `  ${server.slice(0, 47)}…`);
  assert.deepEqual(shown(40).slice(0, 1), [facts]);
});

Deno.test("events --json has one line with the same keys for every state", async () => {
  using dir = await ledgerDirectory();
  const keys = ["key", "state", "name", "address", "origin", "plugin", "at", "attempts", "dueAt", "reason"];
  const [dead, rejected, superseded] = await Promise.all(
    ["dead", "rejected", "superseded"].map((state) => events(dir, ["--state", state, "--json"])),
  );
  for (const { out } of [dead!, rejected!, superseded!]) {
    assert.equal(hostileIn(out), null);
    for (const line of linesOf(out)) assert.deepEqual(Object.keys(line), keys);
  }
  assert.deepEqual(linesOf(dead!.out), [
    {
      key: FIRST,
      state: "dead",
      name: "beam-ctl-01",
      address: "10.11.0.21",
      origin: "bus",
      plugin: "Cmdb",
      at: NOW,
      attempts: 1,
      dueAt: null,
      reason: REFUSED,
    },
  ]);
  assert.deepEqual(linesOf(rejected!.out), [{
    key: "notifications.info\x1b[2J",
    state: "rejected",
    name: null,
    address: null,
    origin: "bus",
    plugin: null,
    at: NOW,
    attempts: 0,
    dueAt: null,
    reason: "not JSON (12 bytes, sha256 abababababab…)",
  }]);
  assert.deepEqual(superseded!.out, "");
});

Deno.test("events --state rejected shows what could not be read", async () => {
  using dir = await ledgerDirectory();
  const { code, out } = await events(dir, ["--state", "rejected"]);
  assert.equal(code, 0);
  assert.equal(
    out,
    `TIME (UTC)           STATE       TRIES  PLUGIN  SERVER
2026-11-21 20:00:00  rejected        0  -
  notifications.info\\u{1b}[2J
  not JSON (12 bytes, sha256 abababababab…)
`,
  );
});

for (
  const { args, err, code } of [
    {
      args: ["--plugin", "Cmbd"],
      err: `Cannot find the plugin "Cmbd": the ledger knows Cmdb, Dns; did you mean "Cmdb"?`,
      code: 1,
    },
    {
      args: ["replay", "--dead", "--plugin", "Cmbd"],
      err: `Cannot find the plugin "Cmbd": the ledger knows Cmdb, Dns; did you mean "Cmdb"?`,
      code: 1,
    },
    {
      args: ["drop", "--plugin", "Ldap"],
      err: `Cannot find the plugin "Ldap": the ledger knows Cmdb, Dns`,
      code: 1,
    },
    {
      args: ["--state", "rejected", "--plugin", "Cmdb"],
      err: "Cannot use --plugin with --state rejected: no plugin is called for those",
      code: 2,
    },
    {
      args: ["--state", "rejected", "--resource", "10.0.0.1"],
      err: "Cannot use --resource with --state rejected: the resource of such a message is unknown",
      code: 2,
    },
    {
      args: ["show", "server/none\x1b[2J/creation"],
      err:
        `Cannot show the event "server/none\\u{1b}[2J/creation": the ledger has no event of this key. oss-watcher events lists them`,
      code: 1,
    },
  ]
) {
  Deno.test(`events ${args.join(" ").replace("\x1b", "")} is refused in clear words, with exit code ${code}`, async () => {
    using dir = await ledgerDirectory();
    assert.deepEqual(await events(dir, args), { code, out: "", err: `${err}\n` });
  });
}

Deno.test("events show tells everything about an event", async () => {
  using dir = await ledgerDirectory();
  const { code, out, err } = await events(dir, ["show", FIRST]);
  assert.deepEqual([code, err], [0, ""]);
  const [head, deliveries] = [out.split("\n").slice(0, 5), out.slice(out.indexOf("\nCmdb"))];
  assert.deepEqual(head, [
    FIRST,
    "  creation, from compute.instance.create.end of 2026-11-21T19:13:11.667Z",
    "  decided 2026-11-21 20:00:00 UTC",
    "notification",
    "  {",
  ]);
  assert.match(out, /\ndetail\n {2}\{\n {4}"FQDN": "beam-ctl-01",\n {4}"IP": "10\.11\.0\.21",\n/);
  assert.equal(
    deliveries,
    `
Cmdb: dead at 2026-11-21 20:00:01 UTC, 1 attempt
      1  2026-11-21 20:00:01  client_error: POST https://cmdb.example/created:
         422: no such owner, no such owner, no such owner, no such owner, no
         such owner, no such owner, no such owner, no such owner, no such owner,
         no such owner, \\u{1b}[2J\\u{202e}
Dns: done at 2026-11-21 20:00:01 UTC, 1 attempt
`,
  );
  assert.equal(hostileIn(out), null);
  assert.deepEqual(tooWide(deliveries), []);
});

Deno.test("events show tells what a delivery waits for", async () => {
  using dir = await ledgerDirectory();
  const { out } = await events(dir, ["show", `${MOVED}/3/creation`]);
  assert.equal(
    out.slice(out.indexOf("\nCmdb")),
    `
Cmdb: waiting, due 2026-11-21 20:00:00 UTC, 0 attempts
  waits for ${SECOND}
  waits for ${MOVED}/1/creation
  waits for ${MOVED}/2/deletion
Dns: done at 2026-11-21 20:00:01 UTC, 1 attempt
`,
  );
});

Deno.test("events show --json gives the same to programs", async () => {
  using dir = await ledgerDirectory();
  const { code, out } = await events(dir, ["show", FIRST, "--json"]);
  assert.equal(code, 0);
  assert.equal(hostileIn(out), null);
  const [shown, ...more] = linesOf(out) as unknown as Record<string, never>[];
  assert.deepEqual(more, []);
  assert.deepEqual(Object.keys(shown!), ["event", "decidedAt", "notification", "detail", "deliveries"]);
  assert.deepEqual(shown!["deliveries"], [
    {
      plugin: "Cmdb",
      state: "dead",
      attempts: 1,
      dueAt: null,
      finishedAt: NOW + 1000,
      failures: [{ attempt: 1, startedAt: NOW, endedAt: NOW + 1000, reason: "client_error", error: REFUSED }],
      waitsFor: [],
    },
    { plugin: "Dns", state: "done", attempts: 1, dueAt: null, finishedAt: NOW + 1000, failures: [], waitsFor: [] },
  ]);
});

Deno.test("events replay makes a dead letter wait again, once", async () => {
  using dir = await ledgerDirectory();
  assert.deepEqual(await events(dir, ["replay", FIRST]), { code: 0, out: "1 replayed, 0 refused\n", err: "" });
  // It has failed before.
  assert.deepEqual(await states(dir, FIRST), { Cmdb: "retrying", Dns: "done" });
  assert.deepEqual(await events(dir, ["replay", FIRST]), {
    code: 1,
    out: `not replayed: ${FIRST}
  Cmdb: it is retrying, neither dead nor dropped
not replayed: ${FIRST}
  Dns: it is done, neither dead nor dropped
0 replayed, 2 refused
`,
    err: "",
  });
});

Deno.test("events replay --dead replays all dead letters, or those of one plugin", async () => {
  using dir = await ledgerDirectory();
  assert.equal((await events(dir, ["replay", "--dead", "--plugin", "Dns"])).out, "0 replayed, 0 refused\n");
  assert.deepEqual(await states(dir, FIRST), { Cmdb: "dead", Dns: "done" });
  assert.equal((await events(dir, ["replay", "--dead", "--plugin", "Cmdb"])).out, "1 replayed, 0 refused\n");
  assert.deepEqual(await states(dir, FIRST), { Cmdb: "retrying", Dns: "done" });
});

Deno.test("events replay refuses what a later event has overtaken, unless forced", async () => {
  using dir = await ledgerDirectory((ledger) => settleAll(ledger, "Cmdb"));
  const refused = await events(dir, ["replay", FIRST]);
  assert.equal(refused.code, 1);
  assert.match(refused.out, new RegExp(`^not replayed: ${FIRST}\\n  Cmdb: the later event\\s+(\\S+)\\s+was`));
  assert.match(
    refused.out.replace(/\s+/g, " "),
    / was delivered; --force sends it all the same 0 replayed, 1 refused $/,
  );
  assert.deepEqual(tooWide(refused.out), []);
  assert.deepEqual(await events(dir, ["replay", FIRST, "--force"]), {
    code: 0,
    out: "1 replayed, 0 refused\n",
    err: "",
  });
});

Deno.test("events replay names keys that are not there and treats the others", async () => {
  using dir = await ledgerDirectory();
  assert.deepEqual(await events(dir, ["replay", "server/none/creation", FIRST, "--plugin", "Cmdb"]), {
    code: 1,
    out: "1 replayed, 0 refused\n",
    err: `Cannot find the event "server/none/creation" for Cmdb\n`,
  });
});

Deno.test("events drop gives up what is not done, and lets later ones go on", async () => {
  using dir = await ledgerDirectory();
  assert.deepEqual(await events(dir, ["drop", SECOND]), { code: 0, out: "1 dropped, 0 refused\n", err: "" });
  assert.deepEqual(await states(dir, SECOND), { Cmdb: "dropped", Dns: "done" });
  assert.doesNotMatch((await events(dir, ["show", `${MOVED}/3/creation`])).out, new RegExp(`waits for ${SECOND}`));
  assert.deepEqual(await events(dir, ["drop", SECOND]), {
    code: 1,
    out: `not dropped: ${SECOND}
  Cmdb: it is dropped already
not dropped: ${SECOND}
  Dns: it is done already
0 dropped, 2 refused
`,
    err: "",
  });
  assert.deepEqual(await events(dir, ["drop", "server/none/creation"]), {
    code: 1,
    out: "0 dropped, 0 refused\n",
    err: `Cannot find the event "server/none/creation"\n`,
  });
});

Deno.test("events drop --plugin gives up all that waits for a plugin, and nothing else", async () => {
  using dir = await ledgerDirectory();
  assert.deepEqual(await events(dir, ["drop", "--plugin", "Cmdb"]), {
    code: 0,
    out: "10 dropped, 0 refused\n",
    err: "",
  });
  assert.deepEqual(await states(dir, FIRST), { Cmdb: "dead", Dns: "done" });
  assert.deepEqual(await states(dir, LAST), { Cmdb: "dropped", Dns: "done" });
});

Deno.test("events takes the ledger that the configuration names, wherever --config stands", async () => {
  using dir = await ledgerDirectory();
  dir.write(
    "etc/config.ts",
    `export const events = { creation: ["instance.create.end"], deletion: [] };
     export const plugins = [{ name: "Mine", notify() {} }];
     export default { events, plugins, ledger: { file: "../ledger.db" } };`,
  );
  const args = ["--state", "dead", "--json"];
  for (const line of [["--config", "etc/config.ts", "events", ...args], ["events", ...args, "-c", "etc/config.ts"]]) {
    const { code, out, err } = await runProgram({ dir: dir.path(), args: line, permissions: READ_WRITE });
    assert.deepEqual([code, err, linesOf(out).map(({ key }) => key)], [0, "", [FIRST]]);
  }
});

Deno.test("events lists more than it reads at once, each delivery once, as text and as JSON", async () => {
  using dir = new ProgramDirectory({});
  await fillLedger(dir.path("ledger.db"), 2500);
  const { code, out } = await events(dir, ["--json", "--limit", "4999"]);
  assert.equal(code, 0);
  const listed = linesOf(out).map(({ key, plugin }) => `${key} ${plugin}`);
  assert.equal(listed.length, 4999);
  assert.equal(new Set(listed).size, 4999);
  const text = await events(dir, ["--limit", "9999"]);
  assert.equal(text.out.split("TIME (UTC)").length, 2);
  assert.deepEqual(keysIn(text.out).slice(0, 4999), listed.map((line) => line.split(" ")[0]));
  assert.equal(keysIn(text.out).length, 5000);
});

Deno.test("events waits for a reader that is slow, and takes no memory for what is not read", async () => {
  using dir = new ProgramDirectory({});
  await fillLedger(dir.path("ledger.db"), 4000);
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...READ_WRITE,
      main,
      "events",
      "--json",
      "--limit",
      "9999",
      "--ledger",
      "ledger.db",
    ],
    cwd: dir.path(),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  let lines = 0;
  for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
    for (const byte of value ?? []) if (byte === 10) lines++;
    // Others have many turns between two reads: the pipe is full by then.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal((await child.status).code, 0);
  assert.equal(lines, 8000);
});

Deno.test("events ends in silence when nobody reads on", async () => {
  using dir = await ledgerDirectory();
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...READ_WRITE, main, "events", "--ledger", "ledger.db"],
    cwd: dir.path(),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  assert.equal(await new Response(child.stderr).text(), "");
  // As a shell says it of SIGPIPE.
  assert.equal((await child.status).code, 141);
});

Deno.test("backup writes a copy that stands for itself", async () => {
  using dir = await ledgerDirectory();
  const { code, out, err } = await runProgram({
    dir: dir.path(),
    args: ["backup", "copy.db", "--ledger", "ledger.db"],
    permissions: READ_WRITE,
  });
  const size = Deno.statSync(dir.path("copy.db")).size;
  assert.deepEqual({ code, out, err }, { code: 0, out: "", err: `Wrote ${size} bytes to "copy.db"\n` });
  Deno.mkdirSync(dir.path("elsewhere"));
  Deno.renameSync(dir.path("copy.db"), dir.path("elsewhere/ledger.db"));
  const [original, copy] = [
    await events(dir, ["--json"]),
    await events(dir, ["--json"], "elsewhere/ledger.db"),
  ];
  assert.deepEqual(copy, original);
  assert.equal(linesOf(copy.out).length, 22);
});

for (
  const { what, file, says } of [
    { what: "over a file", file: "config.ts", says: "the file exists already. Name another, or remove it" },
    { what: "over the ledger itself", file: "ledger.db", says: "the file exists already. Name another, or remove it" },
    {
      what: "into a directory that is not there",
      file: "none/copy.db",
      says: "its directory is not there. Make it, or name another",
    },
    {
      what: "into a directory that is a file",
      file: "ledger.db/copy.db",
      says: "a part of its path is a file. Name another place",
    },
  ]
) {
  Deno.test(`backup ${what} is refused and changes nothing`, async () => {
    using dir = await ledgerDirectory();
    dir.write("config.ts", "// precious");
    const before = Deno.readFileSync(dir.path("ledger.db"));
    assert.deepEqual(
      await runProgram({ dir: dir.path(), args: ["backup", file, "--ledger", "ledger.db"], permissions: READ_WRITE }),
      { code: 1, out: "", err: `Cannot write the copy "${file}": ${says}\n` },
    );
    assert.equal(Deno.readTextFileSync(dir.path("config.ts")), "// precious");
    assert.deepEqual(Deno.readFileSync(dir.path("ledger.db")), before);
  });
}

Deno.test("events and backup work beside a running service, which notices a replay within 2 s", async () => {
  await using cmdb = new Receiver();
  await using dns = new Receiver();
  // The receiver refuses the first server for good until somebody mends it; the second hangs in retries.
  let mended = false;
  cmdb.answer = ({ key }) =>
    new Response(null, { status: mended ? 204 : key === FIRST ? 422 : key === SECOND ? 503 : 204 });
  using dir = new ProgramDirectory({ "config.ts": configFor({ Cmdb: cmdb, Dns: dns }) });
  await fill(dir);
  // It needs no broker for what it has recorded.
  await using service = new Service(dir.path());
  await until(async () => (await states(dir, FIRST))["Cmdb"] === "dead", LONG_MS);
  await until(() => dns.requests.length === LIFE.length, LONG_MS);
  assert.deepEqual(await states(dir, `${MOVED}/3/creation`), { Cmdb: "waiting", Dns: "done" });

  const backup = await runProgram({ dir: dir.path(), args: ["backup", "copy.db"], permissions: READ_WRITE });
  assert.equal(backup.code, 0, backup.err);
  assert.equal(linesOf((await events(dir, ["--json"], "copy.db")).out).length, 22);

  // What waited for the second server goes on when that is dropped.
  const dropped = await events(dir, ["drop", SECOND]);
  assert.deepEqual([dropped.code, dropped.out], [0, "1 dropped, 0 refused\n"]);
  await until(() => cmdb.requests.some(({ key }) => key === `${MOVED}/3/creation`), LONG_MS);
  assert.deepEqual(await states(dir, SECOND), { Cmdb: "dropped", Dns: "done" });

  mended = true;
  const sent = cmdb.requests.length;
  const replayed = await events(dir, ["replay", FIRST, "--force"]);
  const at = Date.now();
  assert.deepEqual([replayed.code, replayed.out], [0, "1 replayed, 0 refused\n"]);
  await until(() => cmdb.requests.slice(sent).some(({ key }) => key === FIRST), LONG_MS);
  const afterMs = cmdb.requests.slice(sent).find(({ key }) => key === FIRST)!.at - at;
  // Within two seconds by docs/OPERATIONS.md; a machine may be busy.
  assert.ok(afterMs < 10_000, `${afterMs} ms`);
  await until(async () => (await states(dir, FIRST))["Cmdb"] === "done", LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

/**
 * A directory with a ledger, made by the stages themselves, that holds the life of samples/life.jsonl for two plugins: all was done by
 * `Dns`; of `Cmdb`'s, the first is dead, the second was tried twice, and the others wait. One message was rejected.
 */
async function ledgerDirectory(
  more: (ledger: SqliteLedger) => Promise<void> = async () => {},
): Promise<ProgramDirectory> {
  const dir = new ProgramDirectory({});
  const { database, ledger } = await recorded(dir);
  await ledger.decide(100, (notification, memory) => decide(notification, memory, EVERYTHING));
  await detailEvents(ledger);
  await settleAll(ledger, "Dns");
  const [first, second] = await ledger.ready({ plugin: "Cmdb", now: NOW, limit: 2 }) as [Delivery, Delivery];
  const retry = { failure: { reason: "timeout", error: "no answer within 10 s" }, dueAt: NOW + 100_000 } as const;
  await ledger.settle([
    settlement(first, { outcome: "dead", failure: { reason: "client_error", error: REFUSED } }),
    settlement(second, { outcome: "retry", ...retry }),
    settlement(second, { outcome: "retry", ...retry }),
  ]);
  await more(ledger);
  database.close();
  return dir;
}

/** The same life, recorded and not decided yet: what a service that was stopped leaves. */
async function fill(dir: ProgramDirectory): Promise<void> {
  const { database } = await recorded(dir);
  database.close();
}

async function recorded(dir: ProgramDirectory): Promise<{ database: Database; ledger: SqliteLedger }> {
  const database = openDatabase(dir.path("ledger.db"), { create: true });
  const ledger = new SqliteLedger(database, () => NOW);
  const life = Deno.readFileSync(fileURLToPath(new URL("../../samples/life.jsonl", import.meta.url)));
  await ledger.activate(["Cmdb", "Dns"]);
  await ledger.record(
    (await readDocuments(life)).flatMap(({ decoded }) => {
      if ("refused" in decoded || !WATCHED_EVENT_TYPES.has(decoded.notification.eventType)) return [];
      return [{ receivedAt: NOW, notification: decoded.notification }];
    }),
  );
  const rejection = { reason: "not JSON", size: 12, sha256: "ab".repeat(32), exchange: "nova", body: null };
  await ledger.record([{ receivedAt: NOW, rejection: { ...rejection, routingKey: "notifications.info\x1b[2J" } }]);
  return { database, ledger };
}

/** Delivers all that waits for a plugin. */
async function settleAll(ledger: SqliteLedger, plugin: string): Promise<void> {
  const ready = () => ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 100 });
  for (let some = await ready(); some.length > 0; some = await ready()) {
    await ledger.settle(some.map((delivery) => settlement(delivery, { outcome: "done", failure: null })));
  }
}

/** An attempt that took a second. */
function settlement(
  { seq, plugin }: Delivery,
  end: Pick<Settlement, "outcome" | "failure"> & Partial<Settlement>,
): Settlement {
  return { seq, plugin, startedAt: NOW, endedAt: NOW + 1000, dueAt: 0, triedMs: 0, ...end };
}

function configFor(targets: Readonly<Record<string, Receiver>>): string {
  const plugins = Object.entries(targets).map(([name, { port }]) => {
    const options = { name, host: "http://127.0.0.1", port, urlCreation: "/created", urlDeletion: "/deleted" };
    return `new RestNotify(${JSON.stringify(options)})`;
  });
  return `import { RestNotify } from "oss-watcher/plugins";
    export default {
      events: {
        creation: ["compute.instance.create.end", "floatingip.update.end"],
        deletion: ["compute.instance.delete.end", "floatingip.update.end"],
      },
      plugins: [${plugins.join(", ")}],
      rabbit: { url: "amqp://127.0.0.1:1/", queue: { name: "unreachable" } },
      retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.5 },
      // The recording may be older than what is usually believed of a queue.
      ledger: { file: "./ledger.db", keepDays: 36500 },
    };`;
}

function events(dir: ProgramDirectory, args: readonly string[], ledger = "ledger.db"): Promise<ProgramEnd> {
  const all = ["events", ...args, "--ledger", ledger];
  return runProgram({ dir: dir.path(), args: all, permissions: READ_WRITE });
}

/** What became of an event, by plugin; empty while there is no such event. */
async function states(dir: ProgramDirectory, key: string): Promise<Record<string, string>> {
  const { out } = await events(dir, ["show", key, "--json"]);
  const [{ deliveries } = { deliveries: [] }] = linesOf(out) as { deliveries: { plugin: string; state: string }[] }[];
  return Object.fromEntries(deliveries.map(({ plugin, state }) => [plugin, state]));
}

function keysIn(human: string): string[] {
  return human.split("\n").filter((line) => /^ {2}(server|floatingip)\//.test(line)).map((line) => line.trim());
}

function linesOf(out: string): Record<string, unknown>[] {
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function tooWide(human: string): string[] {
  return human.split("\n").filter((line) => line.length > 80);
}

/** The first character that a terminal would obey or not show, line ends aside. */
function hostileIn(text: string): string | null {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.exec(text.replaceAll("\n", ""))?.[0] ?? null;
}

/** A ledger of so many events, each for two plugins. */
async function fillLedger(file: string, count: number): Promise<void> {
  const database = openDatabase(file, { create: true });
  try {
    database.exec("PRAGMA synchronous = OFF");
    const ledger = new SqliteLedger(database, () => NOW);
    await ledger.activate(["Cmdb", "Ldap"]);
    await announceEvents(ledger, Array.from({ length: count }, (_, n) => madeEvent(`server/${n}/creation`, [`s${n}`])));
  } finally {
    database.close();
  }
}

Deno.test("events --watch shows the newest, then what changes, until Ctrl-C", async () => {
  using dir = await ledgerDirectory();
  await using watching = startProgram({
    dir: dir.path(),
    args: ["events", "--ledger", "ledger.db", "--watch", "--limit", "2", "--json"],
    permissions: READ_WRITE,
  });
  const lines = () => watching.out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Listed);
  await until(() => lines().length === 2, LONG_MS);
  assert.deepEqual(lines().map(({ key }) => key), [LAST, LAST]);
  const dead = (await events(dir, ["--state", "dead", "--json"])).out.trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  const { key, plugin } = dead.at(-1) as Listed;

  assert.equal((await events(dir, ["drop", key, "--plugin", plugin!])).code, 0);
  await until(() => lines().length === 3, LONG_MS);
  const { code } = await watching.end("SIGINT");
  assert.deepEqual([code, watching.err], [0, ""]);
  const last = lines().at(-1)!;
  assert.deepEqual([last.key, last.plugin, last.state], [key, plugin, "dropped"]);
});
