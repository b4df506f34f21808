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
 * import { escapeXml } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`<name>${escapeXml("</name>\r\0 & 東京")}</name>`, "<name>&lt;/name&gt;&#13;\ufffd &amp; 東京</name>");
 * ```
 */
export function escapeXml(text: string): string {
  return text.replace(NOT_IN_XML, "\ufffd").replace(/[&<>"'\t\n\r]/g, (char) => XML_REFERENCES[char] ?? char);
}
