import type { Json } from "./notification.ts";

/** One address in {@linkcode Detail.Addresses}. */
export interface DetailAddress {
  readonly address: string;
  readonly mac: string | null;
  readonly type: string | null;
  readonly network: string | null;
  readonly version: number | null;
}

/** One floating IP in {@linkcode Detail.FloatingIPs}. */
export interface DetailFloatingIp {
  readonly id: string;
  readonly address: string;
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
  readonly Datacenter: string | null;
  readonly SecurityDomain: string | null;
  readonly Owner: string | null;
  readonly AdditionalUsers: readonly string[];
  readonly ApplicationName: string | null;
  readonly EnvironmentCI: string | null;
  readonly Description: string | null;
  /** `YYYY-MM-DD`, UTC, of the server. */
  readonly CreationDate: string | null;
  /** The server's UUID. */
  readonly ID: string | null;
  readonly ImageID: string | null;
  /** The MAC address of the port that has `IP`; of the server's main address if that is unknown. */
  readonly MAC: string | null;
  readonly ProjectID: string | null;
  readonly ProjectName: string | null;
  readonly UserID: string | null;
  readonly UserName: string | null;
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
  readonly created: boolean;
  readonly eventType: string;
  readonly key: string;
}

/**
 * Makes one key of the detail from the whole; what it throws, or gives for a key of {@linkcode Detail} that is of another type, becomes
 * `null` (an empty list for lists) and a warning.
 */
export type DetailField = (whole: DetailWhole) => Json;
