import type { ServerSnapshot } from "./event.ts";

/** What the ledger knows of a server. */
export interface ServerMemory {
  readonly id: string;
  readonly creationSeen: boolean;
  readonly deleted: boolean;
  readonly snapshot: ServerSnapshot;
}

/** A mark on what was read of a resource from OpenStack, as long as nothing that came of it was announced. */
export interface Primed {
  /** The resource's revision when it was read; `null` in releases that count none. */
  readonly revision: number | null;
}

/** What the ledger knows of a Neutron port. */
export interface PortMemory {
  readonly id: string;
  /** The compute server that holds it now. */
  readonly serverId: string | null;
  /** The last compute server that held it. */
  readonly lastServerId: string | null;
  readonly mac: string | null;
  readonly fixedAddresses: readonly string[];
  readonly dnsName: string | null;
  readonly dnsHostname: string | null;
  readonly revision: number | null;
  /** When Neutron last changed it, or deleted it: ISO 8601, UTC. */
  readonly updatedAt?: string | null;
  readonly deleted: boolean;
  readonly primed?: Primed | null;
}

/** One life of (floating IP, port, server), as it was announced, would have been, or was found. */
export interface Association {
  readonly portId: string;
  /** `null` only with `events.anyPort`. */
  readonly serverId: string | null;
  readonly fixedAddress: string | null;
  readonly mac: string | null;
}

/** What the ledger knows of a floating IP. */
export interface FloatingIpMemory {
  readonly id: string;
  readonly address: string;
  readonly projectId: string | null;
  readonly portId: string | null;
  readonly fixedAddress: string | null;
  readonly revision: number | null;
  /** When Neutron last changed it, or deleted it: ISO 8601, UTC. */
  readonly updatedAt?: string | null;
  readonly deleted: boolean;
  /** The `<n>` of the last beginning's or end's key; one more with each. */
  readonly transitions: number;
  readonly association: Association | null;
  readonly primed?: Primed | null;
}

/** The reading side of what the ledger remembers; a writer's overlay gives the same. */
export interface Memory {
  server(id: string): ServerMemory | undefined;
  port(id: string): PortMemory | undefined;
  floatingIp(id: string): FloatingIpMemory | undefined;
  /** Ports that this server holds or was the last to hold, deleted ones included; of very many those that changed last. */
  portsOfServer(serverId: string): readonly PortMemory[];
  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[];
  /** Floating IPs whose association is with this server. */
  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[];
}

/** Rows of memory to be written: each replaces the one with its id. */
export interface MemoryChanges {
  readonly servers: readonly ServerMemory[];
  readonly ports: readonly PortMemory[];
  readonly floatingIps: readonly FloatingIpMemory[];
}
