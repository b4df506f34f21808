import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

const NOTIFICATION = Deno.readTextFileSync(
  fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url)),
);

const CONFIG = `export const events = { creation: ["instance.create.end"], deletion: [] };
  export const plugins = [{ name: "Mine", notify() {} }];`;

/** What is said of bad input, word by word: `DIR` stands for the directory. */
interface Case {
  readonly what: string;
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
  readonly input?: string;
  readonly err: string;
  /** @default 1 */
  readonly code?: number;
}

const FILES: readonly Case[] = [
  {
    what: "a file that is no notification",
    files: { "other.json": `{"hello": 1}` },
    args: ["--dry-run", "other.json"],
    err:
      `Cannot read a notification in "other.json", line 1: no notification: neither event_type, oslo.message, body nor wire_body is there`,
  },
  {
    what: "a file of another kind of JSON lines",
    files: { "other.jsonl": `{"level": "info"}\n\n{"level": "warn"}\n` },
    args: ["--dry-run", "other.jsonl"],
    err: [1, 3].map((line) =>
      `Cannot read a notification in "other.jsonl", line ${line}: no notification: neither event_type, oslo.message, body nor wire_body is there`
    ).join("\n"),
  },
  {
    what: "truncated JSON",
    files: { "cut.json": NOTIFICATION.slice(0, 400) },
    args: ["--dry-run", "cut.json"],
    err: `Cannot read a notification in "cut.json", line 11: JSON that is cut off`,
  },
  {
    what: "JSON lines of which the last is truncated",
    files: { "cut.jsonl": `${oneLine(NOTIFICATION)}\n${oneLine(NOTIFICATION).slice(0, 400)}` },
    args: ["--dry-run", "cut.jsonl"],
    err: `Cannot read a notification in "cut.jsonl", line 2: JSON that is cut off`,
  },
  {
    what: "text",
    files: { "words.txt": "creation of a server" },
    args: ["--dry-run", "words.txt"],
    err: `Cannot read a notification in "words.txt", line 1: not JSON`,
  },
  {
    what: "bytes that are no text",
    files: { "core": new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 0xff, 0xfe, 10, 0x80]) },
    args: ["--dry-run", "core"],
    err: `Cannot read a notification in "core", line 1: not text (UTF-8)`,
  },
  {
    what: "an empty file",
    files: { "empty.json": "" },
    args: ["--dry-run", "empty.json"],
    err: `Cannot read a notification in "empty.json", line 1: empty`,
  },
  {
    what: "a file of blank lines",
    files: { "blank.json": " \n\n\t" },
    args: ["--dry-run", "blank.json"],
    err: `Cannot read a notification in "blank.json", line 1: empty`,
  },
  {
    what: "an empty list",
    files: { "none.json": "[]" },
    args: ["--dry-run", "none.json"],
    err: `Cannot read a notification in "none.json", line 1: an empty list`,
  },
  {
    what: "a missing file",
    args: ["--dry-run", "missing.json"],
    err: `Cannot read "missing.json": there is no such file`,
  },
  {
    what: "a directory",
    files: { "samples": null },
    args: ["--dry-run", "samples"],
    err: `Cannot read "samples": it is a directory`,
  },
  {
    what: "an empty file name",
    args: ["--dry-run", ""],
    err: `Cannot read "": there is no such file`,
  },
  {
    what: "a device that Deno keeps to itself",
    args: ["--dry-run", "/dev/stdin"],
    err: `Cannot read "/dev/stdin": this program may not read there; pipe it in, with - for the file`,
  },
  {
    what: "empty standard input",
    args: ["--dry-run", "-"],
    input: "",
    err: "Cannot read a notification in standard input, line 1: empty",
  },
  {
    what: "a notification without message_id",
    args: ["--dry-run", "-"],
    input: `{"event_type": "instance.create.end", "payload": {}}`,
    err:
      "Cannot read a notification in standard input, line 1: no message_id, which every notification on the bus has. " +
      'Add "message_id": "1" to try it all the same',
  },
];

