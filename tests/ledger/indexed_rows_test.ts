import assert from "node:assert/strict";
import fc from "fast-check";
import { IndexedRows } from "../../src/ledger/ram/indexed_rows.ts";

interface Row {
  readonly id: string;
  readonly one: string | null;
  readonly other: string | null;
}

const WORD = fc.constantFrom("a", "b", "c");
const ROWS = fc.array(fc.record({ id: WORD, one: fc.option(WORD), other: fc.option(WORD) }));

Deno.test("IndexedRows finds by each key what a search of all rows finds, ordered by the last change", () => {
  fc.assert(fc.property(ROWS, (changes) => {
    const rows = new IndexedRows({ one: ({ one }: Row) => one, other: ({ other }: Row) => other });
    let all: readonly Row[] = [];
    for (const row of changes) {
      rows.write([row]);
      all = [...all.filter(({ id }) => id !== row.id), row];
    }
    for (const word of ["a", "b", "c"]) {
      assert.deepEqual(rows.get(word), all.find(({ id }) => id === word));
      for (const key of ["one", "other"] as const) {
        assert.deepEqual(rows.by(key, word), all.filter((row) => row[key] === word));
      }
    }
  }));
});
