/**
 * A value as one line of JSON. JSON itself escapes little of what a terminal would obey or hide: here controls, invisible format characters
 * and separators are written as JSON's own escapes, so that programs read the same value.
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
