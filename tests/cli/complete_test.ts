import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { announceEvents, madeEvent, settlementOf } from "../support/made_events.ts";
import { denoDir, ProgramDirectory, READ_ONLY, runProgram } from "../support/program.ts";

const DENO_DIR = denoDir();

/** Makes a ledger of events in this order. The deliveries of `dead` are given up. */
async function makeLedger(
  file: string,
  { keys, dead = [], plugins = ["P"] }: {
    readonly keys: readonly string[];
    readonly dead?: readonly string[];
    readonly plugins?: readonly string[];
  },
): Promise<void> {
  using database = openDatabase(file, { create: true });
  const ledger = new SqliteLedger(database, () => 0);
  await ledger.activate(plugins);
  await announceEvents(ledger, keys.map((key) => madeEvent(key, [key])));
  const ready = await ledger.ready({ plugin: plugins[0]!, now: Number.MAX_SAFE_INTEGER, limit: 999 });
  const given = ready.filter(({ event }) => dead.includes(event.key));
  await ledger.settle(given.map((delivery) => settlementOf(delivery, { outcome: "dead", endedAt: 0 })));
}

/** What a shell is told; the program must have succeeded in silence. */
async function complete(
  dir: ProgramDirectory,
  words: readonly string[],
  { shell = "fish" }: { readonly shell?: string } = {},
): Promise<readonly string[]> {
  const { code, out, err } = await runProgram({
    dir: dir.path(),
    args: ["complete", shell, "--", ...words],
    env: { HOME: dir.path(), XDG_STATE_HOME: dir.path("state"), DENO_DIR },
    // Reading a ledger changes nothing; SQLite writes the index of its write-ahead log by itself.
    permissions: READ_ONLY,
  });
  assert.deepEqual([code, err], [0, ""]);
  return out.split("\n").slice(0, -1);
}

function texts(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/\t.*/, ""));
}

for (
  const [line, ...expected] of [
    [["ev"], "events"],
    [["events", "re"], "replay"],
    [["help", "ba"], "backup"],
    [["completion", ""], "bash", "zsh", "fish"],
    [["events", "--state", "d"], "done", "dead", "dropped"],
    [["events", "--state=d"], "--state=done", "--state=dead", "--state=dropped"],
    [["events", "replay", "--f"], "--force"],
    [["events", "replay", "--force", "--f"]],
    [["--verb"]],
    [["--vers"], "--version"],
    [["events", "--limit", ""]],
    [["events", "--", "--st"]],
    [["new", "plugin", ""]],
    [["nothing", ""]],
    [["--debug", "queue", "rem"], "remove"],
    [["-c", "x.ts", "queue", "rem"], "remove"],
    [["-cx.ts", "queue", "rem"], "remove"],
  ] as const satisfies readonly (readonly [readonly string[], ...string[]])[]
) {
  Deno.test(`complete ${line.join(" ")} proposes ${expected.join(", ") || "nothing"}`, async () => {
    using dir = new ProgramDirectory({});
    assert.deepEqual(texts(await complete(dir, line)), expected);
  });
}

for (
  const [line, expected] of [
    [["--dry-run", ""], "\tfiles"],
    [["events", "--ledger", ""], "\tfiles"],
    [["events", "-c", ""], "\tfiles"],
    [["migrate", "one", ""], "\tfiles"],
    [["diff", ""], "\tfiles"],
    [["diff", "old.ts", ""], "\tfiles"],
    [["diff", "old.ts", "new.ts", ""], "\tfiles"],
    [["test", "one.jsonl", ""], "\tfiles"],
    [["test", "--junit", ""], "\tfiles"],
    [["init", ""], "\tdirectories"],
  ] as const
) {
  Deno.test(`complete ${line.join(" ")} leaves ${expected.trim()} to the shell`, async () => {
    using dir = new ProgramDirectory({});
    assert.deepEqual(await complete(dir, line), [expected]);
  });
}