const CONFIGS: readonly Case[] = [
  {
    what: "a missing configuration",
    args: ["--config", "missing.ts"],
    err:
      `Cannot read the configuration "DIR/missing.ts": there is no such file. Put it there, or name another with --config`,
  },
  {
    what: "a directory for a configuration",
    args: ["--config", "."],
    err: `Cannot read the configuration "DIR": it is a directory`,
  },
  {
    what: "a ./config.ts that is a directory",
    files: { "config.ts": null },
    args: [],
    err: `Cannot read the configuration "DIR/config.ts": it is a directory`,
  },
  {
    what: "a configuration that throws",
    files: { "config.ts": `\nthrow new Error("no luck today");` },
    args: [],
    err: `Cannot load the configuration "DIR/config.ts": DIR/config.ts:2:7: no luck today`,
  },
  {
    what: "a configuration that throws a secret and escapes",
    files: { "config.ts": `throw new Error("amqp://u:geheim@h/ password=geheim\\x1b[2J\\nnext line");` },
    args: [],
    err: `Cannot load the configuration "DIR/config.ts": DIR/config.ts:1:7: amqp://h/ password=***`,
  },
  {
    what: "a configuration that is no TypeScript",
    files: { "config.ts": "export default {{" },
    args: [],
    err:
      `Cannot load the configuration "DIR/config.ts": DIR/config.ts:1:17: Syntax error: Unexpected token \`{\`. Expected identifier, string literal, numeric literal or [ for the computed key`,
  },
  {
    what: "a configuration that is empty",
    files: { "config.ts": "" },
    args: [],
    err: `Cannot use the configuration "DIR/config.ts":
  the default export: missing; end the file with: export default { events, plugins, … } satisfies Config;`,
  },
  {
    what: "a configuration with several mistakes",
    files: {
      "config.ts":
        `export default { events: { creation: ["compute.instance.creat.end"], deletion: [] }, plugins: [class Mine {}], rabit: {} };`,
    },
    args: [],
    err: `Cannot use the configuration "DIR/config.ts":
  events.creation[0]: "compute.instance.creat.end" is not an event of this group; allowed: compute.instance.create.end, instance.create.end, floatingip.update.end; did you mean "compute.instance.create.end"?
  plugins[0]: found the class Mine, not an object of it; did you forget "new"?
  rabit: unknown key; did you mean "rabbit"? Allowed: events, plugins, rabbit, openstack, detail, retry, ledger, log, metrics, console`,
  },
  {
    what: "a configuration that misses a variable",
    files: { "config.ts": `import { env } from "oss-watcher";\nexport const password = env("OSS_WATCHER_NO_SUCH");` },
    args: [],
    err:
      `Cannot load the configuration "DIR/config.ts": DIR/config.ts:2:25: Cannot read "OSS_WATCHER_NO_SUCH" from the environment: it is not set. Set it, or edit config.ts`,
  },
  {
    what: "a configuration that imports what is not there",
    files: { "config.ts": `import "./plugins/mine.ts";` },
    args: [],
    err:
      `Cannot load the configuration "DIR/config.ts": DIR/config.ts:1:8: Module not found "file://DIR/plugins/mine.ts".`,
  },
  {
    what: "a service without a broker",
    args: [],
    err: "Cannot start the service: config.ts has no `rabbit` section. Add one, or use --dry-run FILE",
  },
];

const HELP = "(see oss-watcher --help)";
const EVENTS_HELP = "(see oss-watcher events --help)";

const USAGE: readonly Case[] = [
  {
    what: "a misspelt command",
    args: ["event"],
    err: `Cannot run "event": unknown command; did you mean "events"? ${HELP}`,
  },
  {
    what: "a word that is no command",
    args: ["delete", "everything"],
    err: `Cannot run "delete": unknown command ${HELP}`,
  },
  {
    what: "a hostile word that is no command",
    args: ["\x1b[2J\u202e"],
    err: `Cannot run "\\u{1b}[2J\\u{202e}": unknown command ${HELP}`,
  },
  {
    what: "a misspelt command of a command",
    args: ["events", "shwo"],
    err: `Cannot run "shwo": unknown command; did you mean "show"? ${EVENTS_HELP}`,
  },
  {
    what: "a misspelt option",
    args: ["--dryrun", "x.json"],
    err: `Cannot read the command line: unknown option '--dryrun'; did you mean --dry-run? ${HELP}`,
  },
  {
    what: "an option without its argument",
    args: ["--dry-run"],
    err: `Cannot read the command line: option '--dry-run <file>' argument missing ${HELP}`,
  },
  {
    what: "--json without --dry-run",
    args: ["--json"],
    err: "Cannot use --json: it goes with --dry-run FILE",
  },
  {
    what: "--json before a command",
    args: ["--json", "events"],
    err: "Cannot use --json before a command: write it after the command",
  },
  {
    what: "--dry-run with a command",
    args: ["--dry-run", "x.json", "events"],
    err: "Cannot use --dry-run with a command: leave one of them out",
  },
  {
    what: "standard input twice",
    args: ["--dry-run", "-", "--dry-run", "-"],
    input: "",
    err: "Cannot read standard input twice: give - once",
  },
  {
    what: "an unknown state",
    args: ["events", "--state", "ded"],
    err:
      `Cannot read the command line: option '--state <state>' argument 'ded' is invalid. Allowed choices are waiting, retrying, done, skipped, dead, dropped, superseded, rejected ${EVENTS_HELP}`,
  },
  {
    what: "an impossible number",
    args: ["events", "--limit", "0"],
    err:
      `Cannot read the command line: option '--limit <n>' argument '0' is invalid. Write a whole number from 1 on ${EVENTS_HELP}`,
  },
  ...["12", "-5", "yesterday", "2026", "11/21/2026", "2026-11-21T25:00Z", "5w"].map((time) => ({
    what: `the time ${time}`,
    args: ["events", "--since", time],
    err:
      `Cannot read the command line: option '--since <time>' argument '${time}' is invalid. Write it as 2026-11-21T18:00Z (UTC unless it says else) or as an age: 90m, 12h, 7d ${EVENTS_HELP}`,
  })),
  {
    what: "a command without its argument",
    args: ["events", "show"],
    err: "Cannot read the command line: missing required argument 'key' (see oss-watcher events show --help)",
  },
  {
    what: "a replay of nothing",
    args: ["events", "replay"],
    err: "Cannot replay: no event is named. Name keys, or add --dead",
  },
  {
    what: "a drop of nothing",
    args: ["events", "drop"],
    err: "Cannot drop: no event is named. Name keys, or add --plugin NAME",
  },
  {
    what: "a backup to nowhere",
    args: ["backup"],
    err: "Cannot read the command line: missing required argument 'file' (see oss-watcher backup --help)",
  },
].map((one) => ({ ...one, code: 2 }));

