import assert from "node:assert/strict";
import { duration } from "../../src/observe/duration.ts";

for (
  const [seconds, text] of [
    [-5, "0 s"],
    [0, "0 s"],
    [0.4, "0 s"],
    [12, "12 s"],
    [60, "1 min"],
    [100, "1 min 40 s"],
    [7200, "2 h"],
    [7320, "2 h 2 min"],
    [7201, "2 h"],
    [273_600, "3 d 4 h"],
  ] as const
) {
  Deno.test(`duration() of ${seconds} s is ${text}`, () => assert.equal(duration(seconds * 1000), text));
}
