import { PermanentError } from "../../model/errors.ts";
import { isSameAttribute } from "./attribute_name.ts";
import { dnValue, foldedText, ldapText } from "./ldap_text.ts";

/** An entry of a directory, present or to be written. Attribute names are compared without case. */
export interface LdapEntry {
  /** The entry's distinguished name (RFC 4514). */
  readonly dn: string;
  /** The values of each attribute, `objectClass` among them. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** One change of one attribute (RFC 4511, 4.6). */
export interface LdapChange {
  /** `replace` removes all values of the attribute first. */
  readonly operation: "add" | "delete" | "replace";
  /** The attribute's name. */
  readonly attribute: string;
  /** Empty: the whole attribute. */
  readonly values: readonly string[];
}

const MAX_VALUE_LENGTH = 1024;
const MAX_VALUES = 256;
/** OpenLDAP keeps a name twice, as it is and normalised, in a record of 511 bytes. */
const MAX_RDN_BYTES = 220;

/**
 * Attributes whose values are no free text (RFC 2307, 4519, 4524): the text as it may stand there,
 * or `null`.
 */
const SHAPES: ReadonlyMap<string, (text: string) => string | null> = new Map([
  ["iphostnumber", ip],
  ["arecord", ip],
  ["aaaarecord", ip],
  ["macaddress", mac],
  ["serialnumber", printableString],
  ["mail", ia5String],
  ["dc", ia5String],
  ["associateddomain", ia5String],
  // Limits of Active Directory, which refuses longer ones.
  ["displayname", (text) => atMost(text, 256)],
  ["networkaddress", (text) => atMost(text, 256)],
  ["samaccountname", accountName],
  ["dnshostname", hostName],
  ["fqdn", hostName],
]);

/**
 * Makes values that a server accepts of texts that tenants wrote. Left out are empty texts,
 * repeated ones, and texts that are no address in an attribute of addresses. Long lists and values
 * are cut. Everything else is kept, hostile characters as `\u{…}`.
 */
export function ldapValues(attribute: string, texts: readonly string[]): readonly string[] {
  return fitting(attribute, texts).slice(0, MAX_VALUES);
}

/** Counts the texts that {@linkcode ldapValues} leaves out, without empty and repeated ones. */
export function countLeftOut(attribute: string, texts: readonly string[]): number {
  const shape = shapeOf(attribute);
  const unfit = texts.map((text) => ldapText(text, MAX_VALUE_LENGTH)).filter((text) =>
    text !== "" && shape(text) === null
  );
  return unfit.length + Math.max(0, fitting(attribute, texts).length - MAX_VALUES);
}

function fitting(attribute: string, texts: readonly string[]): string[] {
  const shape = shapeOf(attribute);
  const values = new Map<string, string>();
  for (const text of texts) {
    const value = shape(ldapText(text, MAX_VALUE_LENGTH)) ?? "";
    const folded = foldedText(value);
    if (folded !== "" && !values.has(folded)) values.set(folded, value);
  }
  return [...values.values()];
}

function shapeOf(attribute: string): (text: string) => string | null {
  return SHAPES.get(attribute.toLowerCase()) ?? ((text) => text);
}

/**
 * The RDN of an entry: the first value of each attribute, cut to what servers accept. The
 * attributes' values are cut likewise.
 */
export function rdnOf(attributes: Map<string, readonly string[]>, names: readonly string[]): string {
  const parts = names.map((name) => {
    const [key = name, [first, ...others] = []] = [...attributes].find(([other]) => isSameAttribute(other, name)) ?? [];
    if (first === undefined) throw new PermanentError(`Cannot name an entry: ${name} is to name it and has no value`);
    const value = cutToBytes(first, Math.floor(MAX_RDN_BYTES / names.length));
    attributes.set(key, [value, ...valuesNotIn(others, [value])]);
    return `${key}=${dnValue(value)}`;
  });
  return parts.join("+");
}

/** The attributes that name an entry, in lower case, each with the value that does. */
export function namingValues(dn: string): ReadonlyMap<string, string> {
  const [own = ""] = /^(?:\\.|[^\\,;])*/s.exec(dn) ?? [];
  const parts = own.match(/(?:\\.|[^\\+])+/gs) ?? [];
  return new Map(parts.map((part) => {
    const [, name = "", value = ""] = /^([^=]*)=\s*((?:\\.|[^\\])*?)\s*$/s.exec(part) ?? [];
    return [name.trim().toLowerCase(), unescaped(value)];
  }));
}

/** Replaces `\2C` and `\,` (RFC 4514, 3) by the characters they stand for. */
function unescaped(value: string): string {
  const bytes = (run: string) => Uint8Array.fromHex(run.replaceAll("\\", ""));
  return value.replace(/(?:\\[\da-f]{2})+|\\(.)/gis, (run, char) => char ?? new TextDecoder().decode(bytes(run)));
}

/** An attribute's values in an entry. */
export function valuesIn({ attributes }: LdapEntry, attribute: string): readonly string[] {
  return [...attributes].find(([name]) => isSameAttribute(name, attribute))?.[1] ?? [];
}

/**
 * The smallest change that gives an attribute of an entry the wanted values; none if it has them.
 */
export function changesOf(entry: LdapEntry, attribute: string, wanted: readonly string[]): readonly LdapChange[] {
  const there = valuesIn(entry, attribute);
  if (there.length === wanted.length && wanted.every((value) => there.includes(value))) return [];
  if (wanted.length === 0) return [{ operation: "delete", attribute, values: [] }];
  const [added, removed] = [valuesNotIn(wanted, there), valuesNotIn(there, wanted)];
  if (added.length > 0 && removed.length === 0) return [{ operation: "add", attribute, values: added }];
  if (added.length === 0 && removed.length > 0) return [{ operation: "delete", attribute, values: removed }];
  return [{ operation: "replace", attribute, values: wanted }];
}

/** The values that no server considers equal to one of the others. */
export function valuesNotIn(values: readonly string[], others: readonly string[]): readonly string[] {
  const there = new Set(others.map(foldedText));
  return values.filter((value) => !there.has(foldedText(value)));
}

/** The longest beginning of a text that takes at most this many bytes in a name. */
function cutToBytes(text: string, maxBytes: number): string {
  if (text.length <= maxBytes && /^[\w.:-]*$/.test(text)) return text;
  let kept = "";
  let bytes = 0;
  for (const char of text) {
    bytes += bytesInName(char);
    if (bytes > maxBytes) break;
    kept += char;
  }
  return kept.trimEnd();
}

/** The most bytes that a character can take, whatever the server's normalisation. */
function bytesInName(char: string): number {
  const forms = [char, char.normalize("NFKC"), char.normalize("NFKD")];
  return Math.max(...forms.map((form) => new TextEncoder().encode(dnValue(`.${form}.`)).length - 2));
}

function ip(text: string): string | null {
  const isIpv6 = /^[\da-f:]{2,39}(?:(?:\d{1,3}\.){3}\d{1,3})?$/i.test(text) && /:.*:/.test(text);
  return isIpv6 || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) ? text : null;
}

