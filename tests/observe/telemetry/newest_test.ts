import assert from "node:assert/strict";
import { Newest } from "../../../src/observe/telemetry/newest.ts";

Deno.test("Newest keeps as many entries as it may, those that were set last", () => {
  const newest = new Newest<string, number>(2);
  newest.set("a", 1);
  newest.set("b", 2);
  newest.set("a", 3);
  newest.set("c", 4);
  assert.deepEqual(["a", "b", "c"].map((key) => newest.get(key)), [3, undefined, 4]);
  assert.equal(newest.take("a"), 3);
  assert.equal(newest.has("a"), false);
});
