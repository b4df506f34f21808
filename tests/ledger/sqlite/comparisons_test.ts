import assert from "node:assert/strict";
import { openDatabase } from "../../../src/ledger/sqlite/database.ts";
import { Comparisons } from "../../../src/ledger/sqlite/comparisons.ts";
import { openOperations } from "../../../src/ledger/sqlite/operations.ts";
import { noticeRestore, RESTORED_AT } from "../../../src/ledger/sqlite/restored.ts";
import type { CloudScope, ComparisonReport, Difference } from "../../../src/model/comparison.ts";
import { report as madeReport } from "../../reconcile/made.ts";
import { madeNotification, NO_CHANGES } from "../../support/made_events.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

const SCOPE: CloudScope = { projectId: "p", isAdmin: true, fields: { region: "RegionOne" } };
const DIFFERENCE: Difference = {
  change: "gone",
  subject: "server",
  id: "s",
  name: null,
  address: null,
  keys: ["server/s/deletion"],
  evidence: [],
};

function report(startedAt: number, changes: Partial<ComparisonReport> = {}): ComparisonReport {
  return madeReport(startedAt, {
    endedAt: startedAt + 1,
    isFull: false,
    scope: SCOPE,
    drift: { untold: 0, gone: 1, moved: 0, changed: 0 },
    differences: [DIFFERENCE],
    ...changes,
  });
}

Deno.test("Comparisons.past() has the last comparison, and the last ones that came to an end", async () => {
  using opened = new TemporaryLedger();
  const comparisons = new Comparisons(opened.database);
  const empty = await comparisons.past();
  assert.deepEqual([empty.last, empty.lastComplete, empty.lastFull, empty.agreedAt], [null, null, null, null]);
  await comparisons.report(report(1, { isFull: true }));
  await comparisons.report(report(2, { outcome: "applied" }));
  await comparisons.report(report(3, { outcome: "planned", isFull: true }));
  await comparisons.report(report(4, { outcome: "failed", isFull: true, scope: null }));
  const { last, lastComplete, lastFull, agreedAt, reference } = await comparisons.past();
  assert.deepEqual([last?.startedAt, lastComplete?.startedAt, lastFull?.startedAt, agreedAt], [4, 2, 1, 3]);
  assert.deepEqual(reference, SCOPE);
  // They may be long, and are read each few seconds.
  assert.deepEqual(last?.differences, []);
});

Deno.test("Comparisons.past() refers to the scope of priming until a comparison was complete", async () => {
  using opened = new TemporaryLedger();
  const comparisons = new Comparisons(opened.database);
  await comparisons.primed({ ...SCOPE, projectId: "primed" });
  await comparisons.report(report(1, { outcome: "failed", scope: null }));
  assert.equal((await comparisons.past()).reference?.projectId, "primed");
  await comparisons.report(report(2));
  assert.equal((await comparisons.past()).reference?.projectId, "p");
});

Deno.test("SqliteLedger.prime() remembers when priming began, once", async () => {
  using opened = new TemporaryLedger();
  const comparisons = new Comparisons(opened.database);
  assert.equal((await comparisons.past()).beganAt, null);
  for (const now of [1000, 2000]) {
    opened.now = now;
    const progress = { listing: "servers", next: null, done: true, count: 0 } as const;
    await opened.ledger.prime(() => ({ changes: NO_CHANGES, progress }));
  }
  assert.equal((await comparisons.past()).beganAt, 1000);
});

Deno.test("Comparisons.record() gives another process's observations to the running service", async () => {
  using opened = new TemporaryLedger();
  const decide = () => {
    const decided: string[] = [];
    return opened.ledger.decide(10, ({ messageId }) => {
      decided.push(messageId);
      return { outcome: "remembered", reason: "", events: [], fill: null, changes: NO_CHANGES };
    }).then(() => decided);
  };
  const [first, second] = [madeNotification("first"), madeNotification("second")];
  await opened.ledger.record([{ receivedAt: 0, notification: first }]);
  assert.deepEqual(await decide(), ["first"]);
  // The service believes now that nothing is left undecided.
  await using operations = opened.operations();
  await operations.comparisons.record([second]);
  const { newest, oldestUndecided } = await operations.comparisons.decisions();
  assert.equal(newest, oldestUndecided);
  assert.deepEqual(await decide(), ["second"]);
  assert.equal((await operations.comparisons.decisions()).oldestUndecided, null);
});

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
