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
  readonly Datacenter: string | null;
  readonly SecurityDomain: string | null;
  readonly Owner: string | null;
  readonly AdditionalUsers: readonly string[];
  readonly ApplicationName: string | null;
  readonly EnvironmentCI: string | null;
  readonly Description: string | null;
  /** When the server was created: `YYYY-MM-DD`, UTC. */
  readonly CreationDate: string | null;
  /** The server's UUID. */
  readonly ID: string | null;
  readonly ImageID: string | null;
  /** MAC address of the port with `IP`; if unknown, of the server's main address. */
  readonly MAC: string | null;
  readonly ProjectID: string | null;
  readonly ProjectName: string | null;
  readonly UserID: string | null;
  readonly UserName: string | null;
  readonly RemoteAddress: string | null;
  /** The server's metadata as its owner wrote them; at most the first 1,024 items. */
  readonly Metadata: Readonly<Record<string, string>>;
  /** The server's addresses, at most 256. */
  readonly Addresses: readonly DetailAddress[];
  /** The server's floating IPs after the event, at most 256. */
  readonly FloatingIPs: readonly DetailFloatingIp[];
  /** Keys that `detail.static` and `detail.fields` of config.ts add. */
  readonly [key: string]: unknown;
}

/** The argument of functions in `detail.fields`. */
export interface DetailWhole {
  /** The detail with all built-in keys. */
  readonly detail: Detail;
  readonly created: boolean;
  readonly eventType: string;
  readonly key: string;
}

/**
 * Computes one key of the detail. If it throws, or returns a value of another type for a key of
 * {@linkcode Detail}, the key is `null` (an empty list for lists), and a warning is logged.
 */
export type DetailField = (whole: DetailWhole) => Json;
