import assert from "node:assert/strict";
import { retryAfterMs } from "../../../src/wire/http/retry_after.ts";

const NOW_MS = Date.UTC(1994, 10, 6, 8, 49, 0);

for (
  const [value, waitMs] of [
    ["0", 0],
    [" 120 ", 120_000],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37_000],
    ["Sun Nov  6 08:49:37 1994", 37_000],
    ["Sun, 06 Nov 1994 08:00:00 GMT", 0],
    [null, undefined],
    ["", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["2026-11-21", undefined],
    ["Sun, 99 Foo", undefined],
    ["9".repeat(400), undefined],
  ] as const
) {
  Deno.test(`retryAfterMs() is ${waitMs} when the header is ${JSON.stringify(value)?.slice(0, 40)}`, () => {
    assert.equal(retryAfterMs(value, NOW_MS), waitMs);
  });
}
