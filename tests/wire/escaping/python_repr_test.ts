import assert from "node:assert/strict";
import fc from "fast-check";
import { pythonRepr } from "../../../src/wire/escaping/python_repr.ts";
import { python3 } from "../python.ts";

for (
  const [what, text, three, two, bytes] of [
    ["plain text", "admin", `'admin'`, `u'admin'`, `'admin'`],
    ["an apostrophe", "it's", `"it's"`, `u"it's"`, `"it's"`],
    ["both quotes", `'"`, String.raw`'\'"'`, String.raw`u'\'"'`, String.raw`'\'"'`],
    ["backslashes", "\\n", String.raw`'\\n'`, String.raw`u'\\n'`, String.raw`'\\n'`],
    ["line breaks", "\r\n\t", String.raw`'\r\n\t'`, String.raw`u'\r\n\t'`, String.raw`'\r\n\t'`],
    ["controls", "\0\x1b\x7f", String.raw`'\x00\x1b\x7f'`, String.raw`u'\x00\x1b\x7f'`, String.raw`'\x00\x1b\x7f'`],
    ["C1", "\x9b", String.raw`'\x9b'`, String.raw`u'\x9b'`, String.raw`'\xc2\x9b'`],
    ["letters", "é€", `'é€'`, String.raw`u'\xe9\u20ac'`, String.raw`'\xc3\xa9\xe2\x82\xac'`],
    ["astral characters", "😀", `'😀'`, String.raw`u'\U0001f600'`, String.raw`'\xf0\x9f\x98\x80'`],
    ["marks", "\u202e\u200b", String.raw`'\u202e\u200b'`, String.raw`u'\u202e\u200b'`, undefined],
    ["blanks", " \xa0\u2028", String.raw`' \xa0\u2028'`, String.raw`u' \xa0\u2028'`, undefined],
    ["lone surrogates", "\ud800", String.raw`'\ud800'`, String.raw`u'\ud800'`, String.raw`'\xef\xbf\xbd'`],
    ["nothing", "", `''`, `u''`, `''`],
  ] as const
) {
  Deno.test(`pythonRepr() writes ${what} as Python does`, () => {
    assert.deepEqual([pythonRepr(text), pythonRepr(text, "python2-unicode")], [three, two]);
    if (bytes !== undefined) assert.equal(pythonRepr(text, "python2-str"), bytes);
  });
}

Deno.test("pythonRepr() writes null as None", () => {
  assert.deepEqual([pythonRepr(null), pythonRepr(null, "python2-unicode")], ["None", "None"]);
});

// The two do not know the same version of Unicode: characters that one of them may not know are left out.
const texts = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code)),
    fc.constantFrom(
      "'",
      '"',
      "\\",
      "\u202e",
      "\u2028",
      "\u3000",
      "\ufeff",
      "\ud800",
      "\udfff",
      "€",
      "東",
      "😀",
      "\u{e0041}",
    ),
  ),
  maxLength: 40,
});

const REPR = `
import ast, json, sys
print(json.dumps([[repr(text), ast.literal_eval(ours) == text] for text, ours in json.load(sys.stdin)]))
`;

Deno.test("pythonRepr() is what repr() of Python 3 gives, whatever the text", async () => {
  const samples = fc.sample(texts, { numRuns: 3000, seed: 1 });

  const read = await python3(REPR, samples.map((text) => [text, pythonRepr(text)]));

  assert.deepEqual(read, samples.map((text) => [pythonRepr(text), true]));
});
