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
 * import { escapeHtml } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`<b>${escapeHtml("<script>")}</b>`, "<b>&lt;script&gt;</b>");
 * ```
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => HTML_REFERENCES[char] ?? char);
}
