import assert from "node:assert/strict";
import { readEventKeys, readPluginNames } from "../../src/ledger/open_ledger.ts";
import { placeNamed, placeOf, shownPlace } from "../../src/ledger/place.ts";
import { UserError } from "../../src/model/errors.ts";

const URL_TEXT = "postgres://oss:hush@db-1,db-2:5433/state?schema=own";

Deno.test("placeOf() gives the file of config.ts, or its PostgreSQL", () => {
  assert.deepEqual(placeOf({ file: "/a/l.db", keepDays: 3 }), { file: "/a/l.db" });
  assert.deepEqual(placeOf({ postgres: { url: URL_TEXT } }), { postgres: { url: URL_TEXT } });
  assert.ok("file" in placeOf());
});

Deno.test("placeNamed() tells a URL from a path, and refuses a wrong URL without its password", () => {
  assert.deepEqual(placeNamed("./postgres"), { file: "./postgres" });
  assert.deepEqual(placeNamed(URL_TEXT), { postgres: { url: URL_TEXT } });
  assert.throws(() => placeNamed("postgres://oss:hush@db:x/state"), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^Cannot read the URL of the ledger: /);
    assert.ok(!error.message.includes("hush"));
    return true;
  });
});

Deno.test("shownPlace() shows a path, or a URL without its password", () => {
  assert.equal(shownPlace({ file: "/a/l.db" }), `"/a/l.db"`);
  assert.equal(
    shownPlace({ postgres: { url: URL_TEXT } }),
    `"postgres://oss@db-1:5432,db-2:5433/state", schema "own"`,
  );
});

Deno.test("readPluginNames() and readEventKeys() ask no server", async () => {
  const place = placeNamed(URL_TEXT);
  assert.deepEqual(await readPluginNames(place), []);
  assert.deepEqual(await readEventKeys(place, { prefix: "", limit: 9, deadFirst: false }), []);
});
