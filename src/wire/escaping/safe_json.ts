/**
 * A value as one line of JSON that is safe to print. Control characters, invisible format
 * characters and separators, most of which JSON leaves as they are, are written as JSON escapes, so
 * that programs read the same value.
 *
 * @example
 * ```ts
 * import { safeJson } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(safeJson({ name: "web\u202e\x9b" }), String.raw`{"name":"web\u202e\u009b"}`);
 * ```
 */
export function safeJson(value: unknown): string {
  return safe(JSON.stringify(value));
}

/** The same over many lines, indented by two blanks. */
export function safePrettyJson(value: unknown): string {
  // JSON escapes the line feeds of texts: those that are left part the lines.
  return JSON.stringify(value, null, 2).split("\n").map(safe).join("\n");
}

function safe(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
