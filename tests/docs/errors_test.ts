import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { errorDocument, textsOf } from "../../tools/error_texts.ts";

const TOP = fileURLToPath(new URL("../..", import.meta.url));

Deno.test("docs/ERRORS.md has every error text (deno run --allow-read --allow-write tools/error_texts.ts)", async () => {
  assert.equal(await Deno.readTextFile(`${TOP}/docs/ERRORS.md`), await errorDocument(TOP));
});

for (
  const [what, source, texts] of [
    ["a text with values", 'f(`Cannot open "${file}": ${state}. Close it`)', ['Cannot open "…": …. Close it']],
    ["a text in pieces", 'f(\n  "Cannot a: " +\n    `${b} c`,\n)', ["Cannot a: … c"]],
    ["a text in a value's place", 'f(`${x ? `Cannot y "${z}"` : "}"}`)', ['Cannot y "…"']],
    ["values that follow each other", "f(`Cannot a ${b}${c ?? `d${e}`} f`)", ["Cannot a … f"]],
    ["an escaped quote", 'f("Cannot \\"a\\" b\\nc")', ['Cannot "a" b c']],
    ["nothing of a docstring", '/** `Cannot a` */ f("b")', []],
    ["nothing of values alone", "f(`Cannot ${a}: ${b}`)", []],
  ] as const
) {
  Deno.test(`textsOf() finds ${what}`, () => assert.deepEqual(textsOf(source), texts));
}
