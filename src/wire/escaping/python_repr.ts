/** The kind of `repr()`: Python 3's, or that of a `str` or a `unicode` of Python 2. */
export type PythonText = "python3" | "python2-str" | "python2-unicode";

const NAMED: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/**
 * Characters that Python 3 does not call printable: categories Other and Separator, without the
 * blank.
 */
const NOT_PRINTABLE = /[\p{C}\p{Z}]/u;

/**
 * A text as Python's `repr()` writes it: in quotes, with escapes for quotes, backslashes and
 * characters that are not printable. Python 2 also escapes all that is not ASCII; a `str` of Python
 * 2 holds UTF-8.
 *
 * @param value `null` is written as `None`.
 *
 * @example
 * ```ts
 * import { pythonRepr, type PythonText } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(pythonRepr("it's\n\x1b[2J é"), String.raw`"it's\n\x1b[2J é"`);
 *
 * const kind: PythonText = "python2-unicode";
 * assert.equal(pythonRepr("é", kind), String.raw`u'\xe9'`);
 * assert.equal(pythonRepr("é", "python2-str"), String.raw`'\xc3\xa9'`);
 * ```
 */
export function pythonRepr(value: string | null, kind: PythonText = "python3"): string {
  if (value === null) return "None";
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const shown = Array.from(kind === "python2-str" ? utf8(value) : value, (char) => {
    if (char === quote) return `\\${char}`;
    const plain = kind === "python3" ? char === " " || !NOT_PRINTABLE.test(char) : /^[ -~]$/.test(char);
    return NAMED[char] ?? (plain ? char : escape(char.codePointAt(0) ?? 0));
  });
  return `${kind === "python2-unicode" ? "u" : ""}${quote}${shown.join("")}${quote}`;
}

function escape(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** One character per byte. */
function utf8(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
