/**
 * Records of a made cloud: servers with a port each, and floating IPs, in the recorded shape.
 *
 * @module
 */

import type { Json } from "../../src/model/notification.ts";
import type { OpenStackServer } from "./openstack_server.ts";

export type Kind = "servers" | "ports" | "floatingips";

export type Made = Record<string, Json>;

/** One recorded resource of each kind. */
export type Shapes = Readonly<Record<Kind, Made>>;

/** A server with its port and perhaps a floating IP. */
export interface MadeResources {
  readonly servers: Made;
  readonly ports: Made;
  readonly floatingips: Made | null;
}

/** When everything was made, by the clocks of Nova and Neutron. */
export const MADE_AT = "2026-11-21T19:17:41Z";

export async function recordedShapes(server: OpenStackServer): Promise<Shapes> {
  const first = async (recording: string, key: string) => (await server.recorded(recording).json())[key][0];
  return {
    servers: await first("servers-detail-all-tenants-page-1", "servers"),
    ports: await first("ports-by-device_id-two-nics", "ports"),
    floatingips: await first("floatingips", "floatingips"),
  };
}

export function madeResources(
  number: number,
  { shapes, project, hasFloatingIp }: {
    readonly shapes: Shapes;
    readonly project: string;
    readonly hasFloatingIp: boolean;
  },
): MadeResources {
  const serverId = idOf("5e", number);
  const portId = idOf("b0", number);
  const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const mac = `fa:16:3e:${number.toString(16).padStart(6, "0").replace(/(..)(..)(..)/, "$1:$2:$3")}`;
  const fixed = { version: 4, addr: address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac };
  const public_ = `203.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const addresses = hasFloatingIp ? [fixed, { ...fixed, addr: public_, "OS-EXT-IPS:type": "floating" }] : [fixed];
  const owner = { tenant_id: project, project_id: project };
  return {
    servers: {
      ...shapes.servers,
      id: serverId,
      name: `web-${number}`,
      "OS-EXT-SRV-ATTR:hostname": `web-${number}`,
      tenant_id: project,
      user_id: `user-of-${project}`,
      metadata: { owner: `owner-${number}` },
      addresses: { net: addresses },
      updated: MADE_AT,
    },
    ports: {
      ...shapes.ports,
      ...owner,
      id: portId,
      device_id: serverId,
      device_owner: "compute:zone-1",
      mac_address: mac,
      fixed_ips: [{ subnet_id: "subnet", ip_address: address }],
      dns_assignment: [{ hostname: `web-${number}`, ip_address: address, fqdn: `web-${number}.cloud.example.com.` }],
      revision_number: 4,
      updated_at: MADE_AT,
    },
    floatingips: hasFloatingIp
      ? {
        ...shapes.floatingips,
        ...owner,
        id: idOf("f1", number),
        floating_ip_address: public_,
        fixed_ip_address: address,
        port_id: portId,
        port_details: { device_id: serverId, device_owner: "compute:zone-1", mac_address: mac },
        revision_number: 2,
        updated_at: MADE_AT,
      }
      : null,
  };
}

/** The id of a made resource: `5e` a server, `b0` a port, `f1` a floating IP. */
export function idOf(kind: "5e" | "b0" | "f1", number: number): string {
  return `${kind}000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

/**
 * A server in a cell that does not answer, by its id: as Nova makes it from microversion 2.69 on.
 */
export function minimalServer({ id, tenant_id, created, image, flavor }: Made): Made {
  return {
    ...{ id: id!, tenant_id: tenant_id!, created: created!, image: image!, flavor: flavor! },
    status: "UNKNOWN",
    links: [],
    "OS-EXT-AZ:availability_zone": "UNKNOWN",
    "OS-EXT-STS:power_state": 0,
    user_id: "UNKNOWN",
    server_groups: [],
  };
}

/** What a listing with `changes-since` has of a server that was deleted. */
export function deletedServer(server: Made, at: string): Made {
  return {
    ...server,
    status: "DELETED",
    updated: at,
    addresses: {},
    "OS-SRV-USG:terminated_at": at.replace("Z", ".000000"),
    "OS-EXT-STS:vm_state": "deleted",
    "OS-EXT-STS:power_state": 0,
  };
}
