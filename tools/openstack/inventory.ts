// Sets up a new cloud for use: accounts and endpoints of its services, then flavors, images and the
// public network.
import { type Answer, CloudClient } from "./rest.ts";
import { ADDRESS, REGION, type Site } from "./settings.ts";

export interface Inventory {
  /** Ids by names. */
  readonly flavors: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<string, string>>;
  /** The public network's id. */
  readonly publicNetwork: string;
}

const FLAVORS = [
  { name: "m1.tiny", vcpus: 1, ram: 512, disk: 1 },
  { name: "m1.small", vcpus: 1, ram: 2048, disk: 20 },
  { name: "c2.large", vcpus: 4, ram: 8192, disk: 40, "OS-FLV-EXT-DATA:ephemeral": 10 },
  // No host has so many.
  { name: "x9.huge", vcpus: 900_000, ram: 2048, disk: 1 },
];

const IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "debian-12": { os_distro: "debian", os_version: "12", os_type: "linux" },
  "windows-2022": { os: "Windows Server 2022", os_distro: "windows", os_version: "2022" },
  "plain-image": {},
};

export async function makeAccounts(admin: CloudClient, { ports, secret }: Site): Promise<void> {
  const project = (await admin.keystone("POST", "/projects", { project: { name: "service" } })).project.id;
  const { roles } = await admin.keystone("GET", "/roles");
  const known = new Map<string, string>(roles.map(({ name, id }: Answer) => [name, id]));
  if (!known.has("service")) {
    known.set("service", (await admin.keystone("POST", "/roles", { role: { name: "service" } })).role.id);
  }
  const services = [
    ["glance", "image", ports.glance, ""],
    ["placement", "placement", ports.placement, ""],
    ["nova", "compute", ports.nova, "/v2.1"],
    ["neutron", "network", ports.neutron, ""],
  ] as const;
  for (const [name, type, port, path] of services) {
    const user = (await admin.keystone("POST", "/users", { user: { name, password: secret } })).user.id;
    for (const role of ["admin", "service"]) {
      await admin.keystone("PUT", `/projects/${project}/users/${user}/roles/${known.get(role)}`);
    }
    const service = (await admin.keystone("POST", "/services", { service: { name, type } })).service.id;
    const url = `http://${ADDRESS}:${port}${path}`;
    for (const kind of ["public", "internal", "admin"]) {
      const endpoint = { service_id: service, interface: kind, region_id: REGION, url };
      await admin.keystone("POST", "/endpoints", { endpoint });
    }
  }
}

export async function makeInventory(admin: CloudClient, { computes }: Site): Promise<Inventory> {
  const zones = new Set(computes.map(({ zone }) => zone));
  for (const zone of zones) {
    const aggregate = { name: zone, availability_zone: zone };
    const { id } = (await admin.nova("POST", "/os-aggregates", { body: { aggregate } })).aggregate;
    for (const { host } of computes.filter((one) => one.zone === zone)) {
      await admin.nova("POST", `/os-aggregates/${id}/action`, { body: { add_host: { host } } });
    }
  }
  const flavors: Record<string, string> = {};
  for (const flavor of FLAVORS) {
    flavors[flavor.name] = (await admin.nova("POST", "/flavors", { body: { flavor } })).flavor.id;
  }
  const images: Record<string, string> = {};
  for (const [name, properties] of Object.entries(IMAGES)) {
    images[name] = await makeImage(admin, { name, ...properties });
  }
  return { flavors, images, publicNetwork: await makePublicNetwork(admin) };
}

async function makeImage(admin: CloudClient, image: Readonly<Record<string, string>>): Promise<string> {
  const form = { disk_format: "raw", container_format: "bare", visibility: "public" };
  const { id } = await admin.glance("POST", "/images", { ...image, ...form });
  await admin.glance("PUT", `/images/${id}/file`, new Uint8Array(1024));
  return id;
}

async function makePublicNetwork(admin: CloudClient): Promise<string> {
  const provider = { "provider:network_type": "flat", "provider:physical_network": "physnet1" };
  const network = { name: "public", "router:external": true, ...provider };
  const { id } = (await admin.neutron("POST", "/networks", { network })).network;
  const subnet = { network_id: id, ip_version: 4, cidr: "203.0.113.0/24", enable_dhcp: false };
  await admin.neutron("POST", "/subnets", { subnet });
  return id;
}
