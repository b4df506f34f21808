import assert from "node:assert/strict";
import fc from "fast-check";
import { printable } from "../../../src/wire/escaping/printable.ts";

const anyText = fc.string({ unit: "binary", maxLength: 200 });
const hostileText = fc.string({
  unit: fc.constantFrom(
    "\r",
    "\n",
    "\x1b",
    "\x9b",
    "\x7f",
    "\0",
    "\u202e",
    "\u2066",
    "\u2028",
    "\ud800",
    "\udc00",
    "\\",
    "u{",
    "a",
    "é",
    "😀",
  ),
  maxLength: 50,
});

for (
  const [what, text, shown] of [
    ["line breaks", "a\r\nb", "a\\u{d}\\u{a}b"],
    ["escape sequences", "\x1b[31m\x9b2J", "\\u{1b}[31m\\u{9b}2J"],
    ["NUL and DEL", "\0\x7f", "\\u{0}\\u{7f}"],
    ["bidirectional overrides and isolates", "\u202egnp\u2066", "\\u{202e}gnp\\u{2066}"],
    ["separators of lines and paragraphs", "\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["lone surrogates", "\ud800a\udfff", "\\u{d800}a\\u{dfff}"],
    ["invisible characters", "a\u200bb\ufeff\u{e0041}", "a\\u{200b}b\\u{feff}\\u{e0041}"],
    ["what looks like an escape", "\\u{1b}", "\\u{5c}u{1b}"],
  ] as const
) {
  Deno.test(`printable() escapes ${what}`, () => assert.equal(printable(text), shown));
}

Deno.test("printable() leaves visible characters of every language as they are", () => {
  const text = `Grüße "é" 東京 Ελλάδα 😀 C:\\temp \\ub €`;
  assert.equal(printable(text), text);
});

Deno.test("printable() leaves nothing that moves a cursor, breaks a line or reverses text, whatever it gets", () => {
  fc.assert(fc.property(fc.oneof(anyText, hostileText), (text) => {
    assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
  }));
});

Deno.test("printable() can be undone: different texts stay different", () => {
  const undo = (shown: string) =>
    shown.replace(/\\u\{([0-9a-f]+)\}/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16)));
  fc.assert(fc.property(fc.oneof(anyText, hostileText), (text) => assert.equal(undo(printable(text)), text)));
});

Deno.test("printable() cuts between characters and escapes, and says so, when the text is too long", () => {
  fc.assert(fc.property(fc.oneof(anyText, hostileText), fc.integer({ min: 1, max: 60 }), (text, maxLength) => {
    const [whole, cut] = [printable(text), printable(text, maxLength)];
    if (whole.length <= maxLength) return assert.equal(cut, whole);
    assert.ok(cut.length <= maxLength && cut.endsWith("…"));
    assert.ok(whole.startsWith(cut.slice(0, -1)));
    assert.doesNotMatch(cut, /\\u\{[0-9a-f]*…|\p{Cs}/u);
  }));
});
