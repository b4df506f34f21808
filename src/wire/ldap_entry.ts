import { dnValue, foldedText, ldapText } from "./ldap_text.ts";

/** An entry of a directory, or what one shall become. Attribute names are compared without case. */
export interface LdapEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** One change of one attribute (RFC 4511, 4.6). */
export interface LdapChange {
  readonly operation: "add" | "delete" | "replace";
  readonly attribute: string;
  /** Empty: the whole attribute. */
  readonly values: readonly string[];
}

const MAX_VALUE_LENGTH = 1024;
const MAX_VALUES = 256;
/** OpenLDAP keeps a name twice, as it is and normalised, in a record of 511 bytes. */
const MAX_RDN_BYTES = 220;

/** What the schema allows in attributes whose values are no free text: the value as it may be, or `null`. */
const SHAPES: Readonly<Record<string, (text: string) => string | null>> = {
  iphostnumber: (text) => isIp(text) ? text : null,
  arecord: (text) => isIp(text) ? text : null,
  aaaarecord: (text) => isIp(text) ? text : null,
  macaddress: (text) => /^[\da-f]{2}(?::[\da-f]{2}){5}$/i.test(text) ? text : null,
  serialnumber: (text) => text.replace(/[^A-Za-z0-9 '()+,\-./:=?]/gu, "?"),
  mail: ascii,
  dc: ascii,
  associateddomain: ascii,
};

/**
 * The values of an attribute that a server takes, whatever tenants have written: text that is no address in an attribute of
 * addresses, and what is empty or is there already, falls out; too much is cut. Everything else is kept, hostile characters as `\u{…}`.
 */
export function ldapValues(attribute: string, texts: readonly unknown[]): readonly string[] {
  const shape = SHAPES[attribute.toLowerCase()] ?? ((text: string) => text);
  const values = new Map<string, string>();
  for (const text of texts) {
    if (typeof text !== "string") continue;
    const value = shape(ldapText(text, MAX_VALUE_LENGTH)) ?? "";
    const folded = foldedText(value);
    if (folded !== "" && !values.has(folded) && values.size < MAX_VALUES) values.set(folded, value);
  }
  return [...values.values()];
}

/** Texts cut so far that they can stand in one relative distinguished name together. */
export function rdnTexts(texts: readonly string[]): readonly string[] {
  const maxBytes = Math.floor(MAX_RDN_BYTES / texts.length);
  return texts.map((text) => {
    const characters = [...ldapText(text, MAX_VALUE_LENGTH)];
    while (dnBytes(characters.join("")) > maxBytes) characters.pop();
    return characters.join("").trimEnd();
  });
}

/** A relative distinguished name of attributes and values, in the order given. */
export function rdn(pairs: readonly (readonly [attribute: string, value: string])[]): string {
  return pairs.map(([attribute, value]) => `${attribute}=${dnValue(value)}`).join("+");
}

/** The attributes that name an entry, in lower case. */
export function namingAttributes(dn: string): ReadonlySet<string> {
  const [own = ""] = dn.split(/(?<!\\)[,;]/);
  return new Set(own.split(/(?<!\\)\+/).map((pair) => (pair.split("=")[0] ?? "").trim().toLowerCase()));
}

/** An attribute's values in an entry. */
export function valuesIn({ attributes }: LdapEntry, attribute: string): readonly string[] {
  const wanted = attribute.toLowerCase();
  return [...attributes].find(([name]) => name.toLowerCase() === wanted)?.[1] ?? [];
}

/** Those of `values` that no server takes for equal to one of `others`. */
export function lacking(values: readonly string[], others: readonly string[]): readonly string[] {
  const there = new Set(others.map(foldedText));
  return values.filter((value) => !there.has(foldedText(value)));
}

/** Also as the server may normalise it. */
function dnBytes(text: string): number {
  const bytes = (form: string) => new TextEncoder().encode(dnValue(form)).length;
  return Math.max(bytes(text), bytes(text.normalize("NFKC")), bytes(text.normalize("NFKD")));
}

/** An IA5 string: ASCII. */
function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

function isIp(text: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) ||
    (/^[\da-f:]{2,39}(?:[\d.]{7,15})?$/i.test(text) && /:.*:/.test(text));
}
