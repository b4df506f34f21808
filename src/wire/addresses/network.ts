import { addressBytes } from "../ip_address.ts";

/** A network, or one address. */
export interface Network {
  readonly bytes: Uint8Array;
  /** How many bits of an address must be equal. */
  readonly prefix: number;
}

/** Reads `10.0.0.7`, `10.0.0.0/24`, `2001:db8::/32`; `null`: the text is none of these. */
export function readNetwork(text: string): Network | null {
  const [address = "", prefix, ...rest] = text.split("/");
  const bytes = addressBytes(address);
  if (bytes === null || rest.length > 0) return null;
  const bits = bytes.length * 8;
  if (prefix === undefined) return { bytes, prefix: bits };
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? { bytes, prefix: Number(prefix) } : null;
}

/** Whether an address is in a network. IPv4 addresses in IPv6 form, as `::ffff:10.0.0.7`, count. */
export function isInNetwork(address: string, { bytes, prefix }: Network): boolean {
  const found = addressBytes(address);
  if (found === null) return false;
  const own = found.length === 16 && bytes.length === 4 ? mappedAddress(found) : found;
  if (own === null || own.length !== bytes.length) return false;
  return bytes.every((byte, at) => {
    const bits = Math.min(8, Math.max(0, prefix - at * 8));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((own[at] ?? 0) & mask);
  });
}

/** The IPv4 address in an IPv6 one; `null`: there is none. */
function mappedAddress(bytes: Uint8Array): Uint8Array | null {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12) : null;
}
