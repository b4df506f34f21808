// What happens in an invented cloud: servers and floating IPs come, move and go.
import { SeededRandom } from "../support/random.ts";

/** A server with one port, as Nova and Neutron know it. */
export interface Server {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly portId: string;
  readonly mac: string;
  readonly fixedAddress: string;
  /** What Nova sends of it: `notification_format`. */
  readonly format: "unversioned" | "versioned" | "both";
}

/** What changes of a server. */
export interface ServerState {
  readonly name: string;
  readonly owner: string;
}

/** The state in which a server comes. */
export function firstState({ name }: Server): ServerState {
  return { name, owner: "first" };
}

export interface FloatingIp {
  readonly id: string;
  readonly address: string;
  readonly projectId: string;
}

/** One operation of a tenant. */
export type Operation =
  | { readonly op: "create server"; readonly server: Server }
  /** `portFirst`: whether Neutron's `port.delete.end` comes before Nova's message, as it does as a rule. */
  | { readonly op: "delete server"; readonly server: Server; readonly portFirst: boolean }
  /** Another name and owner: an update, sooner or later, or one together with the next changes. */
  | { readonly op: "change server"; readonly server: Server; readonly state: ServerState }
  | { readonly op: "create address"; readonly ip: FloatingIp; readonly server: Server | null }
  /** From another server, too: that is one message. */
  | { readonly op: "associate"; readonly ip: FloatingIp; readonly server: Server }
  | { readonly op: "disassociate"; readonly ip: FloatingIp }
  /** Another description: no event, though it looks like one. */
  | { readonly op: "edit address"; readonly ip: FloatingIp; readonly server: Server | null }
  | { readonly op: "delete address"; readonly ip: FloatingIp; readonly server: Server | null };

export interface CloudOptions {
  /** How many events the operations lead to. */
  readonly events: number;
  /** How many servers there are at most at one time. A new one takes the name and the fixed address of one that went. */
  readonly servers: number;
  /** The share of operations that change a server. */
  readonly changes: number;
  readonly random: SeededRandom;
}

/** Invents operations that lead to exactly so many events. */
export function inventOperations({ events, servers, changes, random }: CloudOptions): Operation[] {
  const cloud = new Cloud({ servers, changes, random });
  const operations: Operation[] = [];
  for (let left = events; left > 0;) {
    const operation = cloud.propose();
    const led = operation === null ? Infinity : cloud.eventsOf(operation);
    if (operation === null || led > left) continue;
    cloud.carryOut(operation);
    operations.push(operation);
    left -= led;
  }
  return operations;
}

/** How often each operation is proposed; the first of them that the random number reaches. */
const SHARES: readonly (readonly [Exclude<Operation["op"], "change server">, number])[] = [
  ["create server", 0.2],
  ["delete server", 0.12],
  ["create address", 0.12],
  ["associate", 0.32],
  ["disassociate", 0.13],
  ["edit address", 0.04],
  ["delete address", 0.07],
];

class Cloud {
  readonly #random: SeededRandom;
  readonly #free: number[];
  readonly #places = new Map<Server, number>();
  readonly #servers: Server[] = [];
  readonly #ips: FloatingIp[] = [];
  readonly #serverOf = new Map<FloatingIp, Server>();
  readonly #ipOf = new Map<Server, FloatingIp>();
  readonly #maxIps: number;
  readonly #changes: number;
  #changed = 0;

  constructor({ servers, changes, random }: Omit<CloudOptions, "events">) {
    this.#random = random;
    this.#changes = changes;
    this.#free = Array.from({ length: servers }, (_, place) => place);
    this.#maxIps = Math.ceil(servers * 0.7);
  }

