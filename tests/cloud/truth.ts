// What the APIs say of a server right now, and the detail that this makes: written from the documents of the APIs, not from our code.
import type { Answer, CloudClient } from "../../tools/openstack/rest.ts";
import type { FloatingIpRef, ServerRef } from "./tenant.ts";

/** Newest of Nova in Zed: flavors embedded, hostname and description. */
const MICROVERSION = "2.93";

export interface Truth {
  readonly ref: ServerRef;
  readonly server: Answer;
  readonly ports: readonly Answer[];
  /** Those on its ports. */
  readonly floatingIps: readonly Answer[];
  readonly image: Answer;
  readonly project: Answer;
  readonly user: Answer;
}

/** Asks all services; `null` when Nova knows the server no more. */
export async function askTruth(admin: CloudClient, ref: ServerRef): Promise<Truth | null> {
  const answer = await admin.nova("GET", `/servers/${ref.id}`, { microversion: MICROVERSION, allowed: [404] });
  if (answer === null) return null;
  const { server } = answer;
  const { ports } = await admin.neutron("GET", `/ports?device_id=${ref.id}`);
  const { floatingips } = await admin.neutron("GET", "/floatingips");
  const ids = new Set(ports.map(({ id }: Answer) => id));
  return {
    ref,
    server,
    ports,
    floatingIps: floatingips.filter(({ port_id }: Answer) => ids.has(port_id)),
    image: await admin.glance("GET", `/images/${server.image.id}`),
    project: (await admin.keystone("GET", `/projects/${server.tenant_id}`)).project,
    user: (await admin.keystone("GET", `/users/${server.user_id}`)).user,
  };
}

/** A detail's fields as they have to be. */
export type Fields = Readonly<Record<string, unknown>>;

/** The detail of a server that came. Nova's message names a floating address that the server has from the beginning. */
export function detailOfNewServer(truth: Truth): Fields {
  const floating = addressesOf(truth, "floating")[0];
  return { ...detailOfServer(truth), ...floating && { IP: floating.address, IPType: "Public" } };
}

/** The detail of a server. */
export function detailOfServer(truth: Truth): Fields {
  const { server, image, project, user } = truth;
  const addresses = addressesOf(truth, "fixed");
  const main = addresses.find(({ version }) => version === 4) ?? addresses[0];
  const metadata = lowerCase(server.metadata);
  return {
    FQDN: fqdnOf(truth),
    IP: main?.address ?? null,
    IPType: main !== undefined ? "Private" : null,
    OS: image.os ?? (image.os_distro ? [image.os_distro, image.os_version].filter(Boolean).join(" ") : image.name),
    Storage: server.flavor.disk + server.flavor.ephemeral,
    Ram: server.flavor.ram / 1024,
    CPU: server.flavor.vcpus,
    Datacenter: "KDC",
    SecurityDomain: null,
    Owner: metadata["owner"] || null,
    AdditionalUsers: (metadata["additional_users"] ?? "").split(",").map((one) => one.trim()).filter(Boolean),
    ApplicationName: metadata["application_name"] || null,
    EnvironmentCI: metadata["environment_ci"] || null,
    Description: metadata["description"] || server.description || null,
    CreationDate: server.created.slice(0, 10),
    ID: server.id,
    ImageID: server.image.id,
    MAC: main?.mac ?? null,
    ProjectID: server.tenant_id,
    ProjectName: project.name,
    UserID: server.user_id,
    UserName: user.name,
    // Nova of this release says nobody's address.
    RemoteAddress: null,
    Metadata: server.metadata,
    Addresses: addresses,
    FloatingIPs: floatingIpsOf(truth),
  };
}

/** The optional keys of the detail. */
export function optionalOf({ server }: Truth): Fields {
  return {
    Name: server.name,
    // None while no host has the server.
    Zone: server["OS-EXT-AZ:availability_zone"] || null,
    Host: server["OS-EXT-SRV-ATTR:host"],
    Status: server.status,
    Flavor: server.flavor.original_name,
  };
}

/** The detail of an event of one of its floating IPs, which it has or had on the port with this MAC address. */
export function detailOfFloatingIp(truth: Truth, { address }: FloatingIpRef, mac: string): Fields {
  return { ...detailOfServer(truth), IP: address, IPType: "Public", MAC: mac };
}

/** The MAC address of the port that Neutron says has the floating IP. */
export function macOf({ ports, floatingIps }: Truth, { id }: FloatingIpRef): string | null {
  const portId = floatingIps.find((one) => one.id === id)?.port_id;
  return ports.find((port) => port.id === portId)?.mac_address ?? null;
}

export function floatingIpsOf({ floatingIps }: Truth): readonly Fields[] {
  return floatingIps.map(({ id, floating_ip_address, fixed_ip_address }) => ({
    id,
    address: floating_ip_address,
    fixedAddress: fixed_ip_address,
  }));
}

/** Nova's addresses, network by network in the order in which they were asked for. */
function addressesOf({ ref, server }: Truth, type: "fixed" | "floating") {
  const networks = ref.networks.filter((name) => name in server.addresses);
  return networks.flatMap((network) =>
    server.addresses[network].filter((one: Answer) => one["OS-EXT-IPS:type"] === type).map((one: Answer) => ({
      address: one.addr,
      mac: one["OS-EXT-IPS-MAC:mac_addr"],
      type,
      network,
      version: one.version,
    }))
  );
}

/** The name that Neutron's DNS integration gave a port of that name, else the hostname alone. */
function fqdnOf({ server, ports }: Truth): string {
  const hostname = server["OS-EXT-SRV-ATTR:hostname"];
  const assigned = ports.flatMap((port) => port.dns_assignment ?? []).find((one: Answer) => one.hostname === hostname);
  return assigned === undefined ? hostname : assigned.fqdn.replace(/\.$/, "");
}

function lowerCase(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value]));
}
