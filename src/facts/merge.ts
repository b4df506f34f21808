import type { Address, ServerSnapshot } from "../model/event.ts";

/** `first`, with what it leaves open taken from `second`. */
export function mergeSnapshots(first: ServerSnapshot, second: ServerSnapshot): ServerSnapshot {
  const merged = Object.fromEntries(
    Object.entries(first).map(([key, value]) => [key, value ?? second[key as keyof ServerSnapshot]]),
  ) as unknown as ServerSnapshot;
  return { ...merged, addresses: mergeAddresses(first.addresses, second.addresses) };
}

function mergeAddresses(first: readonly Address[], second: readonly Address[]): readonly Address[] {
  if (first.length === 0) return second;
  return first.map((one) => {
    const other = second.find(({ address }) => address === one.address);
    return other === undefined ? one : {
      address: one.address,
      mac: one.mac ?? other.mac,
      type: one.type ?? other.type,
      network: one.network ?? other.network,
      version: one.version ?? other.version,
    };
  });
}
