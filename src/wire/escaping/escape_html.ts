const HTML_REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Escapes a text for the content of an HTML element or a quoted attribute. For a text that may
 * contain invisible or bidirectional characters, write `escapeHtml(printable(text))`.
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
