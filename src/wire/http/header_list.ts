const MAX_LENGTH = 1024;
const MORE = "*";

/**
 * A list of texts for one header: separated by commas, percent-encoded in all but letters, digits
 * and `-._~`. At most 1024 characters: if it would be longer, it holds the first of them and ends
 * in `*`, which means that there are more.
 *
 * @example
 * ```ts
 * import { headerList } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(headerList(["FQDN", "Room, floor\r\n"]), "FQDN,Room%2C%20floor%0D%0A");
 * assert.equal(headerList(["FQDN", "x".repeat(2000)]), "FQDN,*");
 * ```
 */
export function headerList(texts: readonly string[]): string {
  let list = "";
  for (const [index, text] of texts.entries()) {
    // Escaping never shortens a text.
    const next = `${index === 0 ? "" : ","}${text.length > MAX_LENGTH ? text : encoded(text)}`;
    const room = MAX_LENGTH - (index === texts.length - 1 ? 0 : MORE.length + 1);
    if (list.length + next.length > room) return `${list}${index === 0 ? "" : ","}${MORE}`;
    list += next;
  }
  return list;
}

function encoded(text: string): string {
  const hex = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, hex);
}
