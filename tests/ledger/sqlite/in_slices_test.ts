import { deepStrictEqual as assertEquals, throws as assertThrows } from "node:assert/strict";
import { openDatabase, transaction } from "../../../src/ledger/sqlite/database.ts";
import { inSlices, SLICE_MS } from "../../../src/ledger/sqlite/in_slices.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

Deno.test("inSlices() processes all in order, and lets others write for as long as it wrote itself", () => {
  using opened = new TemporaryLedger();
  using beside = openDatabase(opened.file, { create: false, busyTimeoutMs: 0 });
  const written = () => transaction(beside, () => true);
  const [treated, pauses]: [number[], number[]] = [[], []];
  let [passed, begun, finished] = [0, 0, 0];
  const results = inSlices(opened.database, [1, 2, 3, 4, 5], {
    process: (item) => {
      assertThrows(written, /locked/);
      treated.push(item);
      passed += SLICE_MS / 2;
      return item === 3 ? [] : [item * 10];
    },
    begin: () => begun++,
    finish: () => finished++,
    passedMs: () => passed,
    pause: (ms) => {
      assertEquals(written(), true);
      pauses.push(ms);
    },
  });
  assertEquals(results, [10, 20, 40, 50]);
  assertEquals(treated, [1, 2, 3, 4, 5]);
  assertEquals(pauses, [SLICE_MS, SLICE_MS]);
  assertEquals([begun, finished], [3, 3]);
});

Deno.test("inSlices() begins no transaction for nothing, and pauses for real", () => {
  using opened = new TemporaryLedger();
  const never = () => {
    throw new Error("not called");
  };
  assertEquals(inSlices(opened.database, [], { begin: never, process: never, finish: never, pause: never }), []);
  const busy = (item: number) => {
    for (const until = performance.now() + SLICE_MS; performance.now() < until;);
    return [item];
  };
  const startedMs = performance.now();
  assertEquals(inSlices(opened.database, [1, 2], { begin: () => {}, process: busy, finish: () => {} }), [1, 2]);
  assertEquals(performance.now() - startedMs >= 3 * SLICE_MS - 2, true);
});
