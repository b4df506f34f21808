import assert from "node:assert/strict";
import { failed, keyValues, nanoseconds } from "../../../src/observe/telemetry/otlp.ts";

Deno.test("keyValues() cuts texts, and writes what a terminal would obey as escapes", () => {
  const [name, size, share] = keyValues({ name: `\x1b[2J${"x".repeat(10_000)}`, size: 3, share: 0.5 });
  assert.ok(name && "stringValue" in name.value);
  assert.equal(name.value.stringValue.length, 256);
  assert.match(name.value.stringValue, /^\\u\{1b\}\[2Jx+…$/);
  assert.deepEqual([size?.value, share?.value], [{ intValue: "3" }, { doubleValue: 0.5 }]);
});

Deno.test("failed() cuts the text of an error", () => {
  assert.equal(failed("e".repeat(100_000)).message.length, 1024);
});

Deno.test("nanoseconds() keeps microseconds", () => {
  assert.equal(nanoseconds(1_796_071_911_916.123), "1796071911916123000");
});
