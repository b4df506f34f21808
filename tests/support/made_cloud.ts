/**
 * A cloud of any size behind {@linkcode OpenStackServer}: the records have the recorded shape, the lists are paged as the real services page
 * them, and what is gone can be a marker no more.
 *
 * @module
 */

import type { Json } from "../../src/model/notification.ts";
import type { Interceptor, OpenStackServer, TakenRequest } from "./openstack_server.ts";

export type Kind = "servers" | "ports" | "floatingips";

type Made = Record<string, Json>;

/** How many of each there are. */
export interface CloudSize {
  readonly servers: number;
  /** The first servers have one each. */
  readonly floatingIps: number;
  /** @default 5 */
  readonly projects?: number;
}

const PATHS: Readonly<Record<string, Kind>> = {
  "compute GET /v2.1/servers/detail": "servers",
  "network GET /v2.0/ports": "ports",
  "network GET /v2.0/floatingips": "floatingips",
};

export class MadeCloud {
  readonly lists: Readonly<Record<Kind, Made[]>> = { servers: [], ports: [], floatingips: [] };
  /** Whether a list of all projects is refused, as to a plain member. */
  isMember = false;
  readonly #server: OpenStackServer;
  readonly #size: CloudSize;

  private constructor(server: OpenStackServer, size: CloudSize) {
    this.#server = server;
    this.#size = size;
  }

  /** Puts a cloud behind the server; other requests are answered from the recordings. */
  static async behind(server: OpenStackServer, size: CloudSize): Promise<MadeCloud> {
    const cloud = new MadeCloud(server, size);
    const first = async (recording: string, key: string) => (await server.recorded(recording).json())[key][0];
    const shapes = {
      server: await first("servers-detail-all-tenants-page-1", "servers"),
      port: await first("ports-by-device_id-two-nics", "ports"),
      floatingIp: await first("floatingips", "floatingips"),
    };
    for (let number = 0; number < size.servers; number++) cloud.#add(number, shapes);
    server.intercept = cloud.intercept;
    return cloud;
  }

  /** Takes one away, as if somebody had deleted it. */
  remove(kind: Kind, id: string): void {
    this.lists[kind].splice(this.lists[kind].findIndex((one) => one["id"] === id), 1);
  }

  readonly intercept: Interceptor = (request) => {
    const url = new URL(request.path, "http://here");
    if (!request.headers.has("x-auth-token")) return undefined;
    const kind = PATHS[`${request.service} ${request.method} ${url.pathname}`];
    if (kind !== undefined) return this.#page(kind, url.searchParams);
    return this.#named(request);
  };

  #add(number: number, shapes: Readonly<Record<"server" | "port" | "floatingIp", Made>>): void {
    const serverId = idOf("5e", number);
    const portId = idOf("b0", number);
    const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const mac = `fa:16:3e:${number.toString(16).padStart(6, "0").replace(/(..)(..)(..)/, "$1:$2:$3")}`;
    const project = `project-${number % (this.#size.projects ?? 5)}`;
    const fixed = { version: 4, addr: address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac };
    const hasFloatingIp = number < this.#size.floatingIps;
    const public_ = `203.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const addresses = hasFloatingIp ? [fixed, { ...fixed, addr: public_, "OS-EXT-IPS:type": "floating" }] : [fixed];
    this.lists.servers.push({
      ...shapes.server,
      id: serverId,
      name: `web-${number}`,
      "OS-EXT-SRV-ATTR:hostname": `web-${number}`,
      tenant_id: project,
      user_id: `user-of-${project}`,
      metadata: { owner: `owner-${number}` },
      addresses: { net: addresses },
    });
    const owner = { tenant_id: project, project_id: project };
    this.lists.ports.push({
      ...shapes.port,
      ...owner,
      id: portId,
      device_id: serverId,
      device_owner: "compute:zone-1",
      mac_address: mac,
      fixed_ips: [{ subnet_id: "subnet", ip_address: address }],
      dns_assignment: [{ hostname: `web-${number}`, ip_address: address, fqdn: `web-${number}.cloud.example.com.` }],
      revision_number: 4,
    });
    if (!hasFloatingIp) return;
    this.lists.floatingips.push({
      ...shapes.floatingIp,
      ...owner,
      id: idOf("f1", number),
      floating_ip_address: public_,
      fixed_ip_address: address,
      port_id: portId,
      port_details: { device_id: serverId, device_owner: "compute:zone-1", mac_address: mac },
      revision_number: 2,
    });
  }

  #page(kind: Kind, query: URLSearchParams): Response {
    if (kind === "servers" && query.has("all_tenants") && this.isMember) {
      return this.#server.recorded("servers-all-tenants-as-member");
    }
    const list = this.#visible(kind, query);
    const limit = Number(query.get("limit") ?? list.length);
    const marker = query.get("marker");
    const at = marker === null ? -1 : list.findIndex((one) => one["id"] === marker);
    if (marker !== null && at === -1 && kind !== "floatingips") return gone(kind, marker);
    // Neutron begins floating IPs anew.
    const page = list.slice(at + 1, at + 1 + limit);
    const hasNext = at + 1 + limit < list.length;
    const wanted = query.getAll("fields");
    const records = wanted.length === 0 ? page : page.map((one) => only(one, wanted));
    const links = hasNext ? { [`${kind}_links`]: [{ rel: "next", href: "http://here/" }] } : {};
    return Response.json({ [kind]: records, ...links });
  }

  #visible(kind: Kind, query: URLSearchParams): Made[] {
    const list = this.lists[kind];
    const isOwn = kind === "servers" ? !query.has("all_tenants") : this.isMember;
    return isOwn ? list.filter((one) => one["tenant_id"] === "project-0") : list;
  }

  #named({ service, path }: TakenRequest): Response | undefined {
    const [, kind, id] = /^\/v3\/(projects|users)\/([^/?]+)$/.exec(path) ?? [];
    if (service !== "identity" || id === undefined) return undefined;
    const named = { id, name: `name of ${id}` };
    return Response.json(kind === "projects" ? { project: named } : { user: named });
  }
}

/** The id of a made resource: `5e` a server, `b0` a port, `f1` a floating IP. */
export function idOf(kind: "5e" | "b0" | "f1", number: number): string {
  return `${kind}000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

function only(record: Made, fields: readonly string[]): Made {
  return Object.fromEntries(Object.entries(record).filter(([key]) => fields.includes(key)));
}

function gone(kind: Kind, marker: string): Response {
  if (kind === "servers") {
    return Response.json({ badRequest: { code: 400, message: `marker [${marker}] not found` } }, { status: 400 });
  }
  const message = `Port ${marker} could not be found.`;
  return Response.json({ NeutronError: { type: "PortNotFound", message, detail: "" } }, { status: 404 });
}
