import assert from "node:assert/strict";
import { closest } from "../../src/config/closest.ts";

const keys = ["url", "host", "port", "password", "watchQueue", "heartbeatSeconds", "floatingip.update.end"];

for (
  const [word, meant] of [
    ["prot", "port"],
    ["hosts", "host"],
    ["watch_queue", "watchQueue"],
    ["pasword", "password"],
    ["heartbeat", undefined],
    ["floatingip.update.emd", "floatingip.update.end"],
    ["Host", "host"],
    ["rabbit", undefined],
    ["x", undefined],
    ["", undefined],
    ["x".repeat(1_000_000), undefined],
  ] as const
) {
  Deno.test(`closest() is ${meant} when the word is "${word.slice(0, 40)}"`, () =>
    assert.equal(closest(word, keys), meant));
}
