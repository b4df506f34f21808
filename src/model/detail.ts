import type { Json } from "./notification.ts";

/** One address in {@linkcode Detail.Addresses}. */
export interface DetailAddress {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** The MAC address of its port. */
  readonly mac: string | null;
  /** `fixed` or `floating`, in OpenStack's words. */
  readonly type: string | null;
  /** The network's name. */
  readonly network: string | null;
  /** 4 or 6. */
  readonly version: number | null;
}

/** One floating IP in {@linkcode Detail.FloatingIPs}. */
export interface DetailFloatingIp {
  /** The floating IP's UUID. */
  readonly id: string;
  /** The floating address itself. */
  readonly address: string;
  /** The fixed address that it leads to. */
  readonly fixedAddress: string | null;
}

/** A key of the detail that only those get who ask for it. */
export type OptionalKey = "Name" | "Zone" | "Host" | "Status" | "Flavor";

/** All of {@linkcode OptionalKey}. */
export const OPTIONAL_KEYS = ["Name", "Zone", "Host", "Status", "Flavor"] as const satisfies readonly OptionalKey[];

/**
 * The JSON that every plugin gets: the keys of the first generation, then more. An unknown value is
 * `null` (an empty list for lists), never a guess. Any string may come from a tenant: treat it as
 * hostile.
 */
export interface Detail {
  /**
   * The hostname, completed with the domain if it has no dot and a domain is known; no final dot.
   */
  readonly FQDN: string | null;
  /**
   * Of a floating-IP event: the floating address. Of a server's event: the floating address in its
   * message, else its first fixed address of `detail.ipVersion`.
   */
  readonly IP: string | null;
  /** `Public` for a floating address, `Private` for a fixed one; `null` without an address. */
  readonly IPType: string | null;
  /** The image's `os`, else `os_distro` and `os_version`, else the image's name. */
  readonly OS: string | null;
  /** GB of root and ephemeral disk. */
  readonly Storage: number | null;
  /** GiB of memory; may be fractional. */
  readonly Ram: number | null;
  /** vCPUs. */
  readonly CPU: number | null;
  /** `null` unless `detail.static` sets it. */
  readonly Datacenter: string | null;
  /** `null` unless `detail.static` sets it. */
  readonly SecurityDomain: string | null;
  /**
   * The server's metadata `owner`; for this key and the next four, `detail.metadataNames` sets
   * others.
   */
  readonly Owner: string | null;
  /** The server's metadata `additional_users`, split at commas. */
  readonly AdditionalUsers: readonly string[];
  /** The server's metadata `application_name`. */
  readonly ApplicationName: string | null;
  /** The server's metadata `environment_ci`. */
  readonly EnvironmentCI: string | null;
  /** The server's metadata `description`, else the server's own description. */
  readonly Description: string | null;
  /** When the server was created: `YYYY-MM-DD`, UTC. */
  readonly CreationDate: string | null;
  /** The server's UUID. */
  readonly ID: string | null;
  /** The UUID of the server's image. */
  readonly ImageID: string | null;
  /** MAC address of the port with `IP`; if unknown, of the server's main address. */
  readonly MAC: string | null;
  /** The id of the server's project. */
  readonly ProjectID: string | null;
  /** The name of the server's project. */
  readonly ProjectName: string | null;
  /** The id of the server's user. */
  readonly UserID: string | null;
  /** The name of the server's user. */
  readonly UserName: string | null;
  /** The address from which the server was asked for. */
  readonly RemoteAddress: string | null;
  /** The server's metadata as its owner wrote them; at most the first 1,024 items. */
  readonly Metadata: Readonly<Record<string, string>>;
  /** The server's addresses, at most 256. */
  readonly Addresses: readonly DetailAddress[];
  /** The server's floating IPs after the event, at most 256. */
  readonly FloatingIPs: readonly DetailFloatingIp[];
  /** The server's name as its owner typed it. Only if `detail.optional` or `events.update` lists it. */
  readonly Name?: string | null;
  /** The availability zone; likewise. */
  readonly Zone?: string | null;
  /** The compute host that the server is on; `null` while it is shelved and offloaded; likewise. */
  readonly Host?: string | null;
  /**
   * The status that Nova's API shows while no task runs: `ACTIVE`, `SHUTOFF`, `VERIFY_RESIZE`;
   * likewise.
   */
  readonly Status?: string | null;
  /** The flavor's name; likewise. */
  readonly Flavor?: string | null;
  /** Keys that `detail.static` and `detail.fields` of config.ts add. */
  readonly [key: string]: unknown;
}

/** The names of the keys that {@linkcode Detail} has by itself. */
export type DetailKey = keyof { [Key in keyof Detail as string extends Key ? never : Key]: Detail[Key] };

/** The argument of functions in `detail.fields`. */
export interface DetailWhole {
  /** The detail with all built-in keys. */
  readonly detail: Detail;
  /** `true` for a creation, `false` for a deletion. */
  readonly created: boolean;
  /** The type of the notification that made the event known, as `compute.instance.create.end`. */
  readonly eventType: string;
  /** The event's key. */
  readonly key: string;
}

/**
 * Computes one key of the detail. If it throws, or returns a value of another type for a key of
 * {@linkcode Detail}, the key is `null` (an empty list for lists), and a warning is logged.
 */
export type DetailField = (whole: DetailWhole) => Json;
