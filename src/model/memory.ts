import type { ServerSnapshot } from "./event.ts";

/** What the ledger remembers of a server. */
export interface ServerMemory {
  readonly id: string;
  readonly creationSeen: boolean;
  readonly deleted: boolean;
  /** As it was created; where changes are followed, as it is. */
  readonly snapshot: ServerSnapshot;
  /** Only where changes are followed. */
  readonly stated?: StatedAt;
  /**
   * The time of the message that said that Nova deletes the server: ISO 8601, UTC. Until the
   * deletion is announced the server stays as it was: its ports go first. Only where changes are
   * followed.
   */
  readonly deletingSince?: string | null;
  /**
   * The number in the key of its last update, `server/<id>/update/<n>`.
   *
   * @default 0, none was announced
   */
  readonly updates?: number;
}

/**
 * The times of the messages that last stated parts of a server's snapshot: ISO 8601, UTC. An older
 * message does not change that part.
 */
export interface StatedAt {
  /** What every message of Nova contains. */
  readonly server: string;
  /** The description, which only versioned notifications contain; `null`: not stated yet. */
  readonly description: string | null;
  /** The image, which a shelved server's messages do not state for good; `null`: not stated yet. */
  readonly image: string | null;
}

/**
 * Marks a resource that was read from OpenStack by priming and has not been announced since: see
 * docs/ARCHITECTURE.md, "Priming".
 */
export interface Primed {
  /** The resource's revision when it was read; `null` for releases without revisions. */
  readonly revision: number | null;
}

/** What the ledger remembers of a Neutron port. */
export interface PortMemory {
  readonly id: string;
  /** The server that the port is attached to. */
  readonly serverId: string | null;
  /** The last server that the port was attached to. */
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

/** An association of a floating IP with a port and its server, whether it was announced or not. */
export interface Association {
  readonly portId: string;
  /** `null` only with `events.anyPort`. */
  readonly serverId: string | null;
  readonly fixedAddress: string | null;
  readonly mac: string | null;
}

/** What the ledger remembers of a floating IP. */
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
  /** The number in the key of its last event, `floatingip/<id>/<n>/…`: one more with each event. */
  readonly transitions: number;
  readonly association: Association | null;
  readonly primed?: Primed | null;
}

/** Read access to the ledger's memory, or to an overlay with uncommitted changes. */
export interface Memory {
  server(id: string): ServerMemory | undefined;
  port(id: string): PortMemory | undefined;
  floatingIp(id: string): FloatingIpMemory | undefined;
  /** Ports whose last server is this one, deleted ones included; the last 256 that changed. */
  portsOfServer(serverId: string): readonly PortMemory[];
  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[];
  /** Floating IPs that are associated with this server. */
  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[];
}

/**
 * A ledger's memory does not have a row at hand: it reads the row, and calls whoever asked once more.
 * What reads memory must therefore let this error pass, and be pure.
 */
export class MemoryNotRead extends Error {
  override readonly name = "MemoryNotRead";
}

/** Rows of memory to write: each replaces the row with its id. */
export interface MemoryChanges {
  readonly servers: readonly ServerMemory[];
  readonly ports: readonly PortMemory[];
  readonly floatingIps: readonly FloatingIpMemory[];
}
