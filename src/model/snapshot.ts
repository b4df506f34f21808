import type { Address, ServerSnapshot } from "./event.ts";

/** A snapshot of which only the id is known. */
export function unknownServer(id: string | null): ServerSnapshot {
  return {
    id,
    hostname: null,
    dnsName: null,
    description: null,
    projectId: null,
    projectName: null,
    userId: null,
    userName: null,
    remoteAddress: null,
    imageId: null,
    imageOs: null,
    imageOsDistro: null,
    imageOsVersion: null,
    imageName: null,
    storageGb: null,
    ramGib: null,
    vcpus: null,
    createdAt: null,
    metadata: null,
    addresses: [],
    floatingAddress: null,
  };
}

/**
 * `first`, completed from `second`. Facts about the image are not taken if the images differ.
 */
export function mergeSnapshots(first: ServerSnapshot, second: ServerSnapshot): ServerSnapshot {
  const other = isOtherImage(first, second) ? { ...second, ...NO_IMAGE } : second;
  const merged = Object.fromEntries(
    Object.entries(first).map(([key, value]) => [key, value ?? other[key as keyof ServerSnapshot]]),
  ) as unknown as ServerSnapshot;
  const addresses = mergeAddresses(first.addresses, second.addresses);
  const optional = second.optional === undefined ? first.optional : { ...second.optional, ...known(first.optional) };
  return { ...merged, addresses, ...(optional === undefined ? {} : { optional }) };
}

function known(optional: ServerSnapshot["optional"] = {}): ServerSnapshot["optional"] {
  return Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
}

/** The parts of a snapshot that say nothing of its image. */
export const NO_IMAGE = { imageId: null, imageOs: null, imageOsDistro: null, imageOsVersion: null, imageName: null };

/** Rebuilding a server changes its image. */
function isOtherImage(first: ServerSnapshot, second: ServerSnapshot): boolean {
  return first.imageId !== null && second.imageId !== null && first.imageId !== second.imageId;
}

/** `first`, each address completed from the same one of `second`; `second` if `first` is empty. */
export function mergeAddresses(first: readonly Address[], second: readonly Address[]): readonly Address[] {
  if (first.length === 0) return second;
  const others = new Map(second.toReversed().map((one) => [one.address, one]));
  return first.map((one) => {
    const other = others.get(one.address);
    return other === undefined ? one : {
      address: one.address,
      mac: one.mac ?? other.mac,
      type: one.type ?? other.type,
      network: one.network ?? other.network,
      version: one.version ?? other.version,
    };
  });
}
