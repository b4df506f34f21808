import assert from "node:assert/strict";
import { copyBetween, KINDS, neutralRows, testPlace, viewOf } from "../../support/copied_ledgers.ts";
import { HISTORY_NOW as NOW, HISTORY_PLUGINS as PLUGINS, writeHistory } from "../../support/ledger_history.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";

const TIMES = [NOW, NOW + 3_600_000, NOW + 86_400_000];
/** Characters that PostgreSQL, or our separators, do not allow in texts. */
const HOSTILE = "\x1d\x1e\\u0000\\ \u2028 'ä\" 😀\u007f\u0085";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

for (const from of KINDS) {
  for (const to of KINDS) {
    Deno.test(`copyLedger() copies a ledger with everything in it from ${from} to ${to}, and back`, async () => {
      await using source = await testPlace(from);
      await using target = await testPlace(to);
      await using back = await testPlace(from);
      await writeHistory(source, HOSTILE);
      const rows = await neutralRows(source);
      for (const [table, all] of Object.entries(rows)) assert.ok(all.length > 0, `nothing in ${table}`);
      const { tables } = await copyBetween(source, target);
      const counts = Object.entries(rows).map(([name, all]) => [name, all.length]);
      assert.deepEqual([...tables].map(([name, { rows }]) => [name, rows]), counts);
      assert.deepEqual(await neutralRows(target), rows);
      await copyBetween(target, back);
      assert.deepEqual(await neutralRows(back), rows);
      const view = await viewOf(source, { plugins: PLUGINS, times: TIMES });
      assert.deepEqual(await viewOf(target, { plugins: PLUGINS, times: TIMES }), view);
      assert.deepEqual(await viewOf(back, { plugins: PLUGINS, times: TIMES }), view);
    });

    // SQLite has it whole, but whoever reads it as text gets what is before.
    Deno.test(`copyLedger() copies texts with NUL from ${from} to ${to}, and back`, async () => {
      await using source = await testPlace(from);
      await using target = await testPlace(to);
      await using back = await testPlace(from);
      await writeHistory(source, `\u0000${HOSTILE}`);
      const rows = await neutralRows(source);
      await copyBetween(source, target);
      assert.deepEqual(await neutralRows(target), rows);
      await copyBetween(target, back);
      assert.deepEqual(await neutralRows(back), rows);
    });
  }
}
