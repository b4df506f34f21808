import type { OptionalKey } from "./detail.ts";
import type { Origin } from "./notification.ts";

/** One address of a server's port. */
export interface Address {
  readonly address: string;
  /** Lower case, colons; `null` when unknown. */
  readonly mac: string | null;
  /** `fixed` or `floating`, in OpenStack's words; `null` when unknown. */
  readonly type: string | null;
  /** The network's name; `null` when unknown. */
  readonly network: string | null;
  /** 4 or 6. */
  readonly version: number | null;
}

/** What messages say about one server. `null` means "not stated", never "empty". */
export interface ServerSnapshot {
  readonly id: string | null;
  readonly hostname: string | null;
  /** The port's DNS name, if Neutron's DNS integration is used. */
  readonly dnsName: string | null;
  readonly description: string | null;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly userId: string | null;
  readonly userName: string | null;
  readonly remoteAddress: string | null;
  readonly imageId: string | null;
  /** The image's properties `os`, `os_distro`, `os_version`, and its name. */
  readonly imageOs: string | null;
  readonly imageOsDistro: string | null;
  readonly imageOsVersion: string | null;
  readonly imageName: string | null;
  /** GB of root and ephemeral disk together. */
  readonly storageGb: number | null;
  readonly ramGib: number | null;
  readonly vcpus: number | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly addresses: readonly Address[];
  /** A floating address in the server's own message. */
  readonly floatingAddress: string | null;
  /** Optional keys of the detail, as config.ts asks for them. @default none is asked for */
  readonly optional?: Readonly<Partial<Record<OptionalKey, string | null>>>;
}

/** A floating IP on a port. */
export interface AssociatedAddress {
  readonly id: string;
  readonly address: string;
  readonly fixedAddress: string | null;
  readonly mac: string | null;
}

/** The subject of an event: a server, or the association of a floating IP with a server. */
export type Subject = "server" | "floatingip";

/** What an event says of its subject. Associations of floating IPs have no updates. */
export type EventKind = "creation" | "update" | "deletion";

/** An event that plugins are told, as `events` of config.ts selects. */
export interface WatcherEvent {
  /**
   * The same for every message, copy and attempt: `server/<id>/creation`, `server/<id>/update/<n>`,
   * `floatingip/<id>/<n>/deletion`.
   */
  readonly key: string;
  readonly subject: Subject;
  /** Whether the subject is there after the event: `false` for a deletion alone. */
  readonly created: boolean;
  /** `true` for an update. @default false */
  readonly updated?: boolean;
  /**
   * How many updates of the server were announced before this event. Absent: changes of servers are
   * not followed, and targets hold what the creation said.
   */
  readonly updates?: number;
  /** The type of the notification that led to the event. */
  readonly eventType: string;
  readonly messageId: string;
  /** The notification's time, ISO 8601, UTC. */
  readonly time: string;
  /** @default "bus" */
  readonly origin?: Origin;
  readonly server: ServerSnapshot;
  /** The floating IP of an association; `null` for a server's event. */
  readonly floatingIp: AssociatedAddress | null;
  /** The server's floating IPs after the event. */
  readonly floatingIps: readonly AssociatedAddress[];
  /** `false`: a deletion whose creation is not in memory. */
  readonly creationSeen: boolean;
  /**
   * Keys of the detail that are cut short or left out: the message led to too much.
   *
   * @default none
   */
  readonly cut?: readonly string[];
  /** Deliveries that share one of these keep their order. */
  readonly orderKeys: readonly string[];
}

/** The kind of an event. */
export function kindOf({ created, updated = false }: Pick<WatcherEvent, "created" | "updated">): EventKind {
  return updated ? "update" : created ? "creation" : "deletion";
}