function mac(text: string): string | null {
  return /^[\da-f]{2}(?::[\da-f]{2}){5}$/i.test(text) ? text : null;
}

function printableString(text: string): string {
  return text.replace(/[^A-Za-z0-9 '()+,\-./:=?]/gu, "?");
}

/**
 * The name of an account of Active Directory. That of a computer, with `$` at its end, has at most
 * 15 characters before that.
 */
function accountName(text: string): string | null {
  const [, name = "", end = ""] = /^(.*?)(\$?)$/s.exec(text) ?? [];
  const allowed = name.replace(/["/\\[\]:;|=,+*?<>@\s\p{C}]/gu, "-");
  return name === "" ? null : `${atMost(allowed, end === "" ? 20 : 15)}${end}`;
}

/** A name of DNS (RFC 1123), without a final dot. */
function hostName(text: string): string | null {
  const name = text.replace(/\.$/, "");
  const isName = /^(?!-)[a-z\d-]{1,63}(?<!-)(?:\.(?!-)[a-z\d-]{1,63}(?<!-))*$/i.test(name);
  return isName && name.length <= 253 ? name : null;
}

/** So many UTF-16 code units, without half a character. */
function atMost(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\ud800-\udbff]$/, "").trimEnd();
}

/** A text in the characters of ASCII. Different texts stay different. */
function ia5String(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