for (const words of [[], ...COMMANDS.map(({ name }) => [name]), ["events", "replay"], ["plugins", "try"]]) {
  Deno.test(`complete ${[...words, "--"].join(" ")} proposes every option of --help`, async () => {
    using dir = new ProgramDirectory({});
    const { out } = await runProgram({ dir: dir.path(), args: [...words, "--help"] });
    const options = [...out.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option);
    assert.ok(options.length >= 4);
    assert.deepEqual(texts(await complete(dir, [...words, "--"])), options);
  });
}

Deno.test("complete is in no help and no suggestion", async () => {
  using dir = new ProgramDirectory({});
  const help = await runProgram({ dir: dir.path(), args: ["--help"] });
  assert.doesNotMatch(help.out, /^ {2}complete /m);
  const { err } = await runProgram({ dir: dir.path(), args: ["complet"] });
  assert.match(err, /^Cannot run "complet": unknown command/);
  assert.doesNotMatch(err, /"complete"/);
});

Deno.test("complete proposes the newest keys first, for a replay those of dead letters", async () => {
  using dir = new ProgramDirectory({});
  await makeLedger(dir.path("l.db"), { keys: ["a1", "a2", "b1", "a3"], dead: ["a1", "b1"] });
  const keys = async (...words: readonly string[]) => texts(await complete(dir, ["events", ...words]));
  assert.deepEqual(await keys("show", "--ledger", "l.db", "a"), ["a3", "a2", "a1"]);
  assert.deepEqual(await keys("replay", "--ledger", "l.db", "a"), ["a1", "a3", "a2"]);
  assert.deepEqual(await keys("drop", "--ledger=l.db", ""), ["a3", "b1", "a2", "a1"]);
  assert.deepEqual(await keys("drop", "--ledger", "l.db", "a1", "b"), ["b1"]);
  assert.deepEqual(await keys("show", "--ledger", "l.db", "a1", ""), []);
  const [dead = ""] = await complete(dir, ["events", "replay", "--ledger", "l.db", "a"]);
  assert.match(dead, /^a1\t\d{4}-\d\d-\d\d \d\d:\d\d, dead$/);
});

Deno.test("complete proposes 200 keys at most", async () => {
  using dir = new ProgramDirectory({});
  const keys = Array.from({ length: 203 }, (_, index) => `k${index}`);
  await makeLedger(dir.path("l.db"), { keys, dead: ["k0"] });
  const shown = texts(await complete(dir, ["events", "show", "--ledger", "l.db", "k"]));
  assert.deepEqual([shown.length, shown[0], shown.at(-1)], [200, "k202", "k3"]);
  const replayed = texts(await complete(dir, ["events", "replay", "--ledger", "l.db", "k"]));
  assert.deepEqual([replayed.length, replayed[0], replayed[1]], [200, "k0", "k202"]);
});

Deno.test("complete reads the ledger of a running service", async () => {
  using dir = new ProgramDirectory({});
  using database = openDatabase(dir.path("l.db"), { create: true });
  const ledger = new SqliteLedger(database, () => 0);
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("k1", ["k1"])]);
  database.exec("BEGIN IMMEDIATE");
  assert.deepEqual(texts(await complete(dir, ["events", "show", "--ledger", "l.db", ""])), ["k1"]);
  database.exec("ROLLBACK");
});

Deno.test("complete finds the ledger of --config, of ./config.ts, and of no configuration", async () => {
  using dir = new ProgramDirectory({
    "named.ts": configOf("named.db", "console.log('no candidate'); console.error('neither');"),
    "elsewhere/x": "",
  });
  await makeLedger(dir.path("named.db"), { keys: [], plugins: ["Named"] });
  await makeLedger(dir.path("here.db"), { keys: [], plugins: ["Here"] });
  Deno.mkdirSync(dir.path("state/oss-watcher"), { recursive: true });
  await makeLedger(dir.path("state/oss-watcher/ledger.db"), { keys: [], plugins: ["Default"] });
  const plugins = (...before: readonly string[]) => complete(dir, [...before, ""]);
  assert.deepEqual(await plugins("events", "--plugin"), ["Default"]);
  dir.write("config.ts", configOf("here.db"));
  assert.deepEqual(await plugins("events", "--plugin"), ["Here"]);
  assert.deepEqual(await plugins("plugins", "try"), ["Here"]);
  assert.deepEqual(await plugins("-c", "named.ts", "plugins", "try"), ["Named"]);
  assert.deepEqual(await plugins("audit", "--config=named.ts", "--plugin"), ["Named"]);
  assert.deepEqual(await plugins("audit", "-c", "~/named.ts", "--plugin"), ["Named"]);
});

