import assert from "node:assert/strict";
import fc from "fast-check";
import { type DiffLine, diffLines } from "../../../src/inspect/compare/line_diff.ts";

function texts(lines: readonly DiffLine[]): string {
  return lines.map(({ sign, text }) => sign + text).join("|");
}

for (
  const [before, after, expected] of [
    ["", "", ""],
    ["a b c", "a b c", " a| b| c"],
    ["a b c", "a x c", " a|-b|+x| c"],
    ["a c", "a b c", " a|+b| c"],
    ["a b c", "a c", " a|-b| c"],
    ["a b", "", "-a|-b"],
    ["", "a b", "+a|+b"],
    ["a a b a", "a b a a", " a|-a| b|+a| a"],
    ["a b c d e", "b x d e f", "-a| b|-c|+x| d| e|+f"],
  ] as const
) {
  Deno.test(`diffLines() makes "${expected}" of "${before}" and "${after}"`, () => {
    assert.equal(texts(diffLines(wordsOf(before), wordsOf(after))), expected);
  });
}

function wordsOf(text: string): readonly string[] {
  return text.split(" ").filter((word) => word !== "");
}

Deno.test("diffLines() has all lines of both in their order, and as many in common as there can be", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
  fc.assert(fc.property(lines, lines, (before, after) => {
    const diff = diffLines(before, after);
    assert.deepEqual(diff.filter(({ sign }) => sign !== "+").map(({ text }) => text), before);
    assert.deepEqual(diff.filter(({ sign }) => sign !== "-").map(({ text }) => text), after);
    assert.equal(diff.filter(({ sign }) => sign === " ").length, longestCommon(before, after));
  }));
});

/** The definition, without a table. */
function longestCommon([first, ...rest]: readonly string[], other: readonly string[]): number {
  if (first === undefined) return 0;
  const at = other.indexOf(first);
  const without = longestCommon(rest, other);
  return at === -1 ? without : Math.max(without, 1 + longestCommon(rest, other.slice(at + 1)));
}

Deno.test("diffLines() of two texts of 20,000 lines ends at once", () => {
  const lines = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word} ${index}`);
  const startedMs = performance.now();
  assert.equal(diffLines(["a", ...lines("x"), "z"], ["a", ...lines("y"), "z"]).length, 40_002);
  assert.ok(performance.now() - startedMs < 2000);
});
