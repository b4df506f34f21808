import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeXml, printable } from "../../src/wire/escape.ts";
import { hasPython3, python3 } from "./python.ts";

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

for (
  const [what, text, escaped] of [
    ["markup", `<a href="b" c='d'>&amp;</a>`, "&lt;a href=&quot;b&quot; c=&apos;d&apos;&gt;&amp;amp;&lt;/a&gt;"],
    ["the end of a CDATA section", "]]>", "]]&gt;"],
    ["what a parser would make other white space of", "a\r\n\tb", "a&#13;&#10;&#9;b"],
    ["what XML cannot hold", "\0\x08\x0b\x1f\ufffe\uffff\ud800", "\ufffd".repeat(7)],
    ["nothing else", "Grüße 東京 😀 \x7f\x85\x9f\u2028", "Grüße 東京 😀 \x7f\x85\x9f\u2028"],
  ] as const
) {
  Deno.test(`escapeXml() escapes ${what}`, () => assert.equal(escapeXml(text), escaped));
}

/** Parses an element and an attribute with every text, and prints what it found. */
const PARSE = `
import json, sys, xml.etree.ElementTree as tree
print(json.dumps([[e.text or "", e.get("a")] for e in tree.fromstring(json.load(sys.stdin).encode("utf-8"))]))
`;

Deno.test({
  name: "escapeXml() gives what a parser reads as the same text, in elements and attributes, whatever it gets",
  ignore: !hasPython3(),
  fn: async () => {
    const texts = fc.sample(fc.oneof(anyText, hostileText, fc.string({ unit: "grapheme" })), {
      numRuns: 2000,
      seed: 1,
    });
    const elements = texts.map(escapeXml).map((escaped) => `<e a="${escaped}">${escaped}</e>`);

    const read = await python3(PARSE, `<all>${elements.join("")}</all>`);

    // deno-lint-ignore no-control-regex -- the set of XML 1.0, 2.2
    const held = texts.map((text) => text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd"));
    assert.deepEqual(read, held.map((text) => [text, text]));
  },
});
