/**
 * Controls (C0, DEL, C1), invisible format characters (bidirectional overrides and isolates, zero
 * widths), line and paragraph separators, lone surrogates; and a backslash that would look like one
 * of our own escapes.
 */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|\\(?=u\{)/gu;

/** An incomplete surrogate pair or escape at the end of a cut text. */
const HALF = /(?:[\ud800-\udbff]|\\(?:u(?:\{[0-9a-f]*)?)?)$/;

/**
 * Makes a text safe for a log line or a terminal: characters that move the cursor, break the line,
 * reverse the reading order or are invisible are written as `\u{…}`. Visible characters of every
 * language stay as they are, and different texts stay different.
 *
 * @param maxLength Longest result in UTF-16 code units, at least 1; a longer text is cut and ends
 * in `…`. @default Infinity
 *
 * @example
 * ```ts
 * import { printable } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(printable("web-1\r\nERROR all is lost\x1b[2J"), "web-1\\u{d}\\u{a}ERROR all is lost\\u{1b}[2J");
 * assert.equal(printable("Grüße aus 東京"), "Grüße aus 東京");
 * assert.equal(printable("a long hostname", 8), "a long …");
 * ```
 */
export function printable(text: string, maxLength = Infinity): string {
  // Escaping never shortens a text: characters behind this length cannot be in the result. So a
  // megabyte costs no more than a line.
  const escaped = text.slice(0, maxLength + 1).replace(HOSTILE, escape);
  return escaped.length > maxLength ? `${escaped.slice(0, maxLength - 1).replace(HALF, "")}…` : escaped;
}

function escape(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}
