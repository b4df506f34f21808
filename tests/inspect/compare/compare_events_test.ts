import assert from "node:assert/strict";
import { compareEvents } from "../../../src/inspect/compare/compare_events.ts";
import type { ReplayedEvent, Sent } from "../../../src/inspect/compare/replayed_event.ts";
import { madeReplayed } from "./made_replayed.ts";

const KEY = "server/1/creation";
const EVENT = madeReplayed(KEY);

/** The change of the event, and that of each plugin. */
function changes(before: ReplayedEvent | null, after: ReplayedEvent | null) {
  const { change, plugins } = compareEvents(before, after);
  return [change, ...plugins.map(({ name, change }) => `${name} ${change}`)];
}

function sent(...plugins: readonly Sent[]): ReplayedEvent {
  return madeReplayed(KEY, { plugins });
}

for (
  const [what, before, after, ...expected] of [
    ["the same twice", EVENT, madeReplayed(KEY), "same", "P same"],
    [
      "another notification of the same",
      EVENT,
      { ...EVENT, event: "instance.create.end", time: "x" },
      "same",
      "P same",
    ],
    ["another detail", EVENT, { ...EVENT, detail: { ...EVENT.detail, IP: "10.0.0.1" } }, "changed", "P same"],
    ["an event that goes", EVENT, null, "onlyBefore", "P onlyBefore"],
    ["an event that comes", null, EVENT, "onlyAfter", "P onlyAfter"],
    ["another preview", EVENT, sent({ name: "P", preview: "x" }), "changed", "P changed"],
    [
      "the keys of a body in another order",
      sent({ name: "P", preview: { a: 1, b: 2 } }),
      sent({ name: "P", preview: { b: 2, a: 1 } }),
      "changed",
      "P changed",
    ],
    ["a plugin that is not told", EVENT, sent(), "changed", "P onlyBefore"],
    ["a plugin that is told", sent(), EVENT, "changed", "P onlyAfter"],
    ["a plugin that skips it", EVENT, sent({ name: "P", preview: null, skipped: true }), "changed", "P onlyBefore"],
    [
      "a plugin that skips it, and one that is not there",
      sent({ name: "P", preview: null, skipped: true }),
      sent(),
      "same",
    ],
    [
      "plugins in another order",
      sent({ name: "P", preview: 1 }, { name: "Q", preview: 2 }),
      sent({ name: "Q", preview: 2 }, { name: "P", preview: 1 }),
      "same",
      "P same",
      "Q same",
    ],
    [
      "another method of a plugin without a preview",
      sent({ name: "P", preview: null }),
      sent({ name: "P", preview: null, method: "update" }),
      "changed",
      "P changed",
    ],
    [
      "another detail for a plugin without a preview",
      sent({ name: "P", preview: null }),
      { ...sent({ name: "P", preview: null }), detail: { ...EVENT.detail, IP: "10.0.0.1" } },
      "changed",
      "P changed",
    ],
    ["a preview that fails after", EVENT, sent({ name: "P", preview: null, error: "x" }), "changed", "P changed"],
    ["a beginning that is not remembered", EVENT, { ...EVENT, creationSeen: false as const }, "changed", "P same"],
    ["keys that OpenStack is asked for", EVENT, { ...EVENT, keysToAsk: ["OS"] }, "changed", "P same"],
    ["other keys whose changes are told", EVENT, { ...EVENT, changed: ["FQDN"] }, "changed", "P same"],
  ] as const
) {
  Deno.test(`compareEvents() takes ${what} for ${expected.join(", ")}`, () => {
    assert.deepEqual(changes(before, after as ReplayedEvent | null), expected);
  });
}

Deno.test("compareEvents() names the keys of the detail that differ, whatever a tenant called them", () => {
  const withDetail = (json: string) => ({ ...EVENT, detail: JSON.parse(json) });
  const before = withDetail(`{"IP": "10.0.0.1", "Ram": 2, "Addresses": [1], "constructor": 1}`);
  const after = withDetail(`{"Ram": 2, "Addresses": [2], "IP": "10.0.0.1", "__proto__": 3}`);
  assert.deepEqual(compareEvents(before, after).changedKeys, ["Addresses", "constructor", "__proto__"]);
  assert.deepEqual(compareEvents(before, null).changedKeys, []);
});
