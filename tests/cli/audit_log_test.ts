import assert from "node:assert/strict";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { announceEvents, madeEvent, settlementOf } from "../support/made_events.ts";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram } from "../support/program.ts";

/** A ledger with a dead letter, a delivery that waits, and commands of a user. */
class Place implements Disposable {
  readonly dir = new ProgramDirectory({});

  static async open(): Promise<Place> {
    const place = new Place();
    using database = openDatabase(place.dir.path("ledger.db"), { create: true });
    const ledger = new SqliteLedger(database, Date.now);
    await ledger.activate(["P"]);
    await announceEvents(ledger, [madeEvent("s/1", ["s"]), madeEvent("t/1", ["t"])]);
    const [dead] = await ledger.ready({ plugin: "P", now: Date.now(), limit: 1 });
    await ledger.settle([settlementOf(dead!, { outcome: "dead", endedAt: Date.now() })]);
    return place;
  }

  run(...args: readonly string[]): Promise<ProgramEnd> {
    return runProgram({
      dir: this.dir.path(),
      args: [...args, "--ledger", "ledger.db"],
      permissions: READ_WRITE,
      env: { USER: "root", SUDO_USER: "alice" },
    });
  }

  async trail(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { out } = await this.run("audit-log", "--json");
    return out.trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("audit-log lists who did what with commands, newest first", async () => {
  using place = await Place.open();
  assert.match((await place.run("audit-log")).out, /^Nobody has done anything yet\.$/m);
  await place.run("plugins", "pause", "P");
  await place.run("plugins", "pause", "P");
  await place.run("plugins", "resume", "P");
  await place.run("plugins", "try", "P");
  await place.run("events", "replay", "--dead", "--force");
  await place.run("events", "drop", "s/1", "t/1", "--plugin", "P");
  await place.run("events", "drop", "no\x1b[2J/\u202ekey");
  const trail = await place.trail();
  assert.deepEqual(trail.map(({ action, what }) => [action, what]), [
    ["drop", "no\x1b[2J/\u202ekey"],
    ["drop", "2 events of P"],
    ["replay", "all dead letters"],
    ["try", "P"],
    ["resume", "P"],
    ["pause", "P"],
  ]);
  assert.deepEqual(trail[1]!["details"], { keys: ["s/1", "t/1"], keyCount: 2, plugin: "P", force: false });
  for (const { who, at } of trail) {
    assert.match(String(who), /^alice@\S+ \(command\)$/);
    assert.ok(Math.abs(Date.now() - Number(at)) < 600_000);
  }
  const { out } = await place.run("audit-log", "--limit", "2");
  assert.match(
    out,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}drop {2}alice@\S+ \(command\)\n {2}no\\u\{1b\}\[2J\/\\u\{202e\}key\n/,
  );
  assert.equal(out.trimEnd().split("\n").length, 4);
});

Deno.test("a command whose entry cannot be written to the audit trail does nothing", async () => {
  using place = await Place.open();
  {
    using database = openDatabase(place.dir.path("ledger.db"), { create: false });
    database.exec(
      `CREATE TRIGGER refuse BEFORE INSERT ON audit_trail BEGIN SELECT RAISE(ABORT, 'no entries today'); END`,
    );
  }
  const before = (await place.run("events", "--json")).out;
  for (
    const args of [
      ["events", "replay", "--dead"],
      ["events", "drop", "t/1"],
      ["plugins", "pause", "P"],
      ["plugins", "try", "P"],
    ]
  ) {
    const { code, err } = await place.run(...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(err, /no entries today/);
  }
  assert.equal((await place.run("events", "--json")).out, before);
  assert.match((await place.run("plugins", "--json")).out, /"paused":null/);
});
