// A project with a user, networks and a router, and what its user does through the APIs.
import type { PrivateCloud } from "../../tools/openstack/cloud.ts";
import { type Answer, CloudClient } from "../../tools/openstack/rest.ts";
import { until } from "../support/until.ts";

/** A server as this test knows it. */
export interface ServerRef {
  readonly id: string;
  readonly name: string;
  /** The names of its networks, in the order in which they were asked for. */
  readonly networks: readonly string[];
}

export interface FloatingIpRef {
  readonly id: string;
  readonly address: string;
}

export interface PortRef {
  readonly id: string;
  readonly network: string;
}

export interface Boot {
  readonly name: string;
  /** @default "debian-12" */
  readonly image?: string;
  /** @default "m1.tiny" */
  readonly flavor?: string;
  /** Names of networks, or ports; an empty list for none at all. @default the first network */
  readonly nics?: readonly (string | PortRef)[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly zone?: string;
}

/** What Nova says of a server that is no more. */
export const GONE = "GONE";

/** A loaded machine is slow; a server that hangs is a failure. */
const LONG_MS = 180_000;
/** With a description, and flavors by id. */
const MICROVERSION = "2.52";
/** The last one with the old actions for floating IPs. */
const OLD_MICROVERSION = "2.43";

export class Tenant {
  readonly client: CloudClient;
  readonly #cloud: PrivateCloud;
  /** Networks' ids by their names; the first one is usual. */
  readonly #networks: ReadonlyMap<string, string>;

  private constructor(client: CloudClient, cloud: PrivateCloud, networks: ReadonlyMap<string, string>) {
    this.client = client;
    this.#cloud = cloud;
    this.#networks = networks;
  }

  /** Makes a project with two networks behind a router, the second of them dual-stack. */
  static async make(cloud: PrivateCloud, { project, user, net }: { project: string; user: string; net: number }) {
    const admin = await cloud.admin();
    const account = { user, password: `pw-${user}`, project };
    const projectId = (await admin.keystone("POST", "/projects", { project: { name: project } })).project.id;
    const form = { name: user, password: account.password };
    const userId = (await admin.keystone("POST", "/users", { user: form })).user.id;
    const role = (await admin.keystone("GET", "/roles?name=member")).roles[0].id;
    await admin.keystone("PUT", `/projects/${projectId}/users/${userId}/roles/${role}`);
    const client = await CloudClient.login(cloud.authUrl, account);
    const gateway = { network_id: cloud.inventory.publicNetwork };
    const router = (await client.neutron("POST", "/routers", { router: { external_gateway_info: gateway } })).router.id;
    const networks = new Map<string, string>();
    for (const [index, name] of [`${project}-a`, `${project}-b`].entries()) {
      const id = (await client.neutron("POST", "/networks", { network: { name } })).network.id;
      networks.set(name, id);
      const v4 = { network_id: id, ip_version: 4, cidr: `10.${net}.${index}.0/24` };
      const subnet = (await client.neutron("POST", "/subnets", { subnet: v4 })).subnet.id;
      await client.neutron("PUT", `/routers/${router}/add_router_interface`, { subnet_id: subnet });
      if (index === 0) continue;
      const modes = { ipv6_address_mode: "dhcpv6-stateful", ipv6_ra_mode: "dhcpv6-stateful" };
      const v6 = { network_id: id, ip_version: 6, cidr: `2001:db8:${net}::/64`, ...modes };
      await client.neutron("POST", "/subnets", { subnet: v6 });
    }
    return new Tenant(client, cloud, networks);
  }

