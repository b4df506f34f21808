import { MAX_ITEMS } from "../model/bounds.ts";
import type { Address } from "../model/event.ts";
import type { PortMemory } from "../model/memory.ts";

/** The addresses of ports as a server's own message would list them; a port does not say its network's name. */
export function addressesOfPorts(ports: readonly PortMemory[]): readonly Address[] {
  const addresses: Address[] = [];
  for (const { mac, fixedAddresses } of ports) {
    for (const address of fixedAddresses) {
      if (addresses.length === MAX_ITEMS) return addresses;
      addresses.push({ address, mac, type: "fixed", network: null, version: address.includes(":") ? 6 : 4 });
    }
  }
  return addresses;
}

/**
 * The name that Neutron's DNS integration gave one of a server's ports. It names a port without `dns_name` after its address: only a name
 * that begins with the server's hostname is the server's.
 */
export function dnsNameOf(hostname: string | null, ports: readonly PortMemory[]): string | null {
  const name = hostname?.toLowerCase();
  return ports.find(({ dnsHostname }) => dnsHostname !== null && dnsHostname.toLowerCase() === name)?.dnsName ?? null;
}
