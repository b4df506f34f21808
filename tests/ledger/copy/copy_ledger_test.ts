import assert from "node:assert/strict";
import { Pruner as PostgresPruner } from "../../../src/ledger/postgres/prune.ts";
import { Pruner as SqlitePruner } from "../../../src/ledger/sqlite/prune.ts";
import { openDatabase } from "../../../src/ledger/sqlite/database.ts";
import {
  announceEvents,
  decisionOf,
  madeEvent,
  madeNotification,
  promptDetail,
  settlementOf,
} from "../../support/made_events.ts";
import { clientOf } from "../../support/temporary_postgres_ledger.ts";
import { copyBetween, KINDS, neutralRows, type TestPlace, testPlace, viewOf } from "../../support/copied_ledgers.ts";
import { HISTORY_NOW as NOW, HISTORY_PLUGINS as PLUGINS, writeHistory } from "../../support/ledger_history.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";

const TIMES = [NOW, NOW + 3_600_000, NOW + 86_400_000];
/** Characters that PostgreSQL, or our separators, do not allow in texts. */
const HOSTILE = "\x1d\x1e\\u0000\\ \u2028 'ä\" 😀\u007f\u0085";

/** Deletes what has ended before a time. */
async function prune({ place }: TestPlace, before: number): Promise<void> {
  if ("file" in place) {
    using database = openDatabase(place.file, { create: false });
    const pruner = new SqlitePruner(database);
    while (pruner.slice(before)) { /* go on */ }
  } else {
    await using client = clientOf({ url: place.postgres.url, schema: place.postgres.schema! });
    const pruner = new PostgresPruner(client);
    while (await pruner.slice(before)) { /* go on */ }
  }
}

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

for (const [from, to] of [["SQLite", "PostgreSQL"], ["PostgreSQL", "SQLite"]] as const) {
  Deno.test(`A ledger that was copied from ${from} to ${to} goes on: messages, order, numbers`, async () => {
    await using source = await testPlace(from);
    await using target = await testPlace(to);
    {
      await using opened = await source.open();
      opened.now = NOW;
      await opened.ledger.activate(["a"]);
      await announceEvents(opened.ledger, [
        madeEvent("one", ["k"]),
        madeEvent("two", ["k"]),
        madeEvent("three", ["x"]),
      ]);
      const [, three] = await opened.ledger.ready({ plugin: "a", now: NOW, limit: 9 });
      await opened.ledger.settle([settlementOf(three!, { outcome: "done", endedAt: NOW })]);
      await opened.ledger.record([{ receivedAt: NOW, notification: madeNotification("undecided") }]);
    }
    await prune(source, NOW + 1);
    await copyBetween(source, target);
    await using opened = await target.open();
    opened.now = NOW;
    const { ledger } = opened;
    await ledger.activate(["a"]);
    const known = madeEvent("one").messageId;
    const arrivals = [known, "undecided", "new"].map((id) => ({ receivedAt: NOW, notification: madeNotification(id) }));
    assert.equal(await ledger.record(arrivals), 1);
    const ids: string[] = [];
    await ledger.decide(9, ({ messageId }) => {
      ids.push(messageId);
      return decisionOf([madeEvent(`${messageId}/creation`, ["k"])]);
    }, promptDetail);
    assert.deepEqual(ids, ["undecided", "new"]);
    const delivered: (readonly [seq: number, key: string])[] = [];
    for (;;) {
      const [first, ...others] = await ledger.ready({ plugin: "a", now: NOW, limit: 9 });
      if (first === undefined) break;
      assert.deepEqual(others, []);
      delivered.push([first.seq, first.event.key]);
      await ledger.settle([settlementOf(first, { outcome: "done", endedAt: NOW })]);
    }
    assert.deepEqual(delivered, [[1, "one"], [2, "two"], [4, "undecided/creation"], [5, "new/creation"]]);
  });
}

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

Deno.test("copyLedger() copies halves of surrogate pairs to PostgreSQL as they are, and to SQLite as it stores them", async () => {
  await using source = await testPlace("PostgreSQL");
  await using same = await testPlace("PostgreSQL");
  await using other = await testPlace("SQLite");
  await writeHistory(source, "\ud800x\udfff");
  const rows = await neutralRows(source);
  await copyBetween(source, same);
  assert.deepEqual(await neutralRows(same), rows);
  await copyBetween(source, other);
  const texts = (await neutralRows(other)).notification.map((row) => row["message_id"]);
  assert.ok(texts.includes("two \ufffdx\ufffd"), texts.join());
});
