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

/**
 * The JSON that every plugin gets: the keys of the first generation, then more. Unknown is `null` (an empty list for lists), never a
 * guess. Every string comes from a tenant or may: treat it as hostile.
 */
export interface Detail {
  /** The hostname; one without a dot is completed with the domain, where that is known. No dot at its end. */
  readonly FQDN: string | null;
  /** A floating-IP event: the floating address. A server event: its floating address if its message had one, else its first fixed one of `detail.ipVersion`. */
  readonly IP: string | null;
  /** `Public` for a floating address, `Private` for another; `null` without an address. */
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
  /** The server's metadata `owner`; for this key and the next four, `detail.metadataNames` sets others. */
  readonly Owner: string | null;
  /** The server's metadata `additional_users`, split at commas. */
  readonly AdditionalUsers: readonly string[];
  /** The server's metadata `application_name`. */
  readonly ApplicationName: string | null;
  /** The server's metadata `environment_ci`. */
  readonly EnvironmentCI: string | null;
  /** The server's metadata `description`, else the server's own description. */
  readonly Description: string | null;
  /** `YYYY-MM-DD`, UTC, of the server. */
  readonly CreationDate: string | null;
  /** The server's UUID. */
  readonly ID: string | null;
  /** The UUID of the server's image. */
  readonly ImageID: string | null;
  /** The MAC address of the port that has `IP`; of the server's main address if that is unknown. */
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
  /** The server's metadata as its owner wrote it; of more than 1,024 items the first. */
  readonly Metadata: Readonly<Record<string, string>>;
  /** 256 at most. */
  readonly Addresses: readonly DetailAddress[];
  /** The server's floating IPs once the event has happened, 256 at most. */
  readonly FloatingIPs: readonly DetailFloatingIp[];
  /** What `detail.static` and `detail.fields` of config.ts add. */
  readonly [key: string]: unknown;
}

/** What `detail.fields` functions get to look at. */
export interface DetailWhole {
  /** The detail so far, all built-in keys computed. */
  readonly detail: Detail;
  /** `true` for a creation, `false` for a deletion. */
  readonly created: boolean;
  /** The type of the notification that made the event known, as `compute.instance.create.end`. */
  readonly eventType: string;
  /** The event's key. */
  readonly key: string;
}

/**
 * Makes one key of the detail from the whole; what it throws, or gives for a key of {@linkcode Detail} that is of another type, becomes
 * `null` (an empty list for lists) and a warning.
 */
export type DetailField = (whole: DetailWhole) => Json;
