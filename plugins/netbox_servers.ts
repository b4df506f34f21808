import type { Json } from "../mod.ts";
import { printable } from "../src/kit/mod.ts";
import { INTERFACES, MACHINES, type NetBoxApi, type NetBoxRow, type NetBoxValues } from "./netbox_api.ts";
import { Addresses, addressOf } from "./netbox_addresses.ts";
import type { WantedAddress, WantedServer } from "./netbox_content.ts";
import { type Attempt, isSame, Machines } from "./netbox_machines.ts";
import type { Mark } from "./netbox_mark.ts";
import { INTERFACE_TYPE, type Ports, PortsOfMachines } from "./netbox_ports.ts";

/** Options of {@linkcode NetBoxServers}. */
export interface ServersOptions {
  readonly mark: Mark;
  readonly adopts: boolean;
  readonly onDeletion: "delete" | "decommission" | "tag";
  readonly deletionTag: string;
}

/** How a server is written. */
export interface Putting extends Attempt {
  /** What was written last: only what differs from it is written. @default everything is written */
  readonly before?: WantedServer;
  /** Whether floating IPs that the server is not to have are removed. @default false */
  readonly repair?: boolean;
}

const GONE = "decommissioning";

/**
 * Servers in NetBox: a virtual machine, its interfaces and its addresses. Each request may be the
 * last one of an attempt: the next attempt reads what is there and does the rest.
 */
export class NetBoxServers {
  readonly #api: NetBoxApi;
  readonly #options: ServersOptions;
  readonly #machines: Machines;
  readonly #ports: PortsOfMachines;
  readonly #addresses: Addresses;

  constructor(api: NetBoxApi, options: ServersOptions) {
    this.#api = api;
    this.#options = options;
    this.#machines = new Machines(api, options.mark);
    this.#ports = new PortsOfMachines(api, options.mark);
    this.#addresses = new Addresses(api, options);
  }

