import assert from "node:assert/strict";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { KINDS, neutralRows, type TestPlace, testPlace } from "../support/copied_ledgers.ts";
import { announceEvents, madeEvent } from "../support/made_events.ts";
import { WATCHER } from "../../tools/postgres/server.ts";
import { sharedPostgres } from "../support/postgres_server.ts";
import { ProgramDirectory, READ_WRITE, runProgram, startProgram } from "../support/program.ts";
import { clientOf } from "../support/temporary_postgres_ledger.ts";
import { until } from "../support/until.ts";

const PERMISSIONS = [...READ_WRITE.filter((each) => each !== "--deny-net"), "--allow-net"];
const OTHER = { SQLite: "PostgreSQL", PostgreSQL: "SQLite" } as const;

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

/** What names a place on the command line, with a password. */
function named({ place }: TestPlace): string {
  if ("file" in place) return place.file;
  return `${place.postgres.url}?schema=${place.postgres.schema}`;
}

/** Writes so many events, which wait. */
async function fill(place: TestPlace, events: number): Promise<void> {
  await using opened = await place.open();
  await opened.ledger.activate(["a", "b"]);
  for (let at = 0; at < events; at += 500) {
    const count = Math.min(500, events - at);
    const keys = Array.from({ length: count }, (_, index) => `s${at + index}/creation`);
    await announceEvents(opened.ledger, keys.map((key) => madeEvent(key, [key])));
  }
}

/** Whether the copy has a part of the events. */
async function isUnderWay({ place }: TestPlace): Promise<boolean> {
  let mark: unknown;
  const sql = "SELECT value FROM fact WHERE name = 'copying'";
  try {
    if ("file" in place) {
      using database = openDatabase(place.file, { create: false, isCopied: true });
      mark = database.prepare(sql).get()?.["value"];
    } else {
      await using client = clientOf({ url: place.postgres.url, schema: place.postgres.schema! });
      mark = (await client.rows(sql))[0]?.["value"];
    }
  } catch {
    return false;
  }
  return mark !== undefined && JSON.parse(String(mark)).table !== "plugin";
}

for (const from of KINDS) {
  Deno.test(`ledger copy from ${from} to ${OTHER[from]} goes on after kill -9, and shows no password`, async () => {
    using dir = new ProgramDirectory({});
    const file = dir.path("ledger.db");
    await using source = await testPlace(from, { file });
    await using target = await testPlace(OTHER[from], { file });
    await fill(source, 4100);
    const args = ["ledger", "copy", "--from", named(source), "--to", named(target)];
    const run = { dir: dir.path(), args, permissions: PERMISSIONS };
    {
      await using program = startProgram(run);
      await until(async () => program.err !== "" || await isUnderWay(target));
      assert.equal(program.err, "");
      await program.end("SIGKILL");
    }
    assert.ok(await isUnderWay(target));
    const { code, out, err } = await runProgram(run);
    assert.equal(code, 0, err);
    assert.match(
      err,
      /^(An earlier copy may still run: waiting for at most \d+ s\n)*Going on with the copy "[^"]+"(, schema "test_\d+")?\n$/,
    );
    assert.match(out, /^TABLE +ROWS +CHECKSUM\nplugin +2 +[0-9a-f]{16}\nevent +4,100 +[0-9a-f]{16}\n/);
    assert.match(out, /\n\nCopied "[^]+ 8,209 rows in\s+\d+\.\d s\.\s+Both are\s+the\s+same\.\n$/);
    assert.ok(!`${out}${err}`.includes(WATCHER.password));
    assert.deepEqual(await neutralRows(target), await neutralRows(source));
  });
}

Deno.test("ledger copy takes the configuration's ledger for the place that is not named", async () => {
  using dir = new ProgramDirectory({
    "config.ts": `export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: { watchQueue: "q" },
  ledger: { file: "copy.db" },
};
`,
  });
  await using source = await testPlace("SQLite", { file: dir.path("ledger.db") });
  await fill(source, 3);
  const run = (...args: readonly string[]) =>
    runProgram({ dir: dir.path(), args: ["ledger", "copy", ...args], permissions: READ_WRITE });
  const { code, out, err } = await run("--from", named(source));
  assert.equal(code, 0, err);
  assert.match(out, /\nevent +3 /);
  const itself = await run("--from", "copy.db");
  assert.deepEqual([itself.code, itself.out], [1, ""]);
  assert.match(itself.err, /^Cannot copy the ledger "copy\.db" to itself: name another place with --to\n$/);
  const unnamed = await run();
  assert.deepEqual([unnamed.code, unnamed.out], [2, ""]);
  assert.match(unnamed.err, /^Cannot copy the ledger: name --from or --to \(see /);
});
