/**
 * Attributes with two names, of which servers answer with the short one: by the other they would be
 * taken for another attribute.
 */
const LONG_NAMES =
  /^(?:commonName|localityName|organizationName|organizationalUnitName|stateOrProvinceName|countryName|surname|userid|domainComponent|rfc822Mailbox)$/i;

/**
 * Whether a value is the short name of an attribute: a descriptor of RFC 4512 without options, as
 * servers answer with it.
 *
 * @example
 * ```ts
 * import { isAttributeName } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(["cn", "commonName", "cn;lang-de"].map(isAttributeName), [true, false, false]);
 * ```
 */
export function isAttributeName(value: unknown): boolean {
  return typeof value === "string" && /^[a-z][a-z\d-]*$/i.test(value) && !LONG_NAMES.test(value);
}

/** Whether two names of attributes are the same: they are compared without case. */
export function isSameAttribute(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