  /** Writes a server that is there. */
  async put(server: WantedServer, { before, repair = false, ...attempt }: Putting): Promise<void> {
    for (const odd of server.odd) {
      attempt.tell(`an address is left out that is none: "${printable(odd, 60)}"`);
    }
    const machine = await this.#machines.find(server.id, attempt.signal);
    if (machine === null) {
      const made = await this.#machines.create(server, attempt);
      const primaries = await this.#network(made, server, { ...attempt, isNew: made["interface_count"] === 0, repair });
      await this.#machines.change(made, primaries, { ...attempt, server });
      return;
    }
    // An update never follows a deletion: then people have set the status.
    const isBack = before === undefined && this.isGone(machine);
    const values = before === undefined ? valuesOf(server) : changesOf(before, server);
    const isMoved = before === undefined || !isSameJson(networkOf(before), networkOf(server));
    const primaries = isMoved ? await this.#network(machine, server, { ...attempt, isNew: false, repair }) : {};
    await this.#machines.change(machine, { ...values, ...primaries, ...(isBack ? this.#back(machine, server) : {}) }, {
      ...attempt,
      server,
    });
  }

  /** Writes a floating IP of a server that is there. */
  async associate(id: string, floating: WantedAddress, attempt: Attempt): Promise<boolean> {
    const held = await this.#addresses.held(id, attempt.signal);
    const fixed = held.filter(isFixed);
    if (fixed.length === 0) {
      const machine = await this.#machines.find(id, attempt.signal);
      if (machine === null || this.isGone(machine)) return false;
    }
    await this.#addresses.claim([claimOf(floating, fixed)], { ...attempt, id, held, takesOver: true });
    return true;
  }

  /** Removes a floating IP of a server, if it has it. */
  async disassociate(id: string, floating: WantedAddress, { signal }: Attempt): Promise<boolean> {
    const held = await this.#addresses.find(id, floating, signal);
    const rows = held.filter((row) => addressOf(row) === floating.address && !isFixed(row));
    await this.#addresses.release(rows, signal);
    return rows.length > 0;
  }

  /** Removes a server, as the option `onDeletion` says. Its addresses are free in any case. */
  async remove(id: string, attempt: Attempt): Promise<void> {
    const { signal } = attempt;
    const machines = await this.#machines.all(id, signal);
    for (const machine of machines) await this.#remove(machine, id, attempt);
    if (machines.length === 0) await this.#addresses.release(await this.#addresses.held(id, signal), signal);
  }

  async #remove(machine: NetBoxRow, id: string, { signal, tell }: Attempt): Promise<void> {
    const { onDeletion, deletionTag } = this.#options;
    const held = await this.#addresses.held(id, signal);
    if (onDeletion === "delete") {
      const interfaces = await this.#api.all(INTERFACES, { virtual_machine_id: machine.id }, signal);
      const count = interfaces.reduce((sum, row) => sum + Number(row["count_ipaddresses"] ?? 0), 0);
      const isOn = (row: NetBoxRow) => interfaces.some(({ id }) => row["assigned_object_id"] === id);
      if (count <= held.filter(isOn).length) {
        // NetBox deletes the addresses on its interfaces with it.
        await this.#release(machine, held.filter((row) => !isOn(row) || this.#addresses.isAdopted(row)), signal);
        return await this.#api.remove(MACHINES, [machine.id], signal);
      }
      tell("the virtual machine is not deleted but decommissioned: it has addresses that others entered");
    }
    await this.#release(machine, held, signal);
    if (onDeletion !== "tag") {
      if (!isSame(machine["status"], GONE)) {
        await this.#api.change(MACHINES, [{ id: machine.id, status: GONE }], signal);
      }
      return;
    }
    const tags = tagsOf(machine);
    if (tags.includes(deletionTag)) return;
    await this.#api.change(
      MACHINES,
      [{ id: machine.id, tags: [...tags, deletionTag].map((slug) => ({ slug })) }],
      signal,
    );
  }

  /** Whether a virtual machine is that of a server that was deleted. */
  isGone(machine: NetBoxRow): boolean {
    return isSame(machine["status"], GONE) || tagsOf(machine).includes(this.#options.deletionTag);
  }

  /** The interfaces and addresses; gives the primary addresses that are to be written. */
  async #network(
    machine: NetBoxRow,
    server: WantedServer,
    { isNew, repair, ...attempt }: Attempt & { readonly isNew: boolean; readonly repair: boolean },
  ): Promise<NetBoxValues> {
    const { id } = server;
    const { signal } = attempt;
    const interfaces = isNew ? [] : await this.#ports.held(machine, id, signal);
    const held = isNew ? [] : await this.#addresses.held(id, signal);
    const ports = await this.#ports.fill(machine, server, { ...attempt, held: interfaces });
    const claims = server.fixed.map((address) => ({ address, values: assignedTo(address, ports) }));
    const fixed = await this.#addresses.claim(claims, { ...attempt, id, held });
    const floating = server.floating.map((address) => claimOf(address, fixed));
    const kept = [...fixed, ...await this.#addresses.claim(floating, { ...attempt, id, held })];
    const isKept = (row: NetBoxRow) => kept.some((one) => one.id === row.id) || !isFixed(row) && !repair;
    const left = held.filter((row) => !isKept(row));
    await this.#release(machine, left, signal);
    const used = new Set([...ports.values()].map((row) => row.id));
    await this.#ports.remove(interfaces.filter((row) => !used.has(row.id)), { ...attempt, addresses: held });
    // The first address of each family, unless people have chosen another.
    const isFree = (field: string) =>
      (machine[field] ?? null) === null || left.some((row) => isSame(machine[field], row.id));
    const primaries = ([4, 6] as const).map((family) => {
      const first = server.fixed.find((one) => one.version === family && fixed.some((row) => isAt(row, one)));
      return [`primary_ip${family}`, fixed.find((row) => first !== undefined && isAt(row, first))?.id] as const;
    });
    return Object.fromEntries(
      primaries.flatMap(([field, id]) => id !== undefined && isFree(field) ? [[field, id]] : []),
    );
  }

  /** An adopted address cannot be freed while it is the primary one of the virtual machine. */
  async #release(machine: NetBoxRow, rows: readonly NetBoxRow[], signal: AbortSignal): Promise<void> {
    const fields = ["primary_ip4", "primary_ip6"].filter((field) =>
      rows.some((row) => this.#addresses.isAdopted(row) && isSame(machine[field], row.id))
    );
    const emptied = Object.fromEntries(fields.map((field) => [field, null]));
    if (fields.length > 0) await this.#api.change(MACHINES, [{ ...emptied, id: machine.id }], signal);
    await this.#addresses.release(rows, signal);
  }

  /** What ends the deletion of a server that is there again. */
  #back(machine: NetBoxRow, { fields }: WantedServer): NetBoxValues {
    const tags = tagsOf(machine).filter((slug) => slug !== this.#options.deletionTag);
    return {
      ...(isSame(machine["status"], GONE) ? { status: fields["status"] ?? "active" } : {}),
      ...(tags.length < tagsOf(machine).length ? { tags: tags.map((slug) => ({ slug })) } : {}),
    };
  }
}

/** Fixed addresses are assigned to an interface; a floating IP leads to one. */
export function isFixed(row: NetBoxRow): boolean {
  return row["assigned_object_id"] !== null && row["assigned_object_id"] !== undefined;
}

function isAt(row: NetBoxRow, { address }: WantedAddress): boolean {
  return addressOf(row) === address;
}

function assignedTo({ mac }: WantedAddress, ports: Ports): NetBoxValues {
  return { assigned_object_type: INTERFACE_TYPE, assigned_object_id: ports.get(mac)?.id ?? null };
}

/** Without a word of the fixed address, it is the only one that there is. */
function claimOf(address: WantedAddress, fixed: readonly NetBoxRow[]) {
  const known = fixed.find((row) => addressOf(row) === address.inside);
  const only = address.inside === null && fixed.length === 1 ? fixed[0] : undefined;
  return { address, values: { nat_inside: (known ?? only)?.id ?? null } };
}

function tagsOf(machine: NetBoxRow): readonly string[] {
  const tags = Array.isArray(machine["tags"]) ? machine["tags"] : [];
  return tags.map((tag) => String(tag?.slug));
}

function valuesOf({ name, fields, references }: WantedServer): NetBoxValues {
  return { name, ...fields, ...references };
}

function changesOf(before: WantedServer, server: WantedServer): NetBoxValues {
  const old = valuesOf(before);
  return Object.fromEntries(
    Object.entries(valuesOf(server)).filter(([field, value]) => !isSameJson(old[field], value)),
  );
}

function networkOf({ ports, fixed, floating }: WantedServer): Json {
  return JSON.parse(JSON.stringify({ ports, fixed, floating }));
}

function isSameJson(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
