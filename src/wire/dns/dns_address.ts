import { addressBytes, addressText } from "../ip_address.ts";

/**
 * The name under which the PTR record of an address is (RFC 1035, 3.5; RFC 3596, 2.5). `null`: the
 * text is no address.
 *
 * @example
 * ```ts
 * import { dnsReverseName } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(dnsReverseName("203.0.113.7"), "7.113.0.203.in-addr.arpa");
 * assert.match(dnsReverseName("2001:db8::1") ?? "", /^1\.0\.0\..*\.8\.b\.d\.0\.1\.0\.0\.2\.ip6\.arpa$/);
 * assert.equal(dnsReverseName("10.0.0.5.example.com"), null);
 * ```
 */
export function dnsReverseName(address: string): string | null {
  const bytes = addressBytes(address);
  if (bytes === null) return null;
  if (bytes.length === 4) return `${[...bytes].reverse().join(".")}.in-addr.arpa`;
  return `${[...bytes.toHex()].reverse().join(".")}.ip6.arpa`;
}

/**
 * An address in the form in which DNS records have it, and the type of its record. `null`: the text
 * is no address.
 */
export function dnsAddress(text: string): { readonly type: "A" | "AAAA"; readonly address: string } | null {
  const bytes = addressBytes(text);
  return bytes === null ? null : { type: bytes.length === 4 ? "A" : "AAAA", address: addressText(bytes) };
}
