import assert from "node:assert/strict";
import { EventLog, type EventLogOptions } from "../../plugins/event_log.ts";
import { context, detail, updateContext } from "./notification.ts";

class Directory implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "event-log-" });
  readonly file = `${this.path}/events.jsonl`;

  lines(file = this.file): string[] {
    return Deno.readTextFileSync(file).split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** The keys of the events in lines of which every one is whole. */
function keysOf(lines: string[]): string[] {
  assert.equal(lines.at(-1), "");
  return lines.slice(0, -1).map((line) => JSON.parse(line).key);
}

Deno.test("notify() appends one line of JSON that a terminal can show, for each event", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });

  await plugin.notify(detail, true, context());
  await plugin.notify(detail, false, context({ key: "second" }));

  const [first = "", second = "", end] = directory.lines();
  assert.deepEqual(JSON.parse(first), {
    time: "2026-11-21T18:59:38.385Z",
    event: "compute.instance.create.end",
    created: true,
    key: "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation",
    detail,
  });
  assert.deepEqual([JSON.parse(second).created, JSON.parse(second).key, end], [false, "second", ""]);
  assert.doesNotMatch(first, /[\p{Cc}\p{Cf}\p{Cs}]/u);
});

Deno.test("notify() creates its file with mode 0640 at most", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });

  await plugin.notify(detail, true, context());

  const { mode } = await Deno.stat(directory.file);
  assert.equal((mode ?? 0) & 0o777 & ~0o640, 0);
});

Deno.test("notify() keeps lines whole and in order when called many times at once", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });
  const keys = Array.from({ length: 100 }, (_, index) => `event/${index}`);
  const big = { ...detail, Description: "x".repeat(100_000) };

  await Promise.all(keys.map((key) => plugin.notify(big, true, context({ key }))));

  assert.deepEqual(keysOf(directory.lines()), keys);
});

Deno.test("notify() writes to a new file when the old one was renamed or removed", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });

  await plugin.notify(detail, true, context({ key: "1" }));
  await Deno.rename(directory.file, `${directory.file}.1`);
  await plugin.notify(detail, true, context({ key: "2" }));
  assert.deepEqual(keysOf(directory.lines()), ["2"]);
  await Deno.remove(directory.file);
  await plugin.notify(detail, true, context({ key: "3" }));

  assert.deepEqual([keysOf(directory.lines()), keysOf(directory.lines(`${directory.file}.1`))], [["3"], ["1"]]);
});

Deno.test("notify() goes on at the end when the file was truncated (logrotate's copytruncate)", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });

  await plugin.notify(detail, true, context({ key: "1" }));
  await Deno.truncate(directory.file);
  await plugin.notify(detail, true, context({ key: "2" }));

  assert.deepEqual(keysOf(directory.lines()), ["2"]);
});

Deno.test("notify() begins a line of its own when a crash has left half a line", async () => {
  await using directory = new Directory();
  await Deno.writeTextFile(directory.file, `{"key":"whole"}\n{"key":"ha`);
  await using plugin = new EventLog({ file: directory.file });

  await plugin.notify(detail, true, context({ key: "next" }));

  const [whole, half, next = "", end] = directory.lines();
  assert.deepEqual([whole, half, JSON.parse(next).key, end], [`{"key":"whole"}`, `{"key":"ha`, "next", ""]);
});

Deno.test("notify() refuses a file that is no regular one", async () => {
  await using plugin = new EventLog({ file: "/dev/full" });

  await assert.rejects(
    plugin.notify(detail, true, context()),
    /Cannot open the event log "\/dev\/full": .*not a regular file/,
  );
});

Deno.test("notify() names the file when its directory is missing, and writes once it is there", async () => {
  await using directory = new Directory();
  const file = `${directory.path}/missing/events.jsonl`;
  await using plugin = new EventLog({ file });

  await assert.rejects(plugin.notify(detail, true, context()), (error: unknown) => {
    assert(error instanceof Error);
    assert.ok(
      error.message.startsWith(`Cannot open the event log "${file}": No such file or directory`),
      error.message,
    );
    return error.message.endsWith("Create its directory");
  });
  await Deno.mkdir(`${directory.path}/missing`);
  await plugin.notify(detail, true, context({ key: "1" }));

  assert.deepEqual(keysOf(directory.lines(file)), ["1"]);
});

Deno.test("notify() writes nothing when its signal is aborted", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });

  await assert.rejects(plugin.notify(detail, true, context({ signal: AbortSignal.abort() })), { name: "AbortError" });

  await assert.rejects(Deno.stat(directory.file), Deno.errors.NotFound);
});

Deno.test("notify() writes to standard output when there is no file", async () => {
  const script = `
    import { EventLog } from "${import.meta.resolve("../../plugins/event_log.ts")}";
    import { context, detail } from "${import.meta.resolve("./notification.ts")}";
    const plugin = new EventLog();
    const big = { ...detail, Description: "x".repeat(300_000) };
    await Promise.all(["1", "2", "3"].map((key) => plugin.notify(big, true, context({ key }))));
  `;
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", script], stdout: "piped", stderr: "inherit" });

  const { stdout } = await command.output();

  assert.deepEqual(keysOf(new TextDecoder().decode(stdout).split("\n")), ["1", "2", "3"]);
});

