import assert from "node:assert/strict";
import { EventPairs } from "../../../src/inspect/compare/event_pairs.ts";
import type { EventComparison } from "../../../src/inspect/compare/compare_events.ts";
import { madeReplayed } from "./made_replayed.ts";

function texts(found: readonly EventComparison[]): readonly string[] {
  return found.map(({ key, change }) => `${key} ${change}`);
}

Deno.test("EventPairs gives an event as soon as both sides have it", () => {
  const pairs = new EventPairs(10);
  assert.deepEqual(texts(pairs.add("before", madeReplayed("a"))), []);
  assert.deepEqual(texts(pairs.add("after", madeReplayed("a"))), ["a same"]);
  assert.deepEqual(texts(pairs.end()), []);
});

Deno.test("EventPairs finds what comes later on one side, and keeps the order of the history", () => {
  const pairs = new EventPairs(10);
  for (const key of ["a", "b"]) assert.deepEqual(texts(pairs.add("before", madeReplayed(key))), []);
  assert.deepEqual(texts(pairs.add("after", madeReplayed("b"))), []);
  assert.deepEqual(texts(pairs.add("after", madeReplayed("c"))), []);
  assert.deepEqual(texts(pairs.add("after", madeReplayed("a", { name: "x" }))), ["a changed", "b same"]);
  assert.deepEqual(texts(pairs.end()), ["c onlyAfter"]);
});

Deno.test("EventPairs lets no more events wait than it may", () => {
  const pairs = new EventPairs(3);
  const found = Array.from({ length: 100 }, (_, index) => pairs.add("before", madeReplayed(String(index))));
  assert.deepEqual(texts(found.flat()), Array.from({ length: 97 }, (_, index) => `${index} onlyBefore`));
  assert.deepEqual(texts(pairs.end()), ["97 onlyBefore", "98 onlyBefore", "99 onlyBefore"]);
});
