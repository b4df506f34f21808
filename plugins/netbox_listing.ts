import type { DeliveredEvent, ListedResource } from "../mod.ts";
import { fingerprint } from "../src/kit/mod.ts";
import { addressOf } from "./netbox_addresses.ts";
import {
  ADDRESSES,
  INTERFACES,
  MACHINES,
  type NetBoxApi,
  type NetBoxRow,
  type Query,
  WITHOUT_CONTEXT,
} from "./netbox_api.ts";
import { type ServerContent, serverId, stemOf, type WantedServer } from "./netbox_content.ts";
import type { Mark } from "./netbox_mark.ts";
import { macOf } from "./netbox_ports.ts";
import { isFixed, type NetBoxServers } from "./netbox_servers.ts";

/** What is compared of a server. What people may well change is left out: tenant, role, … */
interface Facts {
  name: string;
  sizes: readonly (number | null)[];
  macs: (string | null)[];
  /** With the MAC address of the port. */
  fixed: [address: string, mac: string | null][];
  /** With the fixed address that it leads to. */
  floating: [address: string, inside: string | null][];
  /** Whether it has a primary IPv4 and IPv6. */
  primaries: readonly boolean[];
}

/** Servers as NetBox holds them, and as deliveries have written them. */
export class ServersListing {
  readonly #api: NetBoxApi;
  readonly #mark: Mark;
  readonly #servers: NetBoxServers;
  readonly #content: ServerContent;

  constructor(
    api: NetBoxApi,
    { mark, servers, content }: {
      readonly mark: Mark;
      readonly servers: NetBoxServers;
      readonly content: ServerContent;
    },
  ) {
    this.#api = api;
    this.#mark = mark;
    this.#servers = servers;
    this.#content = content;
  }

  /** The servers that are there, by their UUIDs, but for those that are only kept as deleted. */
  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    const all = new Map<string, Facts>();
    // People may set the status of a server that is there: it has addresses.
    const gone = new Map<string, NetBoxRow>();
    const of = (id: string) => all.get(id) ?? put(all, id, nothing());
    for await (const [machine, id] of this.#own(MACHINES, signal, WITHOUT_CONTEXT)) {
      if (this.#servers.isGone(machine)) gone.set(id, machine);
      else Object.assign(of(id), machineFacts(machine, id));
    }
    const macs = new Map<unknown, string | null>();
    const ports: (readonly [id: string, mac: string | null])[] = [];
    for await (const [row, id] of this.#own(INTERFACES, signal)) {
      macs.set(row.id, macOf(row));
      ports.push([id, macOf(row)]);
    }
    for await (const [row, id] of this.#own(ADDRESSES, signal)) {
      const machine = gone.get(id);
      if (machine !== undefined) Object.assign(of(id), machineFacts(machine, id));
      if (isFixed(row)) of(id).fixed.push([addressOf(row), macs.get(row["assigned_object_id"]) ?? null]);
      else of(id).floating.push([addressOf(row), insideOf(row)]);
    }
    for (const [id, mac] of ports) {
      if (all.has(id) || !gone.has(id)) of(id).macs.push(mac);
    }
    for (const [id, facts] of all) yield await listed(id, facts);
  }

  /** What is to be there of one server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    let server: WantedServer | null = null;
    const floating = new Map<string, string | null>();
    for (const { subject, created, detail } of delivered) {
      if (subject === "server") {
        server = created ? this.#content.of(detail) : null;
        if (server === null) floating.clear();
        for (const { address, inside } of server?.floating ?? []) floating.set(address, inside);
        continue;
      }
      const one = this.#content.floatingOf(detail);
      if (server === null || one === null) continue;
      if (created) floating.set(one.address, one.inside);
      else floating.delete(one.address);
    }
    const [first] = delivered;
    if (server === null || first === undefined) return [];
    return [await listed(serverId(first.detail), wantedFacts(server, floating))];
  }

  async *#own(
    path: string,
    signal: AbortSignal,
    query: Query = {},
  ): AsyncGenerator<readonly [NetBoxRow, string], void> {
    for await (const page of this.#api.pages(path, { ...this.#mark.any, ...query }, signal)) {
      for (const row of page) {
        const id = this.#mark.serverOf(row);
        if (id !== null) yield [row, id];
      }
    }
  }
}

function nothing(): Facts {
  return { name: "", sizes: [], macs: [], fixed: [], floating: [], primaries: [] };
}

function machineFacts(machine: NetBoxRow, id: string): Pick<Facts, "name" | "sizes" | "primaries"> {
  return {
    name: stemOf(String(machine["name"]), id),
    sizes: ["vcpus", "memory", "disk"].map((field) => numberOrNull(machine[field])),
    primaries: ["primary_ip4", "primary_ip6"].map((field) => (machine[field] ?? null) !== null),
  };
}

function wantedFacts(server: WantedServer, floating: ReadonlyMap<string, string | null>): Facts {
  const { id, name, fields, ports, fixed } = server;
  const only = fixed.length === 1 ? fixed[0]?.address ?? null : null;
  const held = (inside: string | null) => fixed.some(({ address }) => address === inside) ? inside : null;
  return {
    name: stemOf(name, id),
    sizes: ["vcpus", "memory", "disk"].map((field) => numberOrNull(fields[field])),
    macs: [...ports],
    fixed: fixed.map(({ address, mac }) => [address, mac]),
    floating: [...floating].map(([address, inside]) => [address, inside === null ? only : held(inside)]),
    primaries: [4, 6].map((family) => fixed.some(({ version }) => version === family)),
  };
}

async function listed(id: string, { macs, fixed, floating, ...facts }: Facts): Promise<ListedResource> {
  const sorted = [macs, fixed, floating].map((list) => list.map((one) => JSON.stringify(one)).sort());
  return { subject: "server", id, fingerprint: await fingerprint({ ...facts, sorted }) };
}

function insideOf(row: NetBoxRow): string | null {
  const inside = row["nat_inside"] as NetBoxRow | null;
  return inside === null ? null : addressOf(inside);
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function put(all: Map<string, Facts>, id: string, facts: Facts): Facts {
  all.set(id, facts);
  return facts;
}
