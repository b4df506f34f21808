import type { Address } from "../model/event.ts";
import { isoUtc } from "../model/timestamp.ts";
import type { Json, JsonObject } from "../model/notification.ts";
import { isObject, number, object, objects, text } from "./read.ts";

/** A server as Nova's API describes it. `null` means that Nova did not return the field. */
export interface ServerRecord {
  readonly id: string;
  /** The display name that the user chose. */
  readonly name: string | null;
  /** The hostname inside the server; from microversion 2.90 on, for administrators from 2.3 on. */
  readonly hostname: string | null;
  /** From microversion 2.19 on; `null` also when it is empty. */
  readonly description: string | null;
  /**
   * As `ACTIVE`, `BUILD`, `ERROR`. `UNKNOWN`: its cell does not answer, and all but the id, the
   * project and `createdAt` may be `null` (from microversion 2.69 on). `DELETED` and `SOFT_DELETED`
   * appear in listings with `changesSince`, and `SOFT_DELETED` by id.
   */
  readonly status: string | null;
  readonly projectId: string | null;
  readonly userId: string | null;
  /** `null` also for a server that was booted from a volume. */
  readonly imageId: string | null;
  /** Root plus ephemeral disk in GB; like `ramGib` and `vcpus` from microversion 2.47 on. */
  readonly storageGb: number | null;
  readonly ramGib: number | null;
  readonly vcpus: number | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string | null;
  /**
   * When it was last built, ISO 8601, UTC. `null`: it has never been built, or the status is
   * `UNKNOWN`.
   */
  readonly launchedAt: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Includes floating addresses, which appear some seconds after their association. */
  readonly addresses: readonly Address[];
  /** The availability zone. */
  readonly zone: string | null;
  /** The compute host; only administrators see it. `undefined`: it is not shown. */
  readonly host: string | null | undefined;
  /** The flavor's name; from microversion 2.47 on. */
  readonly flavor: string | null;
}

/** One entry of `dns_assignment`, which Neutron's DNS integration adds to a port. */
export interface DnsAssignment {
  readonly address: string | null;
  readonly hostname: string | null;
  /** Without the trailing dot. */
  readonly fqdn: string | null;
}

/** A port as Neutron's API describes it. */
export interface PortRecord {
  readonly id: string;
  /** Lower case, colons. */
  readonly mac: string | null;
  readonly fixedAddresses: readonly string[];
  readonly dnsAssignments: readonly DnsAssignment[];
  readonly deviceId: string | null;
  /** As `compute:ZONE` or `network:router_interface`. */
  readonly deviceOwner: string | null;
  /** The device id if the device is a server of Nova. */
  readonly serverId: string | null;
  readonly networkId: string | null;
  readonly projectId: string | null;
  readonly revision: number | null;
  /** ISO 8601, UTC. */
  readonly updatedAt: string | null;
}

/** A floating IP as Neutron's API describes it. */
export interface FloatingIpRecord {
  readonly id: string;
  readonly address: string;
  readonly projectId: string | null;
  readonly portId: string | null;
  readonly fixedAddress: string | null;
  /** From `port_details`; `null` without a port, and in old releases. */
  readonly port: { readonly serverId: string | null; readonly mac: string | null } | null;
  readonly revision: number | null;
  /** ISO 8601, UTC. */
  readonly updatedAt: string | null;
}

/** An image as Glance's API describes it. */
export interface ImageRecord {
  readonly id: string;
  readonly name: string | null;
  readonly os: string | null;
  readonly osDistro: string | null;
  readonly osVersion: string | null;
}

/** A project or a user as Keystone's API describes it. */
export interface NameRecord {
  readonly id: string;
  readonly name: string | null;
}

/** The fields of a port that are requested. Neutron leaves out the others, which are long. */
export const PORT_FIELDS = [
  ...["id", "mac_address", "fixed_ips", "dns_assignment", "device_id", "device_owner", "network_id", "project_id"],
  ...["tenant_id", "revision_number", "updated_at"],
].map((field) => `fields=${field}`).join("&");

// The readers below return null for an object without an id.

