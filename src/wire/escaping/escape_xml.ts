/** Characters that XML 1.0 (5th edition, 2.2) cannot represent, not even as references. */
const NOT_IN_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const XML_REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // Unless they are references, a parser turns a carriage return into a line feed, and in
  // attributes all three into blanks.
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/**
 * Escapes a text for the content of an XML element or an attribute: a parser returns the same text.
 * Characters that XML 1.0 cannot represent (most control characters, lone surrogates, U+FFFE,
 * U+FFFF) become U+FFFD, the replacement character.
 *
 * @example
 * ```ts
 * import { escapeXml } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`<name>${escapeXml("</name>\r\0 & 東京")}</name>`, "<name>&lt;/name&gt;&#13;\ufffd &amp; 東京</name>");
 * ```
 */
export function escapeXml(text: string): string {
  return text.replace(NOT_IN_XML, "\ufffd").replace(/[&<>"'\t\n\r]/g, (char) => XML_REFERENCES[char] ?? char);
}
