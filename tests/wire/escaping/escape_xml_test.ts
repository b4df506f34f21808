import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeXml } from "../../../src/wire/escaping/escape_xml.ts";
import { python3 } from "../python.ts";

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

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("<", "&", "]]>", "'", '"', "\r", "\n", "\t", " ", "\0", "\x85", "\ufffe", "\ud800", "&#0;"),
  ),
  maxLength: 60,
});

/** Parses an element and an attribute with every text, and prints what it found. */
const PARSE = `
import json, sys, xml.etree.ElementTree as tree
print(json.dumps([[e.text or "", e.get("a")] for e in tree.fromstring(json.load(sys.stdin).encode("utf-8"))]))
`;

Deno.test("escapeXml() gives what a parser reads as the same text, in elements and attributes, whatever it gets", async () => {
  const texts = fc.sample(anyText, { numRuns: 2000, seed: 1 });
  const elements = texts.map(escapeXml).map((escaped) => `<e a="${escaped}">${escaped}</e>`);

  const read = await python3(PARSE, `<all>${elements.join("")}</all>`);

  // deno-lint-ignore no-control-regex -- the set of XML 1.0, 2.2
  const held = texts.map((text) => text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd"));
  assert.deepEqual(read, held.map((text) => [text, text]));
});