export function readServer(server: JsonObject): ServerRecord | null {
  const id = text(server["id"]);
  if (id === null) return null;
  const flavor = object(server["flavor"]);
  const [diskGb, ramMib] = [number(flavor["disk"]), number(flavor["ram"])];
  return {
    id,
    name: text(server["name"]),
    hostname: text(server["OS-EXT-SRV-ATTR:hostname"]),
    description: text(server["description"]),
    status: text(server["status"]),
    projectId: text(server["tenant_id"]) ?? text(server["project_id"]),
    userId: knownText(server["user_id"]),
    imageId: text(object(server["image"])["id"]),
    storageGb: diskGb === null ? null : diskGb + (number(flavor["ephemeral"]) ?? 0),
    ramGib: ramMib === null ? null : ramMib / 1024,
    vcpus: number(flavor["vcpus"]),
    createdAt: isoUtc(server["created"]),
    launchedAt: isoUtc(server["OS-SRV-USG:launched_at"]),
    metadata: metadata(server["metadata"]),
    addresses: Object.entries(object(server["addresses"])).flatMap(([network, listed]) =>
      objects(listed).flatMap((one) => readAddress(network, one))
    ),
    zone: knownText(server["OS-EXT-AZ:availability_zone"]),
    host: HOST in server ? text(server[HOST]) : undefined,
    flavor: text(flavor["original_name"]),
  };
}

const HOST = "OS-EXT-SRV-ATTR:host";

export function readPort(port: JsonObject): PortRecord | null {
  const id = text(port["id"]);
  if (id === null) return null;
  return {
    id,
    mac: mac(port["mac_address"]),
    fixedAddresses: objects(port["fixed_ips"]).flatMap((ip) => text(ip["ip_address"]) ?? []),
    dnsAssignments: objects(port["dns_assignment"]).map((one) => ({
      address: text(one["ip_address"]),
      hostname: text(one["hostname"]),
      fqdn: text(text(one["fqdn"])?.replace(/\.$/, "")),
    })),
    deviceId: text(port["device_id"]),
    deviceOwner: text(port["device_owner"]),
    serverId: computeServer(port),
    networkId: text(port["network_id"]),
    projectId: text(port["project_id"]) ?? text(port["tenant_id"]),
    revision: number(port["revision_number"]),
    updatedAt: isoUtc(port["updated_at"]),
  };
}

export function readFloatingIp(floatingIp: JsonObject): FloatingIpRecord | null {
  const [id, address] = [text(floatingIp["id"]), text(floatingIp["floating_ip_address"])];
  if (id === null || address === null) return null;
  const port = floatingIp["port_details"];
  return {
    id,
    address,
    projectId: text(floatingIp["project_id"]) ?? text(floatingIp["tenant_id"]),
    portId: text(floatingIp["port_id"]),
    fixedAddress: text(floatingIp["fixed_ip_address"]),
    port: isObject(port) ? { serverId: computeServer(port), mac: mac(port["mac_address"]) } : null,
    revision: number(floatingIp["revision_number"]),
    updatedAt: isoUtc(floatingIp["updated_at"]),
  };
}

export function readImage(image: JsonObject): ImageRecord | null {
  const id = text(image["id"]);
  if (id === null) return null;
  return {
    id,
    name: text(image["name"]),
    os: text(image["os"]),
    osDistro: text(image["os_distro"]),
    osVersion: text(image["os_version"]),
  };
}

export function readName(named: JsonObject): NameRecord | null {
  const id = text(named["id"]);
  return id === null ? null : { id, name: text(named["name"]) };
}

function readAddress(network: string, one: JsonObject): readonly Address[] {
  const address = text(one["addr"]);
  if (address === null) return [];
  const version = number(one["version"]) ?? (address.includes(":") ? 6 : 4);
  const type = text(one["OS-EXT-IPS:type"]);
  return [{ address, mac: mac(one["OS-EXT-IPS-MAC:mac_addr"]), type, network, version }];
}

/** Nova writes `UNKNOWN` for values that are in a cell that does not answer. */
function knownText(value: Json | undefined): string | null {
  return value === "UNKNOWN" ? null : text(value);
}

/** `__proto__` is a key like any other: tenants choose them. */
function metadata(value: Json | undefined): Readonly<Record<string, string>> | null {
  if (!isObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => typeof one === "string" ? [[key, one] as const] : []),
  );
}

function mac(value: Json | undefined): string | null {
  return text(value)?.toLowerCase() ?? null;
}

/** `device_owner` is `compute:<zone>` for a server's port, and `device_id` then its id. */
function computeServer(port: JsonObject): string | null {
  return text(port["device_owner"])?.startsWith("compute:") ? text(port["device_id"]) : null;
}
