import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { isSameData } from "../../src/model/same_data.ts";

Deno.test("isSameData() is Node's isDeepStrictEqual() for what JSON can hold", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(value, value, (one, other) => {
      assert.equal(isSameData(one, other), isDeepStrictEqual(one, other));
      assert.ok(isSameData(one, structuredClone(one)));
    }),
    { numRuns: 1000 },
  );
});

for (
  const [one, other, expected] of [
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [[1, 2], [2, 1], false],
    [{ a: undefined }, {}, false],
    [{ a: undefined }, { b: undefined }, false],
    [[], {}, false],
    [null, {}, false],
    [{ toString: 1 }, {}, false],
    [new Date(0), new Date(0), false],
    [/a/, /a/, false],
  ] as const
) {
  Deno.test(`isSameData() is ${expected} for ${Deno.inspect(one)} and ${Deno.inspect(other)}`, () => {
    assert.equal(isSameData(one, other), expected);
    assert.equal(isSameData(other, one), expected);
    assert.ok(isSameData(one, one));
  });
}
