/** Bytes of an IPv4 (4) or IPv6 (16) address; `null` if the text is none. */
export function addressBytes(text: string): Uint8Array | null {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".");
    const isWhole = parts.every((part) => Number(part) <= 255 && String(Number(part)) === part);
    return isWhole ? Uint8Array.from(parts, Number) : null;
  }
  // The URL parser knows all forms of RFC 4291, and gives the address in groups of hexadecimals.
  if (!/^[\da-f:.]{2,45}$/i.test(text) || !text.includes(":") || !URL.canParse(`http://[${text}]`)) return null;
  const [head = "", tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split("::");
  const [front, back] = [head, tail ?? ""].map((groups) => groups === "" ? [] : groups.split(":")) as [
    string[],
    string[],
  ];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return Uint8Array.from([...front, ...zeros, ...back].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  }));
}

/** The text of an address: dotted, or as in RFC 5952. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, at) => ((bytes[2 * at] ?? 0) << 8 | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

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
