/**
 * Servers of a cloud, with their ports and floating IPs, and what Nova and Neutron publish of them.
 *
 * @module
 */

import {
  floatingIpMessage,
  type Format,
  type Message,
  novaMessages,
  portDeletion,
  portMessage,
  type Published,
} from "./messages.ts";

export interface ModelFlavor {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly rootGb: number;
  readonly ephemeralGb: number;
}

export interface ModelImage {
  readonly id: string;
  readonly distro: string | null;
  readonly version: string | null;
}

export interface ModelPort {
  readonly id: string;
  readonly mac: string;
  addresses: readonly string[];
  server: ModelServer | null;
  revision: number;
  /** Whether Nova made it, and deletes it with the server. */
  readonly isNovas: boolean;
}

export interface ModelServer {
  readonly id: string;
  name: string;
  hostname: string;
  description: string | null;
  metadata: Readonly<Record<string, string>>;
  flavor: ModelFlavor;
  image: ModelImage;
  host: string | null;
  zone: string | null;
  /** `vm_state` */
  state: string;
  /** In the order in which they were attached. */
  ports: ModelPort[];
}

export interface ModelFloatingIp {
  readonly id: string;
  readonly address: string;
  port: ModelPort | null;
  fixedAddress: string | null;
  revision: number;
}

const FLAVORS: readonly ModelFlavor[] = [
  { name: "m1.tiny", vcpus: 1, memoryMb: 512, rootGb: 1, ephemeralGb: 0 },
  { name: "m1.small", vcpus: 1, memoryMb: 2048, rootGb: 20, ephemeralGb: 0 },
  { name: "c2.large", vcpus: 4, memoryMb: 8192, rootGb: 40, ephemeralGb: 10 },
];
const IMAGES: readonly ModelImage[] = [
  { id: "image-debian", distro: "debian", version: "12" },
  { id: "image-ubuntu", distro: "ubuntu", version: null },
  { id: "image-bare", distro: null, version: null },
];
const HOSTNAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
const METADATA: readonly Readonly<Record<string, string>>[] = [
  {},
  { owner: "alice" },
  { Owner: "bob", additional_users: "carol, dave", environment_ci: "CI-1" },
  { application_name: "shop", description: "of the shop" },
];
const MAX_SERVERS = 4;
const STATES = ["active", "stopped", "paused", "suspended"];

/** One operation: its kind, and numbers that choose what it is about. */
export interface Act {
  readonly kind: number;
  readonly which: number;
  readonly value: number;
}

/** A cloud that only its operations change. */
export class ModelCloud {
  readonly servers: ModelServer[] = [];
  readonly floatingIps: ModelFloatingIp[] = [];
  /** Ports of users that are on no server. */
  readonly freePorts: ModelPort[] = [];
  /** Ids of servers that were deleted. */
  readonly deleted = new Set<string>();
  readonly published: Published[] = [];
  readonly #format: Format;
  #created = 0;

  constructor(format: Format) {
    this.#format = format;
  }

  /** Carries out one operation, if it is possible now. */
  act({ kind, which, value }: Act): void {
    const acts = [
      () => this.#create(value),
      () => this.#change(which, (server) => server.name = `Name ${value % 5}`),
      () => this.#change(which, (server) => server.hostname = this.#freeHostname(value) ?? server.hostname),
      () => this.#change(which, (server) => server.metadata = METADATA[value % METADATA.length]!),
      () => this.#change(which, (server) => server.description = value % 3 === 0 ? null : `room ${value % 3}`),
      () => this.#resize(which, value),
      () => this.#rebuild(which, value),
      () => this.#change(which, (server) => server.host = `host-${value % 3}`, "live_migration.post.dest.end"),
      () => this.#change(which, (server) => server.state = STATES[value % STATES.length]!),
      () => this.#shelve(which),
      () => this.#attach(which, value),
      () => this.#detach(which, value),
      () => this.#readdress(which, value),
      () => this.#associate(which, value),
      () => this.#associate(which, value),
      () => this.#disassociate(value),
      () => this.#swapHostnames(which, value),
      () => this.#delete(which),
    ];
    acts[kind % acts.length]!();
  }