for (const { what, args, files = {}, input, err, code = 1 } of [...FILES, ...CONFIGS, ...USAGE]) {
  Deno.test(`${what} is refused in clear words, with exit code ${code}`, async () => {
    using dir = new ProgramDirectory({ "config.ts": CONFIG, ...files });
    const run = await runProgram({ dir: dir.path(), args, ...(input === undefined ? {} : { input }) });
    assert.equal(run.err.replaceAll(dir.path(), "DIR"), `${err}\n`);
    assert.equal(run.code, code);
    assert.equal(run.out, what.startsWith("JSON lines of which") ? run.out : "");
  });
}

Deno.test("bad input gets a stack trace with --debug only", async () => {
  using dir = new ProgramDirectory({ "config.ts": `throw new Error("no luck today");` });
  const plain = await runProgram({ dir: dir.path(), args: [] });
  const debug = await runProgram({ dir: dir.path(), args: ["--debug"] });
  assert.doesNotMatch(plain.err, /^ {4}at /m);
  assert.ok(debug.err.startsWith(plain.err));
  assert.match(debug.err, /^ {4}at /m);
  assert.deepEqual([plain.code, debug.code], [1, 1]);
});

Deno.test("what a user may not read is said so, with exit code 1", async () => {
  using dir = new ProgramDirectory({ "config.ts": CONFIG, "secret.json": NOTIFICATION, "secret.ts": CONFIG });
  for (const name of ["secret.json", "secret.ts"]) Deno.chmodSync(dir.path(name), 0);
  // Root may read everything, unless that right is taken away.
  const prefix = Deno.uid() === 0 ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
  const file = await runProgram({ dir: dir.path(), args: ["--dry-run", "secret.json"], prefix });
  const config = await runProgram({ dir: dir.path(), args: ["--config", "secret.ts"], prefix });
  assert.deepEqual(file, { code: 1, out: "", err: `Cannot read "secret.json": this user may not read it\n` });
  assert.deepEqual(config, {
    code: 1,
    out: "",
    err: `Cannot read the configuration "${dir.path("secret.ts")}": this user may not read it. Give it the right to\n`,
  });
});

for (
  const { what, file, content, says } of [
    { what: "a missing ledger", file: "ledger.db", content: null, says: "it is not there. Has the service run yet?" },
    {
      what: "a file that is no ledger",
      file: "notes.txt",
      content: "notes".repeat(100),
      says: "it is no ledger. Move it away, or set ledger.file to another path",
    },
  ]
) {
  Deno.test(`${what} is refused by every command that needs one, with exit code 1`, async () => {
    using dir = new ProgramDirectory(content === null ? {} : { [file]: content });
    for (
      const args of [["events"], ["events", "show", "k"], ["events", "replay", "k"], ["events", "drop", "k"], [
        "backup",
        "copy.db",
      ]]
    ) {
      const run = await runProgram({
        dir: dir.path(),
        args: [...args, "--ledger", file],
        permissions: READ_WRITE,
      });
      assert.deepEqual(run, { code: 1, out: "", err: `Cannot open the ledger "${file}": ${says}\n` }, args.join(" "));
    }
    assert.deepEqual([...Deno.readDirSync(dir.path())].map(({ name }) => name), content === null ? [] : [file]);
    if (content !== null) assert.equal(Deno.readTextFileSync(dir.path(file)), content);
  });
}

Deno.test("help and version are shown on standard output, with exit code 0 and within 80 columns", async () => {
  using dir = new ProgramDirectory({});
  for (
    const args of [["--help"], ["events", "--help"], ["events", "show", "--help"], ["events", "replay", "--help"], [
      "events",
      "drop",
      "--help",
    ], ["backup", "--help"]]
  ) {
    const { code, out, err } = await runProgram({ dir: dir.path(), args });
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.startsWith(`Usage: oss-watcher ${args.slice(0, -1).join(" ")}`.trimEnd()), out);
    assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
  }
  const { version } = JSON.parse(Deno.readTextFileSync(fileURLToPath(new URL("../../deno.json", import.meta.url))));
  assert.deepEqual(await runProgram({ dir: dir.path(), args: ["--version"] }), {
    code: 0,
    out: `${version}\n`,
    err: "",
  });
});

function oneLine(json: string): string {
  return JSON.stringify(JSON.parse(json));
}
