import assert from "node:assert/strict";
import { maxDeletions } from "../../src/reconcile/max_deletions.ts";

Deno.test("maxDeletions() is 10 for a small cloud", () => {
  assert.equal(maxDeletions(undefined, 0), 10);
  assert.equal(maxDeletions(undefined, 219), 10);
});

Deno.test("maxDeletions() is 5 % of what is remembered if that is more than 10", () => {
  assert.equal(maxDeletions(undefined, 220), 11);
  assert.equal(maxDeletions(undefined, 239), 11);
  assert.equal(maxDeletions(undefined, 20_000), 1000);
});

Deno.test("maxDeletions() is the option, also if that is 0", () => {
  assert.equal(maxDeletions(0, 20_000), 0);
  assert.equal(maxDeletions(3, 20_000), 3);
});
