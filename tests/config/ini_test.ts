import assert from "node:assert/strict";
import fc from "fast-check";
import { type IniEntry, readIni, stripped } from "../../src/config/ini.ts";
import { IniOptions, listItems, sectionName } from "../../src/config/ini_options.ts";
import { UserError } from "../../src/model/errors.ts";
import { type OsloReading, readWithOslo } from "./oslo_config.ts";

/** Section, key and value of each assignment. */
function read(text: string): string[][] {
  return readIni(text, "oss.conf").map(({ section, key, value }) => [section, key, value]);
}

for (
  const [what, text, ...expected] of [
    ["sections, = and :, blanks around", "[a]\nx=1\n y \n[ b ]\nz : 2\n", ["a", "x", "1\ny"], [" b ", "z", "2"]],
    ["the first of = and : as the sign", "[a]\nx: y=1\nz=b:c\n", ["a", "x", "y=1"], ["a", "z", "b:c"]],
    ["# and ; in a value, comments only at the beginning of a line", "[a]\n#c\n;d\nx = p#w;d # no\n", [
      "a",
      "x",
      "p#w;d # no",
    ]],
    ["continued values", "[a]\nx =\n  1,\n\t# 2\ny=3\n", ["a", "x", "\n1,\n# 2"], ["a", "y", "3"]],
    ["a key that comes again", "[a]\nx=1\nx=2\n[b]\n[a]\nx=3\n", ["a", "x", "1"], ["a", "x", "2"], ["a", "x", "3"]],
    [
      "one pair of quotes",
      `[a]\nx="1"\ny='1\nz=''1''\nu='"'\nv="'\n`,
      ["a", "x", "1"],
      ["a", "y", "'1"],
      ["a", "z", "'1'"],
      ["a", "u", '"'],
      ["a", "v", `"'`],
    ],
    ["blank values", `[a]\nx=\ny=""\nz= '\n`, ["a", "x", ""], ["a", "y", ""], ["a", "z", ""]],
    ["Windows' and the old Mac's line ends, and a BOM", "\ufeff[a]\r\nx=1\r\n 2\ry=3", ["a", "x", "1\n2"], [
      "a",
      "y",
      "3",
    ]],
    ["keys and sections as they are written", "[A]\nX=1\nx-y.z=2\n", ["A", "X", "1"], ["A", "x-y.z", "2"]],
    ["nothing", "\n# nothing\n[a]\n"],
  ] as const
) {
  Deno.test(`readIni() reads ${what}`, () => assert.deepEqual(read(text), expected));
}

for (
  const [what, text, says] of [
    [
      "an assignment before any section",
      "\nx=1\n",
      /^Cannot read oss\.conf:2: there is no section yet\. Write \[DEFAULT\] above it$/,
    ],
    ["a section without its end", "[a\n", /^Cannot read oss\.conf:1: a section ends with \], and nothing follows it\./],
    ["a comment behind a section", "[a] # c\n", /^Cannot read oss\.conf:1: a section ends with \]/],
    ["a section without a name", "[]\n", /^Cannot read oss\.conf:1: the section has no name\./],
    [
      "a line without a sign, not showing it",
      "[a]\nhush4711\n",
      /^Cannot read oss\.conf:2: there is neither = nor :\. Write key = value, or # in front of a comment$/,
    ],
    ["a value without a key", "[a]\n = x\n= x\n", /^Cannot read oss\.conf:2: an indented line/],
    ["a value without a key in the first column", "[a]\n= x\n", /^Cannot read oss\.conf:2: there is no key\./],
    [
      "an indented line after a comment",
      "[a]\nx=1\n#\n  2\n",
      /^Cannot read oss\.conf:4: an indented line goes on with the value before it, and there is none here\./,
    ],
    ["an indented line after an empty one", "[a]\nx=1\n   \n  2\n", /^Cannot read oss\.conf:4: /],
  ] as const
) {
  Deno.test(`readIni() refuses ${what}, with its place`, () => {
    assert.throws(() => readIni(text, "oss.conf"), (error) => error instanceof UserError && says.test(error.message));
  });
}

for (
  const [what, text, expected] of [
    ["$name of the same section", "[rest]\na=x$b-${b}\nb=1\n[DEFAULT]\nb=2\n", "x1-1"],
    ["$name of DEFAULT", "[rest]\na=$b\n[DEFAULT]\nb=2\n", "2"],
    ["${section.name}", "[rest]\na=${Other.b}.\n[other]\nb=2\n", "2."],
    ["a reference to a reference", "[rest]\na=$b\nb=<$c>\n[DEFAULT]\nc=3\n", "<3>"],
    ["$$ and \\$ for a dollar", "[rest]\na=$$b \\$b $$$$b \\$$c\n[DEFAULT]\nc=3\n", "$b $b $$b $3"],
    ["a dollar before what is no name", "[rest]\na=$ $9 ${-} $-\n", "$ $9 ${-} $-"],
    ["the last of repeated keys, sections without case", "[REST]\na=1\n[rest]\na=2\n[Rest]\na=3\n", "3"],
  ] as const
) {
  Deno.test(`find() puts in ${what}`, () => {
    assert.equal(new IniOptions(readIni(text, "oss.conf")).find("rest", "a")?.text, expected);
  });
}

Deno.test("find() refuses references that lead nowhere or round in a circle, with the place", () => {
  const options = new IniOptions(readIni("[a]\nx=1\nlost=$nope\nfar=$lost\nround=${a.round}\n", "oss.conf"));
  assert.throws(() => options.find("a", "lost"), {
    message: 'oss.conf:3: lost of [a]: "$nope" names no option of the file. Write $$ for a dollar',
  });
  assert.throws(() => options.find("a", "far"), /^IniReferenceError: oss\.conf:3: lost of \[a\]/);
  assert.throws(() => options.find("a", "round"), {
    message: "oss.conf:5: round of [a]: refers to itself. Write its value",
  });
});

