/**
 * Controls (C0, DEL, C1), invisible format characters (bidirectional overrides and isolates, zero widths), line and paragraph
 * separators, lone surrogates; and a backslash that would look like one of our own escapes.
 */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|\\(?=u\{)/gu;

/** What a cut may leave at the end: the first half of a surrogate pair, or of an escape. */
const HALF = /(?:[\ud800-\udbff]|\\(?:u(?:\{[0-9a-f]*)?)?)$/;

/**
 * The text made safe for a log line or a terminal: whatever could move the cursor, break the line, reverse the reading order or
 * hide is written as `\u{…}`. Visible characters of every language stay as they are, and different texts stay different.
 *
 * @param maxLength Longest result in UTF-16 code units, at least 1; a longer text is cut and ends in `…`. @default Infinity
 *
 * @example
 * ```ts
 * import { printable } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * assert.equal(printable("web-1\r\nERROR all is lost\x1b[2J"), "web-1\\u{d}\\u{a}ERROR all is lost\\u{1b}[2J");
 * assert.equal(printable("Grüße aus 東京"), "Grüße aus 東京");
 * assert.equal(printable("a long hostname", 8), "a long …");
 * ```
 */
export function printable(text: string, maxLength = Infinity): string {
  // A character gives at least as many as it is long: more than this cannot matter, and a megabyte costs nothing.
  const escaped = text.slice(0, maxLength + 1).replace(HOSTILE, escape);
  return escaped.length > maxLength ? `${escaped.slice(0, maxLength - 1).replace(HALF, "")}…` : escaped;
}

function escape(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}

/** What XML 1.0 (5th edition, 2.2) has no way to write, not even as a reference. */
const NOT_IN_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const XML_REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // A parser makes a line feed of a carriage return, and blanks of all three in an attribute, unless they are references.
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/**
 * The text for the inside of an XML element or of an attribute's value: a parser gives back the very same. What XML 1.0 cannot hold at
 * all (most control characters, lone surrogates, U+FFFE, U+FFFF) becomes U+FFFD, the replacement character.
 *
 * @example
 * ```ts
 * import { escapeXml } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`<name>${escapeXml("</name>\r\0 & 東京")}</name>`, "<name>&lt;/name&gt;&#13;\ufffd &amp; 東京</name>");
 * ```
 */
export function escapeXml(text: string): string {
  return text.replace(NOT_IN_XML, "\ufffd").replace(/[&<>"'\t\n\r]/g, (char) => XML_REFERENCES[char] ?? char);
}

const HTML_REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * The text for the inside of an HTML element, or of an attribute's value in quotes. For a text that might hide or turn something, write
 * `escapeHtml(printable(text))`.
 *
 * @example
 * ```ts
 * import { escapeHtml } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`<b>${escapeHtml("<script>")}</b>`, "<b>&lt;script&gt;</b>");
 * ```
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => HTML_REFERENCES[char] ?? char);
}
