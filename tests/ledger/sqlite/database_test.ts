import {
  deepStrictEqual as assertEquals,
  match as assertMatch,
  ok as assert,
  rejects as assertRejects,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ownLedger } from "../../../src/ledger/sqlite/open.ts";
import { orderHashOf } from "../../../src/ledger/sqlite/order_hash.ts";
import { APPLICATION_ID, STEPS } from "../../../src/ledger/sqlite/schema.ts";
import { openDatabase, transaction } from "../../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../../src/ledger/sqlite/ledger.ts";
import { openOperations } from "../../../src/ledger/sqlite/operations.ts";
import { UserError } from "../../../src/model/errors.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { LedgerProcess } from "../../support/ledger_process.ts";
import { announceEvents, decisionOf, madeEvent, madeNotification, settlementOf } from "../../support/made_events.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

/** Makes a ledger of some hundred pages, closed in order. */
async function makeLedger(file: string, events = 300): Promise<void> {
  const database = openDatabase(file, { create: true });
  const ledger = new SqliteLedger(database, () => 0);
  await ledger.activate(["p"]);
  await announceEvents(ledger, Array.from({ length: events }, (_, n) => madeEvent(`s${n}/1`, [`s${n}`])));
  database.close();
}

/** What is in a directory, but for the lock file that a service makes. */
function contentsOf(directory: string): Record<string, string> {
  const names = [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  return Object.fromEntries(
    names.filter((name) => !name.endsWith(".lock")).map((name) => {
      return [name, createHash("sha256").update(Deno.readFileSync(join(directory, name))).digest("hex")];
    }),
  );
}

/** Asserts that the service refuses a file with one clear line, and leaves everything as it was. */
function assertRefused(file: string, line: RegExp): void {
  const directory = join(file, "..");
  const before = contentsOf(directory);
  assertOneLine(thrownBy(() => ownLedger(file)), line);
  assertEquals(contentsOf(directory), before);
}

function assertOneLine(error: unknown, line: RegExp): void {
  assert(error instanceof UserError, String(error));
  assertMatch(error.message, line);
  assert(!error.message.includes("\n"));
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
}

Deno.test("ownLedger() refuses a file when it is no database", () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  for (const content of ["plugins:\n".repeat(1000), "x", "SQLite format 3\0", "SQLite format 3\0".padEnd(4096, "x")]) {
    Deno.writeTextFileSync(file, content);
    assertRefused(file, /^Cannot open the ledger ".*ledger.db": it is (no ledger|a database of another|cut off)/);
  }
});

Deno.test("ownLedger() refuses a directory, a path through a file and a place that cannot be made", () => {
  using directory = new TemporaryDirectory();
  Deno.mkdirSync(directory.path("ledger.db"));
  assertRefused(directory.path("ledger.db"), /^Cannot open the ledger ".*ledger.db": it is no file/);
  Deno.writeTextFileSync(directory.path("file"), "");
  assertOneLine(
    thrownBy(() => ownLedger(directory.path("file", "ledger.db"))),
    /^Cannot open the ledger ".*": .*ledger.file/,
  );
  assertOneLine(thrownBy(() => ownLedger("/proc/nowhere/ledger.db")), /^Cannot open the ledger ".*": .*ledger.file/);
});

Deno.test("ownLedger() makes the directory when it is missing", () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("state", "oss-watcher", "ledger.db");
  ownLedger(file)[Symbol.dispose]();
  assert(Deno.statSync(file).isFile);
});

Deno.test("ownLedger() refuses a file when it was cut off", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file);
  const whole = Deno.readFileSync(file);
  for (const size of [whole.length - 1, 4096 * 20 + 17, 4096 * 20, 4096, 4095, 512, 99, 16]) {
    Deno.writeFileSync(file, whole.slice(0, size));
    assertRefused(file, /^Cannot open the ledger ".*ledger.db": it is (cut off|no ledger)/);
  }
});

Deno.test("ownLedger() refuses a file when it was emptied beside its write-ahead log", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await killedWriter(file);
  Deno.truncateSync(file, 0);
  assert("ledger.db-wal" in contentsOf(join(file, "..")));
  assertRefused(file, /^Cannot open the ledger ".*ledger.db": it is cut off/);
});