  /** Another user of the same project. */
  async colleague(user: string): Promise<Tenant> {
    const admin = await this.#cloud.admin();
    const { project } = this.client.account;
    const account = { user, password: `pw-${user}`, project };
    const userId =
      (await admin.keystone("POST", "/users", { user: { name: user, password: account.password } })).user.id;
    const role = (await admin.keystone("GET", "/roles?name=member")).roles[0].id;
    await admin.keystone("PUT", `/projects/${this.client.projectId}/users/${userId}/roles/${role}`);
    return new Tenant(await CloudClient.login(this.#cloud.authUrl, account), this.#cloud, this.#networks);
  }

  /** The name of its first or second network. */
  network(index: 0 | 1): string {
    return [...this.#networks.keys()][index]!;
  }

  /** Asks for a server; does not wait for it. */
  async request(boot: Boot): Promise<ServerRef> {
    const nics = boot.nics ?? [this.network(0)];
    const networks = nics.length === 0 ? "none" : nics.map((nic) => this.#nic(nic));
    const server = { ...this.#form(boot), networks };
    const answer = await this.client.nova("POST", "/servers", { body: { server }, microversion: MICROVERSION });
    const names = nics.map((nic) => typeof nic === "string" ? nic : nic.network);
    return { id: answer.server.id, name: boot.name, networks: names };
  }

  async boot(boot: Boot): Promise<ServerRef> {
    const server = await this.request(boot);
    await this.becomes(server, "ACTIVE");
    return server;
  }

  /** Several servers with one request. */
  async bootMany(boot: Boot, count: number): Promise<readonly ServerRef[]> {
    const networks = [this.network(0)];
    const server = { ...this.#form(boot), networks: networks.map((nic) => this.#nic(nic)), min_count: count };
    const named = async (): Promise<readonly Answer[]> =>
      (await this.client.nova("GET", `/servers?name=${encodeURIComponent(boot.name)}`)).servers;
    const before = new Set((await named()).map(({ id }) => id));
    await this.client.nova("POST", "/servers", { body: { server }, microversion: MICROVERSION });
    const all = (await named()).filter(({ id }) => !before.has(id)).map(({ id, name }) => ({ id, name, networks }));
    for (const one of all) await this.becomes(one, "ACTIVE");
    return all;
  }

  /** Waits for a status of a server that nothing is being done to any more. */
  async becomes(server: ServerRef, wanted: string): Promise<void> {
    await until(async () => {
      const answer = await this.client.nova("GET", `/servers/${server.id}`, { allowed: [404] });
      if (answer === null) return wanted === GONE;
      const { status, "OS-EXT-STS:task_state": task } = answer.server;
      if (status === "ERROR" && wanted !== "ERROR" && wanted !== GONE) {
        throw new Error(`Server ${server.name} failed: ${JSON.stringify(answer.server.fault)}`);
      }
      return status === wanted && (task === null || status === "ERROR");
    }, LONG_MS);
  }

  /**
   * Waits until Nova has finished all that was asked for. A server that is ACTIVE again may still be written by the host that
   * confirms its resize, and what is asked for meanwhile is lost in part: its image's properties.
   *
   * @param action Waits for actions of this kind alone.
   */
  async settles({ id }: ServerRef, action?: string): Promise<void> {
    const path = `/servers/${id}/os-instance-actions`;
    const ask = (path: string) => this.client.nova("GET", path, { microversion: MICROVERSION });
    await until(async () => {
      const { instanceActions } = await ask(path);
      const asked = instanceActions.filter((one: Answer) => action === undefined || one.action === action);
      const all = await Promise.all(asked.map((one: Answer) => ask(`${path}/${one.request_id}`)));
      return all.every(({ instanceAction }) => instanceAction.events.every((one: Answer) => one.finish_time !== null));
    }, LONG_MS);
  }

  async act(server: ServerRef, action: Readonly<Record<string, unknown>>, wanted?: string): Promise<void> {
    await this.client.nova("POST", `/servers/${server.id}/action`, { body: action, microversion: OLD_MICROVERSION });
    if (wanted !== undefined) await this.becomes(server, wanted);
  }

  async delete(server: ServerRef): Promise<void> {
    await this.client.nova("DELETE", `/servers/${server.id}`);
    await this.becomes(server, GONE);
  }

  async setMetadata(server: ServerRef, metadata: Readonly<Record<string, string>>): Promise<void> {
    await this.client.nova("PUT", `/servers/${server.id}/metadata`, { body: { metadata } });
  }

  async rename(server: ServerRef, name: string): Promise<void> {
    await this.client.nova("PUT", `/servers/${server.id}`, { body: { server: { name } } });
  }

  /** Sets `hostname`, `description` and the like; each needs a microversion. */
  async edit(server: ServerRef, changes: Readonly<Record<string, unknown>>, microversion: string): Promise<void> {
    await this.client.nova("PUT", `/servers/${server.id}`, { body: { server: changes }, microversion });
  }

  /** Sets one item, or removes it with `null`. */
  async setMetadataItem(server: ServerRef, key: string, value: string | null): Promise<void> {
    const path = `/servers/${server.id}/metadata/${encodeURIComponent(key)}`;
    if (value === null) await this.client.nova("DELETE", path);
    else await this.client.nova("PUT", path, { body: { meta: { [key]: value } } });
  }

  /** A port of the user's own, with so many fixed addresses. */
  async makePort(addresses = 1): Promise<PortRef> {
    const network = this.network(0);
    const network_id = this.#networks.get(network)!;
    const { subnets } = await this.client.neutron("GET", `/subnets?network_id=${network_id}`);
    const fixed_ips = Array.from({ length: addresses }, () => ({ subnet_id: subnets[0].id }));
    const { port } = await this.client.neutron("POST", "/ports", { port: { network_id, fixed_ips } });
    return { id: port.id, network };
  }

  async portOf(server: ServerRef): Promise<PortRef> {
    const { ports } = await this.client.neutron("GET", `/ports?device_id=${server.id}`);
    return { id: ports[0].id, network: server.networks[0]! };
  }

  async addressesOf(port: PortRef): Promise<readonly string[]> {
    const { fixed_ips } = (await this.client.neutron("GET", `/ports/${port.id}`)).port;
    return fixed_ips.map(({ ip_address }: Answer) => ip_address);
  }

  /** A port of the user's own in the second network, with IPv4 alone. */
  async makeSecondPort(): Promise<PortRef> {
    const network = this.network(1);
    const network_id = this.#networks.get(network)!;
    const fixed_ips = [{ subnet_id: await this.#subnet(network, 4) }];
    const { port } = await this.client.neutron("POST", "/ports", { port: { network_id, fixed_ips } });
    return { id: port.id, network };
  }

  /** Gives a port one more address, of this IP version. */
  async addAddress(port: PortRef, version: 4 | 6): Promise<void> {
    const { fixed_ips } = (await this.client.neutron("GET", `/ports/${port.id}`)).port;
    await this.setPort(port, { fixed_ips: [...fixed_ips, { subnet_id: await this.#subnet(port.network, version) }] });
  }

  async #subnet(network: string, version: 4 | 6): Promise<string> {
    const path = `/subnets?network_id=${this.#networks.get(network)}&ip_version=${version}`;
    return (await this.client.neutron("GET", path)).subnets[0].id;
  }

  async setPort(port: PortRef, changes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.client.neutron("PUT", `/ports/${port.id}`, { port: changes });
  }

  async deletePort(port: PortRef): Promise<void> {
    await this.client.neutron("DELETE", `/ports/${port.id}`);
  }

  /** Of a server. Later releases let nobody but an administrator do that. */
  async deletePortInUse(port: PortRef): Promise<void> {
    await (await this.#cloud.admin()).neutron("DELETE", `/ports/${port.id}`);
  }

  /** Gives the server one more port, of Nova's making or the user's own. */
  async attach(server: ServerRef, own?: PortRef): Promise<PortRef> {
    const what = own === undefined ? { net_id: this.#networks.get(this.network(0)) } : { port_id: own.id };
    const body = { interfaceAttachment: what };
    const answer = await this.client.nova("POST", `/servers/${server.id}/os-interface`, { body });
    return { id: answer.interfaceAttachment.port_id, network: this.network(0) };
  }

  /** Takes a port away, and waits until it belongs to the server no more. */
  async detach(server: ServerRef, port: PortRef): Promise<void> {
    await this.client.nova("DELETE", `/servers/${server.id}/os-interface/${port.id}`);
    await until(async () => {
      const { ports } = await this.client.neutron("GET", `/ports?device_id=${server.id}`);
      return !ports.some(({ id }: Answer) => id === port.id);
    }, LONG_MS);
  }

  async makeFloatingIp(port?: PortRef, fixed?: string): Promise<FloatingIpRef> {
    const floating_network_id = this.#cloud.inventory.publicNetwork;
    const on = { ...port && { port_id: port.id }, ...fixed && { fixed_ip_address: fixed } };
    const { floatingip } = await this.client.neutron("POST", "/floatingips", {
      floatingip: { floating_network_id, ...on },
    });
    return { id: floatingip.id, address: floatingip.floating_ip_address };
  }

  async setFloatingIp({ id }: FloatingIpRef, changes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.client.neutron("PUT", `/floatingips/${id}`, { floatingip: changes });
  }

  async deleteFloatingIp({ id }: FloatingIpRef): Promise<void> {
    await this.client.neutron("DELETE", `/floatingips/${id}`);
  }

  #form({ name, image = "debian-12", flavor = "m1.tiny", metadata = {}, description, zone }: Boot) {
    const { images, flavors } = this.#cloud.inventory;
    return {
      name,
      imageRef: images[image],
      flavorRef: flavors[flavor],
      metadata,
      ...description !== undefined && { description },
      ...zone !== undefined && { availability_zone: zone },
    };
  }

  #nic(nic: string | PortRef) {
    return typeof nic === "string" ? { uuid: this.#networks.get(nic) } : { port: nic.id };
  }
}
