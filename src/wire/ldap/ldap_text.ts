import { printable } from "../escaping/printable.ts";

/** What RFC 4514 gives a meaning to, and what no line should hold. */
const SPECIAL_IN_DN = /["+,;<=>\\\p{Cc}]|^[ #]| $/gu;

/** What RFC 4515 gives a meaning to, and what no line should hold. */
const SPECIAL_IN_FILTER = /[*()\\\p{Cc}]/gu;

/** Nearly every text: there is nothing to do to it, and looking closer takes time. */
const PLAIN = /^[!-[\]-~]+(?: [!-[\]-~]+)*$/;

/**
 * A text as one value of a distinguished name (RFC 4514), whatever a tenant has put into it.
 *
 * @example
 * ```ts
 * import { dnValue } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`ou=${dnValue("R+D, Köln")},dc=example,dc=com`, "ou=R\\2BD\\2C Köln,dc=example,dc=com");
 * ```
 */
export function dnValue(text: string): string {
  return text.toWellFormed().replace(SPECIAL_IN_DN, hex);
}

/**
 * A text as one value of a search filter (RFC 4515), whatever a tenant has put into it.
 *
 * @example
 * ```ts
 * import { filterValue } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(`(cn=${filterValue("*)(uid=*")})`, "(cn=\\2A\\29\\28uid=\\2A)");
 * ```
 */
export function filterValue(text: string): string {
  return text.toWellFormed().replace(SPECIAL_IN_FILTER, hex);
}

/**
 * Whether this looks like a distinguished name (RFC 4514) of at least one part.
 *
 * @example
 * ```ts
 * import { isDn } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([isDn("ou=servers,dc=example,dc=com"), isDn("servers")], [true, false]);
 * ```
 */
export function isDn(value: unknown): boolean {
  return typeof value === "string" && /^\s*[a-z\d][a-z\d.-]*\s*=\s*\S/i.test(value) && !/\p{Cc}/u.test(value);
}

/**
 * A text as a directory can keep it: runs of white space are one space, none at the ends, and what `printable` would not show as it
 * is, is written as `\u{…}`. May be empty, which no attribute takes.
 */
export function ldapText(text: string, maxLength: number): string {
  if (text.length <= maxLength && PLAIN.test(text)) return text;
  return printable(text.replace(/\s+/gu, " ").trim(), maxLength);
}

/** The same for two texts that some server takes for equal (RFC 4518): no attribute may hold both. */
export function foldedText(text: string): string {
  if (PLAIN.test(text)) return text.toUpperCase();
  const plain = text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return plain.toLowerCase().toUpperCase().normalize("NFKC").replace(/\s+/gu, " ").trim();
}

/** The bytes of a character, `\2C` each. */
function hex(char: string): string {
  const bytes = [...new TextEncoder().encode(char)];
  return bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0").toUpperCase()}`).join("");
}
