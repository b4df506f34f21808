import { printable } from "../escaping/printable.ts";

/** Characters with a meaning in RFC 4514, and those that no line should hold. */
const SPECIAL_IN_DN = /["+,;<=>\\\p{Cc}]|^[ #]| $/gu;

/** Characters with a meaning in RFC 4515, and those that no line should hold. */
const SPECIAL_IN_FILTER = /[*()\\\p{Cc}]/gu;

/** Texts that need no escaping, nearly all of them: this test is faster than the full one. */
const PLAIN = /^[!-[\]-~]+(?: [!-[\]-~]+)*$/;

/**
 * Escapes a text as one value of a distinguished name (RFC 4514).
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
 * Escapes a text as one value of a search filter (RFC 4515).
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
 * A text in the form that a directory keeps: runs of white space become one space, none at the
 * ends, and characters that `printable` escapes are written as `\u{…}`. May be empty, which no
 * attribute accepts.
 */
export function ldapText(text: string, maxLength: number): string {
  if (text.length <= maxLength && PLAIN.test(text)) return text;
  return printable(text.replace(/\s+/gu, " ").trim(), maxLength);
}

/**
 * A form that is equal for two texts that some server considers equal (RFC 4518): no attribute may
 * hold both.
 */
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
