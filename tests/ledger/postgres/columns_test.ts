import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import fc from "fast-check";
import { arrayOf, Columns, numbersOf, original, plain, SEPARATOR } from "../../../src/ledger/postgres/columns.ts";

const HOSTILE = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\x00", "\x1d", "\x1e", "\\", "u", "0", "\ud800", "\udc00", "\n", "é") }),
);

Deno.test("plain() keeps out what PostgreSQL and our separators do not allow, and is taken back", () => {
  fc.assert(fc.property(HOSTILE, (text) => {
    const stored = plain(text);
    // deno-lint-ignore no-control-regex -- these are what it is about
    ok(!/[\x00-\x1f\x7f]/.test(stored));
    ok(stored.isWellFormed());
    assertEquals(original(stored), text);
  }));
});

Deno.test("plain() leaves usual texts as they are", () => {
  for (const text of ["", "server/3d1f/creation", "2026-11-30T07:55:00.123Z", "Zürich 🚀"]) {
    assertEquals(plain(text), text);
  }
});

Deno.test("Columns join the values of each column", () => {
  const columns = new Columns(3);
  columns.add("a", 1, null);
  columns.add("b", 2, true);
  assertEquals(columns.size, 2);
  assertEquals(columns.texts, [`a${SEPARATOR}b`, `1${SEPARATOR}2`, `\x1d${SEPARATOR}true`]);
});

Deno.test("numbersOf() reads what arrayOf() writes", () => {
  fc.assert(fc.property(fc.array(fc.maxSafeNat()), (numbers) => assertEquals(numbersOf(arrayOf(numbers)), numbers)));
});
