import { MAX_ITEMS } from "../model/bounds.ts";
import type { Address } from "../model/event.ts";
import type { PortMemory } from "../model/memory.ts";

/**
 * The addresses of ports in the form of a server's own message. The network is `null`: a port does
 * not contain its network's name.
 */
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
 * The DNS name that Neutron's DNS integration gave to a port of the server. A port without
 * `dns_name` is named after its address: only a name that begins with the server's hostname is the
 * server's.
 */
export function dnsNameOf(hostname: string | null, ports: readonly PortMemory[]): string | null {
  const name = hostname?.toLowerCase();
  return ports.find(({ dnsHostname }) => dnsHostname !== null && dnsHostname.toLowerCase() === name)?.dnsName ?? null;
}
