import assert from "node:assert/strict";
import { openDatabase } from "../../../src/ledger/sqlite/database.ts";
import { readEventKeys } from "../../../src/ledger/sqlite/completion_names.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

const COUNT = 6000;

/** So many events of each prefix, in this order. */
function makeEvents(file: string, prefixes: readonly string[]): void {
  using database = openDatabase(file, { create: true });
  const insert = database.prepare(
    `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${COUNT})
      INSERT INTO event (key, notification, decided_at, data, order_keys) SELECT ? || n, n, n, '{}', '[]' FROM number`,
  );
  for (const prefix of prefixes) insert.run(prefix);
}

Deno.test("readEventKeys() finds keys of a frequent prefix, the newest first, also behind many newer events", () => {
  using dir = new TemporaryDirectory();
  const file = dir.path("ledger.db");
  makeEvents(file, ["old/", "new/"]);
  const keys = (prefix: string) => readEventKeys(file, { prefix, limit: 3, deadFirst: true }).map(({ key }) => key);
  assert.deepEqual(keys("new/"), ["new/6000", "new/5999", "new/5998"]);
  assert.deepEqual(keys("old/5"), ["old/5999", "old/5998", "old/5997"]);
  assert.equal(keys("old/").length, 3);
  assert.ok(keys("old/").every((key) => key.startsWith("old/")));
});

Deno.test("readEventKeys() takes a prefix literally", () => {
  using dir = new TemporaryDirectory();
  const file = dir.path("ledger.db");
  makeEvents(file, ["a%b'/"]);
  const count = (prefix: string) => readEventKeys(file, { prefix, limit: 9, deadFirst: false }).length;
  assert.deepEqual(["a%b'", "a_b", "%", "A", "a\u{10ffff}"].map(count), [9, 0, 0, 0, 0]);
});