Deno.test("complete runs no config.ts that nobody named and that is another user's", async () => {
  if (Deno.build.os === "windows" || Deno.uid() !== 0) return;
  using dir = new ProgramDirectory({ "config.ts": configOf("here.db") });
  await makeLedger(dir.path("here.db"), { keys: [], plugins: ["Here"] });
  assert.deepEqual(await complete(dir, ["plugins", "try", ""]), ["Here"]);
  Deno.chownSync(dir.path("config.ts"), 4711, 4711);
  assert.deepEqual(await complete(dir, ["plugins", "try", ""]), []);
  assert.deepEqual(await complete(dir, ["plugins", "try", "-c", "config.ts", ""]), ["Here"]);
});

for (
  const [what, content] of [
    ["is broken", "export default {{{"],
    ["throws", "throw new Error('no');"],
    ["has mistakes", "export default { events: 1 };"],
    ["never ends", "await new Promise(() => setInterval(() => {}, 1000)); export default {};"],
  ] as const
) {
  Deno.test(`complete proposes nothing when config.ts ${what}`, async () => {
    using dir = new ProgramDirectory({ "config.ts": content });
    assert.deepEqual(await complete(dir, ["plugins", "try", ""]), []);
  });
}

Deno.test("complete proposes nothing from what is no ledger of this version, and leaves it as it is", async () => {
  using dir = new ProgramDirectory({ "empty.db": "", "text.db": "no ledger", "folder/x": "" });
  using older = openDatabase(dir.path("older.db"), { create: true });
  older.exec("PRAGMA user_version = 3");
  older.close();
  for (const name of ["empty.db", "text.db", "folder", "older.db", "missing.db", "/dev/null"]) {
    assert.deepEqual(await complete(dir, ["events", "show", "--ledger", name, ""]), [], name);
  }
  assert.equal(Deno.readTextFileSync(dir.path("empty.db")), "");
  assert.equal(Deno.readTextFileSync(dir.path("text.db")), "no ledger");
  assert.equal(await Deno.stat(dir.path("missing.db")).then(() => true, () => false), false);
});

Deno.test("complete leaves out texts with characters that cannot be seen", async () => {
  using dir = new ProgramDirectory({});
  await makeLedger(dir.path("l.db"), { keys: ["k\n1", "k\t2", "k\x1b[2J3", "k\u202e4", "k\u00a05", "k 6", "k:\\7"] });
  const keys = (shell: string) => complete(dir, ["events", "show", "--ledger", "l.db", "k"], { shell });
  assert.deepEqual(texts(await keys("fish")), ["k:\\7", "k 6", "k\u00a05"]);
  assert.match((await keys("zsh"))[0] ?? "", /^k\\:\\\\7:/);
});

Deno.test("complete leaves out names that the program would read as options", async () => {
  using dir = new ProgramDirectory({});
  await makeLedger(dir.path("l.db"), { keys: ["--force", "-1", "k"], plugins: ["--dead", "P"] });
  const after = (...words: readonly string[]) => complete(dir, ["events", "replay", "--ledger", "l.db", ...words, ""]);
  assert.deepEqual(texts(await after()), ["k"]);
  assert.deepEqual(texts(await after("--")), ["k"]);
  assert.deepEqual(texts(await after("--plugin")), ["P"]);
});

function configOf(file: string, before = ""): string {
  return `${before}
export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Configured", notify() {} }],
  ledger: { file: "${file}" },
};`;
}
