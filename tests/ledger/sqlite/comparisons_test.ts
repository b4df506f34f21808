import assert from "node:assert/strict";
import { Comparisons } from "../../../src/ledger/sqlite/comparisons.ts";
import { openDatabase } from "../../../src/ledger/sqlite/database.ts";
import { RESTORED_AT } from "../../../src/ledger/sqlite/restored.ts";
import { report } from "../../reconcile/made.ts";

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
