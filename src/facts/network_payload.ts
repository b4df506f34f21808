import type { Json, JsonObject, Notification } from "../model/notification.ts";
import { isoUtc } from "../model/timestamp.ts";
import { name, number, object, objects, text } from "./read.ts";

/** The state of one port in a `port.*` notification. */
export interface PortState {
  readonly id: string;
  /**
   * The server of Nova that has the port; `null` for a free port and ports of routers, load
   * balancers and others; `undefined` if the message does not contain it.
   */
  readonly serverId: string | null | undefined;
  readonly mac: string | null;
  readonly fixedAddresses: readonly string[];
  readonly dnsName: string | null;
  readonly dnsHostname: string | null;
  readonly revision: number | null;
  /** When Neutron last changed it, by Neutron's clock: ISO 8601, UTC. */
  readonly updatedAt?: string | null;
}

/** The new state of one floating IP in a `floatingip.*` notification. */
export interface FloatingIpState {
  readonly id: string;
  readonly address: string;
  readonly projectId: string | null;
  readonly portId: string | null;
  readonly fixedAddress: string | null;
  readonly revision: number | null;
  /** When Neutron last changed it, by Neutron's clock: ISO 8601, UTC. */
  readonly updatedAt?: string | null;
  /** From `port_details`; `null` in old releases, which do not send them. */
  readonly port: { readonly serverId: string | null; readonly mac: string | null } | null;
}

/** The ports of a `port.*` notification: one, or a list after a bulk request. */
export function readPorts({ payload }: Notification): readonly PortState[] {
  return oneOrMany(payload, "port", "ports").flatMap((port) => {
    const id = name(port["id"]) ?? name(payload["port_id"]);
    return id === null ? [] : [readPort(id, port)];
  });
}

/** The floating IPs of a `floatingip.*` notification: one, or a list after a bulk request. */
export function readFloatingIps({ payload }: Notification): readonly FloatingIpState[] {
  return oneOrMany(payload, "floatingip", "floatingips").flatMap((floatingIp) => {
    const id = name(floatingIp["id"]) ?? name(payload["floatingip_id"]);
    const address = name(floatingIp["floating_ip_address"]);
    return id === null || address === null ? [] : [readFloatingIp(id, address, floatingIp)];
  });
}

/** The id of a resource: old releases send nothing else at a deletion. */
export function readId({ payload }: Notification, resource: "floatingip" | "port"): string | null {
  return name(payload[`${resource}_id`]) ?? name(object(payload[resource])["id"]);
}

function readPort(id: string, port: JsonObject): PortState {
  const dns = objects(port["dns_assignment"])[0] ?? {};
  return {
    id,
    serverId: "device_owner" in port ? computeServer(port) : undefined,
    mac: name(port["mac_address"])?.toLowerCase() ?? null,
    fixedAddresses: objects(port["fixed_ips"]).flatMap((ip) => name(ip["ip_address"]) ?? []),
    dnsName: text(name(dns["fqdn"])?.replace(/\.$/, "")),
    dnsHostname: name(dns["hostname"]),
    revision: number(port["revision_number"]),
    updatedAt: isoUtc(port["updated_at"]),
  };
}

function readFloatingIp(id: string, address: string, floatingIp: JsonObject): FloatingIpState {
  const details = object(floatingIp["port_details"]);
  return {
    id,
    address,
    projectId: name(floatingIp["project_id"]) ?? name(floatingIp["tenant_id"]),
    portId: name(floatingIp["port_id"]),
    fixedAddress: name(floatingIp["fixed_ip_address"]),
    revision: number(floatingIp["revision_number"]),
    updatedAt: isoUtc(floatingIp["updated_at"]),
    port: "device_owner" in details
      ? { serverId: computeServer(details), mac: name(details["mac_address"])?.toLowerCase() ?? null }
      : null,
  };
}

/** `device_owner` is `compute:<zone>` for a server's port, and `device_id` then its id. */
function computeServer(port: JsonObject): string | null {
  return text(port["device_owner"])?.startsWith("compute:") ? name(port["device_id"]) : null;
}

function oneOrMany(payload: JsonObject, one: string, many: string): readonly JsonObject[] {
  const single: Json | undefined = payload[one];
  return single === undefined ? objects(payload[many]) : objects([single]);
}
