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
 * An IP address in its shortest form, for IPv6 that of RFC 5952. `null`: the text is no address.
 *
 * @example
 * ```ts
 * import { ipAddress } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(ipAddress("2001:DB8:0:0::7"), "2001:db8::7");
 * assert.equal(ipAddress("10.0.0.256"), null);
 * ```
 */
export function ipAddress(text: string): string | null {
  const bytes = addressBytes(text);
  return bytes === null ? null : addressText(bytes);
}