  /** A random operation; `null` when the one drawn is not possible now. */
  propose(): Operation | null {
    const random = this.#random;
    if (this.#changes > 0 && random.chance(this.#changes)) return this.#proposeChange();
    let reach = random.next();
    const op = SHARES.find(([, share]) => (reach -= share) < 0)?.[0] ?? "associate";
    if (op === "create server") {
      return this.#free.length === 0 ? null : { op, server: this.#inventServer(random.pick(this.#free)) };
    }
    if (op === "create address") {
      if (this.#ips.length >= this.#maxIps) return null;
      return { op, ip: this.#inventIp(), server: random.chance(0.3) ? this.#serverWithoutIp() : null };
    }
    if (op === "delete server") {
      return this.#servers.length === 0
        ? null
        : { op, server: random.pick(this.#servers), portFirst: random.chance(0.8) };
    }
    if (this.#ips.length === 0) return null;
    const ip = random.pick(this.#ips);
    const server = this.#serverOf.get(ip) ?? null;
    if (op === "edit address" || op === "delete address") return { op, ip, server };
    if (op === "disassociate") return server === null ? null : { op, ip };
    const other = this.#serverWithoutIp();
    return other === null ? null : { op, ip, server: other };
  }

  eventsOf(operation: Operation): number {
    switch (operation.op) {
      case "create server":
        return 1;
      case "delete server":
        return this.#ipOf.has(operation.server) ? 2 : 1;
      case "create address":
        return operation.server === null ? 0 : 1;
      case "associate":
        return this.#serverOf.has(operation.ip) ? 2 : 1;
      case "edit address":
      case "change server":
        return 0;
      default:
        return this.#serverOf.has(operation.ip) ? 1 : 0;
    }
  }

  /** A server may change several times in a row. */
  #proposeChange(): Operation | null {
    if (this.#servers.length === 0) return null;
    const server = this.#random.pick(this.#servers);
    const number = ++this.#changed;
    return { op: "change server", server, state: { name: `${server.name}-${number}`, owner: `owner ${number % 7}` } };
  }

  carryOut(operation: Operation): void {
    switch (operation.op) {
      case "create server": {
        const place = placeOf(operation.server);
        this.#free.splice(this.#free.indexOf(place), 1);
        this.#places.set(operation.server, place);
        this.#servers.push(operation.server);
        break;
      }
      case "delete server": {
        this.#part(this.#ipOf.get(operation.server));
        this.#servers.splice(this.#servers.indexOf(operation.server), 1);
        this.#free.push(this.#places.get(operation.server)!);
        this.#places.delete(operation.server);
        break;
      }
      case "create address":
        this.#ips.push(operation.ip);
        if (operation.server !== null) this.#join(operation.ip, operation.server);
        break;
      case "associate":
        this.#part(operation.ip);
        this.#join(operation.ip, operation.server);
        break;
      case "disassociate":
        this.#part(operation.ip);
        break;
      case "delete address":
        this.#part(operation.ip);
        this.#ips.splice(this.#ips.indexOf(operation.ip), 1);
        break;
    }
  }

  #join(ip: FloatingIp, server: Server): void {
    this.#serverOf.set(ip, server);
    this.#ipOf.set(server, ip);
  }

  #part(ip: FloatingIp | undefined): void {
    if (ip === undefined) return;
    const server = this.#serverOf.get(ip);
    if (server !== undefined) this.#ipOf.delete(server);
    this.#serverOf.delete(ip);
  }

  /** Neutron refuses a second floating IP for a fixed address. */
  #serverWithoutIp(): Server | null {
    if (this.#servers.length === 0) return null;
    const server = this.#random.pick(this.#servers);
    return this.#ipOf.has(server) ? null : server;
  }

  #inventServer(place: number): Server {
    const format = this.#random.pick(["unversioned", "versioned", "both"] as const);
    return {
      id: crypto.randomUUID(),
      name: `crash-${place}`,
      projectId: PROJECTS[place % PROJECTS.length]!,
      portId: crypto.randomUUID(),
      mac: `fa:16:3e:${byte(place >> 8)}:${byte(place)}:${byte(this.#random.below(256))}`,
      fixedAddress: `10.20.${place >> 8}.${place & 255}`,
      format,
    };
  }

  /** An address that is free, which may have had another id before. */
  #inventIp(): FloatingIp {
    const taken = new Set(this.#ips.map(({ address }) => address));
    let address: string;
    do {
      const number = this.#random.below(this.#maxIps * 2);
      address = `198.51.${100 + (number >> 8)}.${number & 255}`;
    } while (taken.has(address));
    return { id: crypto.randomUUID(), address, projectId: this.#random.pick(PROJECTS) };
  }
}

const PROJECTS = ["4b1f4f2c1c9c4b2f8f0a6f1d2e3c4b5a", "c0ffee00c0ffee00c0ffee00c0ffee00"];

function placeOf({ name }: Server): number {
  return Number(name.slice("crash-".length));
}

function byte(value: number): string {
  return (value & 255).toString(16).padStart(2, "0");
}