Deno.test("notify() writes a line for people when the format is text", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file, format: "text" });
  const association = context({ subject: "floatingip", key: "floatingip/7/2/deletion", creationSeen: false });
  const nothing = { ...detail, FQDN: null, IP: null, Owner: null };

  await plugin.notify({ ...detail, ProjectName: "demo" }, true, context({ missing: ["OS", "Owner"] }));
  await plugin.notify(nothing, false, association);

  assert.deepEqual(directory.lines(), [
    "2026-11-21T18:59:38.385Z creation of a server: fake.hostname.com 172.18.66.54 project=demo owner=some_owner " +
    "key=server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation missing=OS,Owner",
    "2026-11-21T18:59:38.385Z deletion of an association: - - key=floatingip/7/2/deletion (its creation was not seen)",
    "",
  ]);
});

Deno.test("notify() keeps hostile texts in their column when the format is text", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file, format: "text" });
  const hostile = { FQDN: "-", IP: "", ProjectName: 'a" key=x', Owner: "b\r\n\x1b[2J\u202e" };

  await plugin.notify({ ...detail, ...hostile }, true, context({ key: "server/a b/creation" }));

  assert.deepEqual(directory.lines(), [
    '2026-11-21T18:59:38.385Z creation of a server: "-" "" project="a\\u{22} key=x" ' +
    'owner=b\\u{d}\\u{a}\\u{1b}[2J\\u{202e} key="server/a b/creation"',
    "",
  ]);
});

Deno.test("notify() cuts names that are too long for people, and no key", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file, format: "text" });
  const key = `server/${"k".repeat(1000)}/creation`;

  await plugin.notify({ ...detail, FQDN: "x".repeat(65536) }, true, context({ key }));

  const [line = ""] = directory.lines();
  assert.ok(line.includes(` ${"x".repeat(299)}… `) && line.endsWith(` key=${key}`), line);
});

Deno.test("preview() returns what notify() writes", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });

  const preview = plugin.preview(detail, true, context());
  await plugin.notify(detail, true, context());

  assert.deepEqual(preview, JSON.parse(directory.lines()[0] ?? ""));
});

Deno.test("check() rejects when the file cannot be opened", async () => {
  await using directory = new Directory();
  const signal = new AbortController().signal;
  await using good = new EventLog({ file: directory.file });
  await using bad = new EventLog({ file: directory.path });

  await good.check(signal);
  await assert.rejects(bad.check(signal), /Cannot open the event log ".*": Is a directory/);
});

Deno.test("new EventLog() names every wrong option", () => {
  const options: Record<string, unknown> = { file: "", name: 1, path: "x", format: "xml" };
  assert.throws(() => new EventLog(options as EventLogOptions), {
    message: "Cannot make EventLog: file: must be a text that is not empty; name: must be a text that is not empty; " +
      'path: unknown option; format: must be "json", "text" or "cloudevents"',
  });
});

Deno.test("notify() writes the same line as ever: time, event, created, key, detail", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });
  const small = { FQDN: "web" } as unknown as typeof detail;

  await plugin.notify(small, true, context({ key: "1" }));
  await plugin.notify(small, false, context({ key: "2", kind: "deletion" }));

  const [time, event] = [`"time":"2026-11-21T18:59:38.385Z"`, `"event":"compute.instance.create.end"`];
  assert.deepEqual(directory.lines(), [
    `{${time},${event},"created":true,"key":"1","detail":{"FQDN":"web"}}`,
    `{${time},${event},"created":false,"key":"2","detail":{"FQDN":"web"}}`,
    "",
  ]);
});

Deno.test("update() writes a line that says updated, and which keys changed", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file });
  const small = { FQDN: "web" } as unknown as typeof detail;

  await plugin.update(small, updateContext({ changed: ["FQDN", "Größe\n"] }));

  const [time, event] = [`"time":"2026-11-21T18:59:38.385Z"`, `"event":"compute.instance.update"`];
  const key = `"key":"server/${detail.ID}/update/1"`;
  const changed = `"updated":true,"changed":["FQDN","Größe\\n"]`;
  assert.deepEqual(directory.lines(), [
    `{${time},${event},"created":true,${changed},${key},"detail":{"FQDN":"web"}}`,
    "",
  ]);
});

Deno.test("update() writes a line for people that names the keys, none as another column", async () => {
  await using directory = new Directory();
  await using plugin = new EventLog({ file: directory.file, format: "text" });

  await plugin.update(detail, updateContext({ changed: ["FQDN", "Metadata"] }));
  await plugin.update(detail, updateContext({ changed: ["a key=other\n"] }));

  const [first, second] = directory.lines();
  assert.equal(
    first,
    "2026-11-21T18:59:38.385Z update of a server: fake.hostname.com 172.18.66.54 owner=some_owner " +
      `changed=FQDN,Metadata key=server/${detail.ID}/update/1`,
  );
  assert.match(second ?? "", / changed="a key=other\\u\{a\}" key=server/);
});
