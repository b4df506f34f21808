import assert from "node:assert/strict";
import { openDatabase } from "../../../src/ledger/sqlite/database.ts";
import { Comparisons } from "../../../src/ledger/sqlite/comparisons.ts";
import { openOperations } from "../../../src/ledger/sqlite/operations.ts";
import { noticeRestore, RESTORED_AT } from "../../../src/ledger/sqlite/restored.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";
import { report } from "../made_reports.ts";

Deno.test("Comparisons.existingIds() reads all ids, a thousand at a time", async () => {
  using opened = new TemporaryLedger();
  const add = opened.database.prepare("INSERT INTO server (id, data, deleted_at) VALUES (?, '{}', ?)");
  const ids = Array.from({ length: 2500 }, (_, index) => `id-${String(index).padStart(5, "0")}`);
  for (const [index, id] of ids.entries()) add.run(id, index % 5 === 0 ? 1 : null);
  const existing = await new Comparisons(opened.database).existingIds("servers");
  assert.deepEqual(existing, ids.filter((_, index) => index % 5 !== 0));
});

Deno.test("noticeRestore() notices a copy of the command backup, and a file that was copied, once", async () => {
  using directory = new TemporaryDirectory();
  const [ledger, backup, copy] = ["ledger.db", "backup.db", "copy.db"].map((name) => directory.path(name)) as [
    string,
    string,
    string,
  ];
  const notice = (file: string, now: number) => {
    using other = new TemporaryLedger({ file });
    return noticeRestore(other.database, { file, now });
  };
  assert.equal(notice(ledger, 1), false);
  assert.equal(notice(ledger, 2), false);
  {
    await using operations = openOperations(ledger);
    await operations.backup(backup);
  }
  // Back in the old place, with the old number in the file system.
  await Deno.writeFile(ledger, await Deno.readFile(backup));
  assert.equal(notice(ledger, 3), true);
  assert.equal(notice(ledger, 4), false);
  // A copy by other means, put back over the file: it has fewer starts than the lock file knows.
  const plain = await Deno.readFile(ledger);
  assert.equal(notice(ledger, 4), false);
  await Deno.writeFile(ledger, plain);
  assert.equal(notice(ledger, 4), true);
  assert.equal(notice(ledger, 4), false);
  await Deno.copyFile(ledger, copy);
  assert.equal(notice(copy, 5), true);
  assert.equal(notice(copy, 6), false);
  using other = new TemporaryLedger({ file: copy });
  const comparisons = new Comparisons(other.database);
  assert.equal((await comparisons.past()).restoredAt, 5);
  await comparisons.report(report(7, { isFull: true }));
  const { restoredAt, lastRestoreAt } = await comparisons.past();
  assert.deepEqual([restoredAt, lastRestoreAt], [null, 5]);
});

Deno.test("past() has a restore until a comparison agreed, also if the clock was set back meanwhile", async () => {
  const dir = Deno.makeTempDirSync();
  try {
    using database = openDatabase(`${dir}/ledger.db`, { create: true });
    const comparisons = new Comparisons(database);
    const restored = (at: number) =>
      database.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)").run(RESTORED_AT, String(at));
    assert.equal((await comparisons.past()).restoredAt, null);
    restored(2000);
    await comparisons.report(report(1000, { outcome: "withheld" }));
    assert.equal((await comparisons.past()).restoredAt, 2000);
    await comparisons.report(report(1001));
    assert.equal((await comparisons.past()).restoredAt, null);
    restored(3000);
    assert.equal((await comparisons.past()).restoredAt, 3000);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