  #server(which: number): ModelServer | undefined {
    return this.servers[which % Math.max(1, this.servers.length)];
  }

  #create(value: number): void {
    if (this.servers.length >= MAX_SERVERS) return;
    const hostname = this.#freeHostname(value);
    if (hostname === undefined) return;
    const server: ModelServer = {
      id: `s${++this.#created}`,
      name: hostname,
      hostname,
      description: value % 4 === 0 ? "as it came" : null,
      metadata: METADATA[value % METADATA.length]!,
      flavor: FLAVORS[value % FLAVORS.length]!,
      image: IMAGES[value % IMAGES.length]!,
      host: "host-0",
      zone: "zone-1",
      state: "active",
      ports: [],
    };
    this.servers.push(server);
    for (let ports = value % 3; ports > 0; ports--) this.#give(server, this.#newPort(value + ports, true));
    this.#tell(server, "update");
    this.#tell(server, "create.end");
  }

  #change(which: number, change: (server: ModelServer) => void, operation = "update"): void {
    const server = this.#server(which);
    if (server === undefined) return;
    change(server);
    this.#tell(server, operation);
  }

  /** Nova rebuilds no shelved server. */
  #rebuild(which: number, value: number): void {
    const server = this.#server(which);
    if (server === undefined || server.state === "shelved_offloaded") return;
    server.image = IMAGES[value % IMAGES.length]!;
    this.#tell(server, "rebuild.end");
  }

  #resize(which: number, value: number): void {
    const server = this.#server(which);
    if (server === undefined) return;
    server.flavor = FLAVORS[value % FLAVORS.length]!;
    server.state = "resized";
    this.#tell(server, "update");
    this.#tell(server, "finish_resize.end");
    server.state = "active";
    this.#tell(server, "resize.confirm.end");
  }

  #shelve(which: number): void {
    const server = this.#server(which);
    if (server === undefined) return;
    const isShelved = server.state === "shelved_offloaded";
    server.state = isShelved ? "active" : "shelved_offloaded";
    server.host = isShelved ? "host-1" : null;
    server.zone = isShelved ? "zone-1" : null;
    this.#tell(server, isShelved ? "unshelve.end" : "shelve_offload.end");
  }

  #attach(which: number, value: number): void {
    const server = this.#server(which);
    if (server === undefined || server.ports.length >= 3) return;
    const free = this.freePorts[value % Math.max(1, this.freePorts.length)];
    if (free === undefined) this.#give(server, this.#newPort(value, value % 2 === 0));
    else {
      this.freePorts.splice(this.freePorts.indexOf(free), 1);
      this.#give(server, free);
    }
    this.#tellVersioned(server, "interface_attach.end");
  }

  #detach(which: number, value: number): void {
    const server = this.#server(which);
    const port = server?.ports[value % Math.max(1, server.ports.length)];
    if (server === undefined || port === undefined) return;
    this.#release(port);
    this.#tellVersioned(server, "interface_detach.end");
  }

  /** One address more, one less, or another one; IPv6, too. */
  #readdress(which: number, value: number): void {
    const server = this.#server(which);
    const port = server?.ports[value % Math.max(1, server.ports.length)];
    if (port === undefined) return;
    const [first, ...others] = port.addresses;
    const address = this.#freeAddress(value);
    port.addresses = [
      () => [...port.addresses, address].slice(0, 3),
      () => others.length > 0 ? others : [address],
      () => [address, ...others],
      () => first === undefined ? [address] : [first],
    ][value % 4]!();
    for (const floatingIp of this.#floatingIpsOn(port)) {
      // Neutron refuses to take an address that has one.
      if (!port.addresses.includes(floatingIp.fixedAddress!)) {
        port.addresses = [floatingIp.fixedAddress!, ...port.addresses];
      }
    }
    this.#tellPort(port);
  }

  #associate(which: number, value: number): void {
    const port = this.#server(which)?.ports[0];
    const fixedAddress = port?.addresses.find((address) => !address.includes(":"));
    if (port === undefined || fixedAddress === undefined) return;
    if (this.#floatingIpsOn(port).some((one) => one.fixedAddress === fixedAddress)) return;
    let floatingIp = this.floatingIps[value % 3];
    if (floatingIp === undefined) {
      const number = this.floatingIps.length;
      const address = `203.0.113.${number}`;
      floatingIp = { id: `f${number}`, address, port: null, fixedAddress: null, revision: 0 };
      this.floatingIps.push(floatingIp);
    }
    Object.assign(floatingIp, { port, fixedAddress });
    this.#tellFloatingIp(floatingIp);
  }

  #disassociate(value: number): void {
    const floatingIp = this.floatingIps[value % Math.max(1, this.floatingIps.length)];
    if (floatingIp === undefined || floatingIp.port === null) return;
    Object.assign(floatingIp, { port: null, fixedAddress: null });
    this.#tellFloatingIp(floatingIp);
  }

  #swapHostnames(which: number, value: number): void {
    const [one, other] = [this.#server(which), this.#server(value)];
    if (one === undefined || other === undefined || one === other) return;
    [one.hostname, other.hostname] = [other.hostname, one.hostname];
    this.#tell(one, "update");
    this.#tell(other, "update");
  }

  #delete(which: number): void {
    const server = this.#server(which);
    if (server === undefined) return;
    for (const port of [...server.ports]) this.#release(port);
    server.state = "deleted";
    this.#tell(server, "update");
    this.#tell(server, "delete.end");
    this.servers.splice(this.servers.indexOf(server), 1);
    this.deleted.add(server.id);
  }

  #newPort(value: number, isNovas: boolean): ModelPort {
    const number = ++this.#created;
    const mac = `fa:16:3e:00:00:${number.toString(16).padStart(2, "0")}`;
    return { id: `p${number}`, mac, addresses: [this.#freeAddress(value)], server: null, revision: 0, isNovas };
  }

  #give(server: ModelServer, port: ModelPort): void {
    port.server = server;
    server.ports.push(port);
    this.#tellPort(port);
  }

  /** Takes a port off its server: one that Nova made is deleted, and its floating IPs are free again. */
  #release(port: ModelPort): void {
    const server = port.server!;
    server.ports.splice(server.ports.indexOf(port), 1);
    if (port.isNovas) {
      for (const floatingIp of this.#floatingIpsOn(port)) {
        Object.assign(floatingIp, { port: null, fixedAddress: null, revision: floatingIp.revision + 1 });
      }
      this.#publish(portDeletion(port));
      port.server = null;
    } else {
      port.server = null;
      this.freePorts.push(port);
      this.#tellPort(port);
    }
  }

  #floatingIpsOn(port: ModelPort): readonly ModelFloatingIp[] {
    return this.floatingIps.filter((floatingIp) => floatingIp.port === port);
  }

  #freeHostname(value: number): string | undefined {
    const taken = new Set(this.servers.map(({ hostname }) => hostname));
    const free = HOSTNAMES.filter((name) => !taken.has(name));
    return free[value % Math.max(1, free.length)];
  }

  #freeAddress(value: number): string {
    const ports = [...this.servers.flatMap(({ ports }) => ports), ...this.freePorts];
    const taken = new Set(ports.flatMap(({ addresses }) => addresses));
    const of = (number: number) => value % 3 === 0 ? `2001:db8::${number}` : `10.0.0.${number}`;
    let number = value % 4;
    while (taken.has(of(number))) number++;
    return of(number);
  }

  #tell(server: ModelServer, operation: string): void {
    for (const message of novaMessages(server, { operation, format: this.#format })) this.#publish(message);
  }

  #tellVersioned(server: ModelServer, operation: string): void {
    if (this.#format === "legacy") return;
    for (const message of novaMessages(server, { operation, format: "versioned" })) this.#publish(message);
  }

  #tellPort(port: ModelPort): void {
    port.revision++;
    this.#publish(portMessage(port));
  }

  #tellFloatingIp(floatingIp: ModelFloatingIp): void {
    floatingIp.revision++;
    this.#publish(floatingIpMessage(floatingIp));
  }

  /** Each message has a time of its own, some milliseconds after the one before it. */
  #publish(message: Message): void {
    const index = this.published.length;
    const time = new Date(Date.UTC(2026, 10, 21, 19) + 7 * index).toISOString();
    this.published.push({
      ...message,
      index,
      notification: { ...message.notification, messageId: `m${index}`, time },
    });
  }
}
