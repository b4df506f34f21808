import assert from "node:assert/strict";

/** Fails unless a header names these keys, or the first of them and that there are more. */
export function assertChanged(header: string, changed: readonly string[]): void {
  assert.match(header, /^[\w.~%,-]*\*?$/);
  assert.ok(header.length <= 1024);
  const named = header.split(",");
  const hasMore = named.at(-1) === "*";
  const expected = changed.map((key) => key.toWellFormed());
  const keys = (hasMore ? named.slice(0, -1) : named).map(decodeURIComponent);
  assert.deepEqual(keys, hasMore ? expected.slice(0, keys.length) : expected);
}