Deno.test("find() knows what is secret, also at the end of references", () => {
  const options = new IniOptions(readIni("[a]\npassword=p\nurl=/x?$password\nfar=$url\nuser=u\n", "oss.conf"));
  assert.deepEqual(["password", "url", "far", "user"].map((key) => options.find("a", key)?.isSecret), [
    true,
    true,
    true,
    false,
  ]);
});

/** A value that survives being written: no line feed, no blank at its ends. */
const value = fc.string({ unit: "grapheme-composite", maxLength: 12 })
  .map((text) => text.replace(/[\r\n]/g, ""))
  .filter((text) => stripped(text) === text);
const entry = fc.record({
  section: fc.constantFrom("DEFAULT", "rabbit", "Rest"),
  key: fc.stringMatching(/^[a-zA-Z_][\w.-]{0,8}$/),
  // Later lines of a value are neither quoted nor empty.
  lines: fc.tuple(value, fc.array(value.filter((line) => line !== ""), { maxLength: 2 })),
  quote: fc.constantFrom('"', "'"),
  sign: fc.constantFrom("=", " = ", ":", "\t:  "),
  above: fc.array(fc.constantFrom("", "  ", "# x = 1", ";y=2", "#[z]"), { maxLength: 2 }),
});
const lineEnd = fc.constantFrom("\n", "\r\n", "\r");

Deno.test("readIni() gives back what was written, whatever stands around it", () => {
  fc.assert(fc.property(fc.array(entry), lineEnd, fc.boolean(), (entries, end, bom) => {
    const text = entries.map(({ section, key, lines: [first, more], quote, sign, above }) => {
      const isPlain = !/^["']/.test(first) && more.length > 0;
      const written = isPlain ? first : `${quote}${first}${quote}`;
      return [...above, `[${section}]`, `${key}${sign}${written}`, ...more.map((line) => `  ${line}`)].join(end) + end;
    });
    const expected = entries.map((
      { section, key, lines: [first, more] },
    ) => [section, key, [first, ...more].join("\n")]);
    assert.deepEqual(read((bom ? "\ufeff" : "") + text.join("")), expected);
  }));
});

/** Pieces of files that the real oslo.config may read otherwise than we think. */
const piece = fc.oneof(
  fc.constantFrom(
    "[a]",
    "[DEFAULT]",
    "[A]",
    "[a ]",
    "[default]",
    "[b",
    "[]",
    "# c",
    "; c",
    " ",
    "",
    "junk",
    "=1",
    ":1",
  ),
  fc.tuple(
    fc.constantFrom("x", "y", "z"),
    fc.constantFrom("=", " = ", ":", " :"),
    fc.array(
      fc.constantFrom(
        "1",
        "$x",
        "$y",
        "${z}",
        "${a.x}",
        "$$",
        "\\$",
        "$",
        "'",
        '"',
        " ",
        ",",
        "#",
        ";",
        "\u00a0",
        "\x0b",
        "\x1f",
        "\u0085",
        "\ufeff",
        "é",
        "$Y",
        "${q}",
        "$x.y",
        "\u2028",
      ),
      { maxLength: 5 },
    ),
  ).map(([key, sign, parts]) => key + sign + parts.join("")),
  fc.constantFrom("  more", "\tmore,", "  $x", " \u00a0x", "\u00a0x=1", " '2'"),
);

Deno.test("readIni() and find() read what the real oslo.config reads", async () => {
  const files = fc.tuple(fc.array(piece, { maxLength: 8 }), lineEnd).map(([lines, end]) => ["[a]", ...lines].join(end));
  // Of 18,000 one differed: there a reference to an option that itself refers to nothing takes DEFAULT's of that name, in silence.
  const texts = fc.sample(files, { numRuns: 500, seed: 4711 });
  const readings = await readWithOslo(texts);
  assert.ok(readings.filter(({ refused }) => !refused).length > 150);
  for (const [index, text] of texts.entries()) assertSame(text, readings[index] as OsloReading);
});

function assertSame(text: string, oslo: OsloReading): void {
  const shown = JSON.stringify(text);
  let entries: readonly IniEntry[];
  try {
    entries = readIni(text, "oss.conf");
  } catch (error) {
    assert.ok(error instanceof UserError);
    return assert.ok(oslo.refused, `refused: ${shown}`);
  }
  assert.ok(!oslo.refused, `not refused: ${shown}`);
  assert.deepEqual(rawOf(entries), oslo.raw, shown);
  const options = new IniOptions(entries);
  for (const [section, key, expected] of oslo.options) {
    const found = attempt(() => options.find(section, key)?.text ?? "");
    assert.equal(found, expected, `${section}.${key} in ${shown}`);
  }
  for (const [section, key, expected] of oslo.lists) {
    // A list that is put into another is written as Python writes lists: nobody means that.
    if (entries.some((one) => sectionName(one.section) === section && one.key === key && one.value.includes("$"))) {
      continue;
    }
    assert.deepEqual(listItems(options.find(section, key)?.text ?? ""), expected, `${section}.${key} in ${shown}`);
  }
}

function rawOf(entries: readonly IniEntry[]): Record<string, Record<string, string[]>> {
  const raw: Record<string, Record<string, string[]>> = {};
  for (const { section, key, value } of entries) ((raw[section] ??= {})[key] ??= []).push(value);
  return raw;
}

function attempt(find: () => string): string | null {
  try {
    return find();
  } catch {
    return null;
  }
}