Deno.test("ownLedger() begins anew in an empty file", () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  Deno.writeTextFileSync(file, "");
  ownLedger(file)[Symbol.dispose]();
  assert(Deno.statSync(file).size > 0);
});

Deno.test("ownLedger() refuses a file when its first page is damaged", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file);
  using opened = Deno.openSync(file, { write: true });
  opened.seekSync(100, Deno.SeekMode.Start);
  opened.writeSync(new Uint8Array(3900).fill(0xa5));
  assertRefused(file, /^Cannot open the ledger ".*ledger.db": .*malformed.* Restore a backup/);
});

Deno.test("ownLedger() refuses a file when another program made it", () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  for (const applicationId of [0, 0x47504b47]) {
    const database = new DatabaseSync(file);
    database.exec(
      `CREATE TABLE IF NOT EXISTS theirs (x); PRAGMA application_id = ${applicationId}; PRAGMA user_version = 1`,
    );
    database.close();
    assertRefused(file, /^Cannot open the ledger ".*ledger.db": it is a database of another program/);
  }
});

Deno.test("ownLedger() refuses a file when a newer oss-watcher wrote it", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file, 1);
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA user_version = ${STEPS.length + 1}; PRAGMA wal_checkpoint(TRUNCATE)`);
  database.close();
  assertRefused(
    file,
    new RegExp(
      `^Cannot open the ledger ".*ledger.db": it was written by a newer oss-watcher \\(schema ${STEPS.length + 1}, ` +
        `this one knows ${STEPS.length}\\)`,
    ),
  );
});

Deno.test("ownLedger() refuses a file when only its write-ahead log says that it is newer", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file, 1);
  using newer = new DatabaseSync(file);
  newer.exec(`PRAGMA user_version = ${STEPS.length + 1}`);
  const before = contentsOf(directory.path());
  assertOneLine(thrownBy(() => ownLedger(file)), /it was written by a newer oss-watcher/);
  // The index of the log is made anew by whoever looks into it.
  const { "ledger.db-shm": _before, ...expected } = before;
  const { "ledger.db-shm": _after, ...found } = contentsOf(directory.path());
  assertEquals(found, expected);
});

Deno.test("ownLedger() refuses a file when this user may not write it", async () => {
  using directory = new TemporaryDirectory();
  Deno.chmodSync(directory.path(), 0o777);
  const file = directory.path("ledger.db");
  await makeLedger(file);
  Deno.chmodSync(file, 0o444);
  const before = contentsOf(directory.path());
  await using service = new LedgerProcess("own", file, { unprivileged: true });
  const { name, message } = await service.says() as Error;
  assertEquals(name, "UserError");
  assertMatch(message, /^Cannot write the ledger ".*ledger.db": [^\n]+ Give this user the right to write it$/);
  assertEquals(contentsOf(directory.path()), before);
});

Deno.test("ownLedger() refuses a file when this user may not write beside it", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file);
  Deno.writeTextFileSync(`${file}.lock`, "");
  for (const path of [file, `${file}.lock`]) Deno.chmodSync(path, 0o666);
  Deno.chmodSync(directory.path(), 0o555);
  const before = contentsOf(directory.path());
  await using service = new LedgerProcess("own", file, { unprivileged: true });
  const { name, message } = await service.says() as Error;
  assertEquals(name, "UserError");
  assertMatch(message, /^Cannot open the ledger ".*ledger.db": [^\n]* and its directory$/);
  assertEquals(contentsOf(directory.path()), before);
  Deno.chmodSync(directory.path(), 0o755);
});

Deno.test("openDatabase() refuses a file when another process keeps it to itself", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file);
  await using other = new LedgerProcess("hold", file);
  assertEquals(await other.says(), "held");
  const before = contentsOf(directory.path());
  const error = thrownBy(() => openDatabase(file, { create: true, busyTimeoutMs: 50 }));
  assertOneLine(error, /^Cannot open the ledger ".*ledger.db": database is locked. Another process holds it/);
  assertEquals(contentsOf(directory.path()), before);
});

Deno.test("SqliteLedger tells that waiting may help when another process holds the right to write", async () => {
  using opened = new TemporaryLedger();
  await announceEvents(opened.ledger, [madeEvent("s/1")]);
  await using other = new LedgerProcess("lock", opened.file);
  assertEquals(await other.says(), "locked");
  opened.database.exec("PRAGMA busy_timeout = 50");
  const arrival = { receivedAt: 0, notification: madeNotification("a") };
  await assertRejects(opened.ledger.record([arrival]), LedgerUnavailable);
  await other.kill();
  assertEquals(await opened.ledger.record([arrival]), 1);
});

Deno.test("ownLedger() refuses a file when a second service of this process or another asks for it", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  using _first = ownLedger(file);
  assertOneLine(thrownBy(() => ownLedger(file)), /^Cannot open the ledger ".*": another oss-watcher uses it/);
  await using second = new LedgerProcess("own", file);
  const { name, message } = await second.says() as Error;
  assertEquals(name, "UserError");
  assertMatch(message, /another oss-watcher uses it/);
});

Deno.test("ownLedger() gets a file when the service before it was killed", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await using first = new LedgerProcess("own", file);
  assertEquals(await first.says(), "owned");
  assertOneLine(thrownBy(() => ownLedger(file)), /another oss-watcher uses it/);
  await first.kill();
  ownLedger(file)[Symbol.dispose]();
});

Deno.test("openDatabase() takes an older file through the steps that it lacks, one after the other", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file, 3);
  const second = "CREATE TABLE added (x); INSERT INTO added SELECT count(*) FROM event";
  const third = "ALTER TABLE added RENAME COLUMN x TO y";
  openDatabase(file, { create: true, steps: [...STEPS, second] }).close();
  using database = openDatabase(file, { create: true, steps: [...STEPS, second, third] });
  assertEquals({ ...database.prepare("SELECT y FROM added").get() }, { y: 3 });
  assertEquals({ ...database.prepare("PRAGMA user_version").get() }, { user_version: STEPS.length + 2 });
  assertEquals({ ...database.prepare("PRAGMA application_id").get() }, { application_id: APPLICATION_ID });
  assertOneLine(thrownBy(() => openDatabase(file, { create: true })), /newer oss-watcher/);
});

Deno.test("openDatabase() leaves an older file as it was when a step fails", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file, 3);
  const before = contentsOf(directory.path());
  const steps = [...STEPS, "CREATE TABLE added (x)", "DROP TABLE absent"];
  assertOneLine(
    thrownBy(() => openDatabase(file, { create: true, steps })),
    /^Cannot open the ledger ".*": no such table/,
  );
  assertEquals(contentsOf(directory.path()), before);
  openDatabase(file, { create: true }).close();
});

Deno.test("openDatabase() says that there is no room when a step finds the disk full, and leaves the file as it was", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file, 3);
  const before = contentsOf(directory.path());
  const steps = [...STEPS, "PRAGMA max_page_count = 1; CREATE TABLE large AS SELECT hex(zeroblob(1000000)) AS x"];
  assertOneLine(thrownBy(() => openDatabase(file, { create: true, steps })), /disk is full. Make room on the disk/);
  assertEquals(contentsOf(directory.path()), before);
});

Deno.test("openDatabase() takes a ledger of form 3 along: order, what is waited for, memory, what is found by a resource", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  const key = (name: string) => `server/s1/${name}`;
  {
    using database = openDatabase(file, { create: true, steps: STEPS.slice(0, 3) });
    const [creation, deletion] = ["creation", "deletion"].map((name) =>
      madeEvent(key(name), ["server/s1", "name/p/n"])
    );
    const addEvent = database.prepare(
      "INSERT INTO event (seq, key, notification, decided_at, data, order_keys, detail, missing) VALUES (?, ?, 1, 0, ?, ?, '{}', '[]')",
    );
    for (const [seq, event] of [[1, creation], [2, deletion]] as const) {
      addEvent.run(seq, event?.key ?? "", JSON.stringify(event), JSON.stringify(event?.orderKeys));
    }
    database.exec(`INSERT INTO plugin VALUES (1, 'P');
      INSERT INTO delivery (plugin, seq, state, due_at) VALUES (1, 1, 'ready', 0), (1, 2, 'blocked', 0);
      INSERT INTO held VALUES (1, 'server/s1', 1), (1, 'name/p/n', 1), (1, 'server/s1', 2), (1, 'name/p/n', 2);
      INSERT INTO event_order VALUES ('server/s1', 1), ('name/p/n', 1), ('server/s1', 2), ('name/p/n', 2);
      INSERT INTO server (id, data, deleted_at) VALUES ('s1', '{}', NULL);
      INSERT INTO floatingip (id, port_id, server_id, changed, data, deleted_at) VALUES ('f1', NULL, 's1', 7, '{}', 1);
      INSERT INTO port (id, server_id, changed, data, deleted_at) VALUES ('p1', 's1', 7, '{}', NULL)`);
  }
  const forms: unknown[] = [];
  const onOlder = (said: unknown) => forms.push(said);
  using database = openDatabase(file, { create: true, onOlder });
  openDatabase(file, { create: true, onOlder }).close();
  openDatabase(directory.path("new.db"), { create: true, onOlder }).close();
  assertEquals(forms, [{ from: 3, to: STEPS.length }]);
  const ledger = new SqliteLedger(database, () => 0);
  await using operations = openOperations(file);
  const ready = async () => await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  assertEquals((await ready()).map(({ event }) => event.key), [key("creation")]);
  assertEquals((await operations.show(key("deletion")))?.deliveries[0]?.waitsFor, [key("creation")]);
  const found = (await Array.fromAsync(operations.list({ resource: "s1", limit: 9 }))).flat().map((listed) =>
    listed.key
  );
  assertEquals(found, [key("deletion"), key("creation")]);
  assertEquals([
    await operations.existingIds("servers"),
    await operations.existingIds("ports"),
    await operations.existingIds("floatingIps"),
  ], [["s1"], [
    "p1",
  ], []]);
  for (const one of await ready()) await ledger.settle([settlementOf(one, { outcome: "done", endedAt: 1 })]);
  assertEquals((await ready()).map(({ event }) => event.key), [key("deletion")]);
  await announceEvents(ledger, [madeEvent("server/s2/creation", ["server/s2", "name/p/n"])]);
  assertEquals((await ready()).length, 1);
});

for (const form of [4, 5, 6]) {
  Deno.test(`openDatabase() takes a ledger of form ${form} along: what is done, what is ready, who waits for it`, async () => {
    await takesAlong(form);
  });
}

/** What deliveries hold is written in form 4; later it may be in the memory of a process that was killed, and in form 6 what they wait for, too. */
async function takesAlong(form: number): Promise<void> {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  const names = ["done", "ready", "blocked"] as const;
  {
    using database = openDatabase(file, { create: true, steps: STEPS.slice(0, form) });
    const orderKey = orderHashOf(database)("server/s");
    const addEvent = database.prepare(
      "INSERT INTO event (seq, key, notification, decided_at, data, order_keys, detail, missing) VALUES (?, ?, 1, 0, ?, ?, '{}', '[]')",
    );
    database.exec("INSERT INTO plugin VALUES (1, 'P')");
    for (const [index, name] of names.entries()) {
      const seq = index + 1;
      addEvent.run(seq, `s/${name}`, JSON.stringify(madeEvent(`s/${name}`, ["server/s"])), JSON.stringify([orderKey]));
      const finishedAt = name === "done" ? 1 : null;
      const state = form === 6 && name === "blocked" ? "recent" : name;
      database.prepare("INSERT INTO delivery (plugin, seq, state, due_at, finished_at) VALUES (1, ?, ?, 0, ?)")
        .run(seq, state, finishedAt);
      // What is done was not swept yet.
      if (form === 4) database.prepare("INSERT INTO held VALUES (1, ?, ?)").run(orderKey, seq);
      database.prepare("INSERT INTO event_order VALUES (0, ?, ?)").run(orderKey, seq);
    }
  }
  using database = openDatabase(file, { create: true });
  await using operations = openOperations(file);
  const waitsFor = async (name: string) => (await operations.show(`s/${name}`))?.deliveries[0]?.waitsFor;
  assertEquals(await Promise.all(names.map(waitsFor)), [[], [], ["s/ready"]]);
  const ledger = new SqliteLedger(database, () => 0);
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("s/new", ["server/s"])]);
  assertEquals(await waitsFor("new"), ["s/ready", "s/blocked"]);
  for (const name of ["ready", "blocked", "new"]) {
    const ready = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
    assertEquals(ready.map(({ event }) => event.key), [`s/${name}`]);
    await ledger.settle(ready.map((one) => settlementOf(one, { outcome: "done", endedAt: 1 })));
  }
}

Deno.test("openDatabase() takes a ledger of form 5 along: a message in it is known again, and no number is given twice", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  const notification = { ...madeNotification("a"), time: "2026-11-21T18:59:38.385Z" };
  {
    using database = openDatabase(file, { create: true, steps: STEPS.slice(0, 5) });
    database.prepare(
      "INSERT INTO notification (seq, message_id, event_type, time, received_at, body) VALUES (?, ?, '', ?, 0, ?)",
    )
      .run(6, notification.messageId, notification.time, JSON.stringify(notification));
    database.exec("UPDATE sqlite_sequence SET seq = 8 WHERE name = 'notification'");
  }
  using database = openDatabase(file, { create: true });
  const ledger = new SqliteLedger(database, () => 0);
  const copies = ["a", "b"].map((messageId) => ({ receivedAt: 0, notification: { ...notification, messageId } }));
  assertEquals(await ledger.record(copies), 1);
  const seqs = database.prepare("SELECT seq FROM notification ORDER BY seq").all().map((row) => row["seq"]);
  assertEquals(seqs, [6, 9]);
});

Deno.test("SqliteLedger has all that was committed when its process is killed", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  for (const afterLines of [1, 40, 101]) {
    const { announced, delivered } = await killedWriter(file, afterLines);
    {
      using owned = ownLedger(file);
      const { database } = owned;
      assertEquals({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
      const count = (sql: string) => Number(database.prepare(sql).get()!["n"]);
      const events = count("SELECT count(*) AS n FROM event");
      const done = count("SELECT count(*) AS n FROM delivery WHERE state = 'done'");
      // What was said is there; what was under way at the kill may be.
      assert(events === announced + 1 || events === announced + 2, `${events} events, ${announced + 1} announced`);
      assert(done === delivered + 1 || done === delivered + 2, `${done} deliveries, ${delivered + 1} said`);
      // What was in memory is read by whoever comes next.
      const { waiting } = await new SqliteLedger(database, () => 0).queueOf("p");
      assertEquals(waiting.new + waiting.blocked + waiting.ready, events - done);
    }
    Deno.removeSync(file);
  }
});

Deno.test("SqliteLedger.decide() decides nothing of a batch when the decider throws", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.record(["a", "b"].map((id) => ({ receivedAt: 0, notification: madeNotification(id) })));
  const broken = ledger.decide(2, ({ messageId }) => {
    if (messageId === "b") throw new RangeError("broken");
    return decisionOf([madeEvent("s/1")]);
  });
  await assertRejects(broken, RangeError);
  assertEquals(await ledger.undetailed(9), []);
  assertEquals(await ledger.decide(9, () => decisionOf([])), 2);
});

Deno.test("SqliteLedger keeps nothing of what finished deliveries held, even when they were taken out in vain", async () => {
  using opened = new TemporaryLedger();
  const { ledger, database } = opened;
  await ledger.activate(["P"]);
  const events = Array.from({ length: 1200 }, (_, n) => madeEvent(`server/s${n}/creation`, [`server/s${n}`]));
  await announceEvents(ledger, events);
  const ready = await ledger.ready({ plugin: "P", now: 0, limit: 9999 });
  const done = (from: number, to: number) =>
    ledger.settle(ready.slice(from, to).map((one) => settlementOf(one, { outcome: "done", endedAt: 1 })));
  const held = () => Number(database.prepare("SELECT count(*) AS count FROM held WHERE seq <= 400").get()?.["count"]);
  await done(0, 400);
  await ledger.record([{ receivedAt: 0, notification: madeNotification("a") }]);
  const failing = ledger.decide(1, () => {
    throw new Error("no");
  });
  // The 500th is among these, so all are taken out; then they are back, and these are settled alone.
  await Promise.all([assertRejects(failing, /no/), done(400, 700)]);
  await done(700, 1200);
  assertEquals(held(), 0);
  assertEquals(await ledger.ready({ plugin: "P", now: 0, limit: 9999 }), []);
});

Deno.test("SqliteLedger writes an outcome at once where a later delivery waits for it, and with others where none does", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["P"]);
  await announceEvents(ledger, [madeEvent("a/1", ["a"]), madeEvent("a/2", ["a"]), madeEvent("b/1", ["b"])]);
  const ready = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  const delays: (number | undefined)[] = [];
  const { setTimeout } = globalThis;
  try {
    globalThis.setTimeout = ((action: () => void, delayMs?: number) => {
      delays.push(delayMs);
      return setTimeout(action, 0);
    }) as typeof setTimeout;
    for (const one of ready) await ledger.settle([settlementOf(one, { outcome: "done", endedAt: 1 })]);
    assertEquals(delays, [10]);
    const [last] = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
    await ledger.settle([settlementOf(last!, { outcome: "done", endedAt: 1 })]);
    assertEquals(delays, [10, 10]);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

Deno.test("SqliteLedger decides nothing more once it has as many events to write as notifications were asked for", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  await ledger.activate(["P"]);
  const ids = ["a", "b", "c", "d"];
  await ledger.record(ids.map((id) => ({ receivedAt: 0, notification: madeNotification(id) })));
  const decider = ({ messageId }: { readonly messageId: string }) =>
    decisionOf([1, 2, 3].map((n) => madeEvent(`s/${messageId}${n}`)));
  const decided = [];
  for (let count = -1; count !== 0; decided.push(count)) count = await ledger.decide(5, decider);
  assertEquals(decided, [2, 2, 0]);
  assertEquals((await ledger.undetailed(99)).length, 12);
});

Deno.test("SqliteLedger knows a plugin by one number only, even when it was first written in vain", async () => {
  using opened = new TemporaryLedger();
  const { ledger } = opened;
  const unwritable = Symbol() as unknown as string;
  await assertRejects(ledger.activate(["p", unwritable]));
  await ledger.activate(["q", "p"]);
  await announceEvents(ledger, [madeEvent("s/1", ["a"])]);
  const [delivery] = await ledger.ready({ plugin: "q", now: 0, limit: 1 });
  await ledger.settle([settlementOf(delivery!, { outcome: "done", endedAt: 0 })]);
  opened.reopen();
  await opened.ledger.activate(["p", "q"]);
  const ready = async (plugin: string) => (await opened.ledger.ready({ plugin, now: 0, limit: 9 })).length;
  assertEquals([await ready("p"), await ready("q")], [1, 0]);
});

Deno.test("SqliteLedger tells of damage in one line when it meets it", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.path("ledger.db");
  await makeLedger(file);
  using owned = ownLedger(file);
  const ledger = new SqliteLedger(owned.database, () => 0);
  using damaged = Deno.openSync(file, { write: true });
  damaged.seekSync(4096, Deno.SeekMode.Start);
  damaged.writeSync(new Uint8Array(Deno.statSync(file).size - 4096).fill(0xa5));
  const calls: (() => Promise<unknown>)[] = [
    () => ledger.activate(["p"]),
    () => ledger.undetailed(1),
    () => ledger.ready({ plugin: "p", now: 0, limit: 1 }),
    () => ledger.nextDueAt("p"),
    () => ledger.decide(1, () => decisionOf([])),
    () => ledger.record([{ receivedAt: 0, notification: madeNotification("a") }]),
  ];
  for (const call of calls) {
    await assertRejects(call, {
      name: "UserError",
      message: /^Cannot go on with the ledger: [^\n]+ Restore a backup$/,
    });
  }
});

Deno.test("transaction() tells that waiting may help when the commit finds the disk full", () => {
  using opened = new TemporaryLedger();
  const { database } = opened;
  database.exec(`PRAGMA max_page_count = ${Number(database.prepare("PRAGMA page_count").get()!["page_count"])}`);
  const put = database.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES ('x', hex(zeroblob(65536)))");
  assert(thrownBy(() => transaction(database, () => put.run())) instanceof LedgerUnavailable);
  assertEquals(database.isTransaction, false);
  assertEquals(transaction(database, () => 1), 1);
});

/** Lets a process write to a new ledger and kills it at any moment after so many lines. */
async function killedWriter(file: string, afterLines = 5): Promise<{ announced: number; delivered: number }> {
  await using writer = new LedgerProcess("write", file);
  const said: unknown[] = [];
  while (said.length < afterLines) said.push(await writer.says());
  said.push(...await writer.kill());
  const last = (what: "announced" | "delivered") =>
    Math.max(-1, ...said.map((line) => (line as Record<string, number>)[what] ?? -1));
  return { announced: last("announced"), delivered: last("delivered") };
}
