import { DeliveryError } from "../mod.ts";
import { printable } from "../src/kit/mod.ts";
import { INTERFACES, MACS, type NetBoxApi, type NetBoxRow, RefusedError } from "./netbox_api.ts";
import { nameWithSuffix, type WantedServer } from "./netbox_content.ts";
import type { Attempt } from "./netbox_machines.ts";
import type { Mark } from "./netbox_mark.ts";

/** The type of an interface, as NetBox's API names it. */
export const INTERFACE_TYPE = "virtualization.vminterface";

/** A server's interfaces in NetBox by the MAC address, `null` for the one without. */
export type Ports = ReadonlyMap<string | null, NetBoxRow>;

/** The interfaces of virtual machines that are ours. They are found by their MAC addresses. */
export class PortsOfMachines {
  readonly #api: NetBoxApi;
  readonly #mark: Mark;

  constructor(api: NetBoxApi, mark: Mark) {
    this.#api = api;
    this.#mark = mark;
  }

  /** The interfaces of a virtual machine that are ours. */
  async held(machine: NetBoxRow, id: string, signal: AbortSignal): Promise<readonly NetBoxRow[]> {
    const query = { ...this.#mark.query(id), virtual_machine_id: machine.id };
    return this.#mark.own(await this.#api.all(INTERFACES, query, signal), id);
  }

  /** Makes the interfaces that are missing among those that are held. */
  async fill(
    machine: NetBoxRow,
    { id, ports }: WantedServer,
    { held, signal }: Attempt & { readonly held: readonly NetBoxRow[] },
  ): Promise<Ports> {
    const found = new Map(ports.map((mac) => [mac, held.find((row) => isPort(row, mac))]));
    const missing = ports.filter((mac) => found.get(mac) === undefined);
    const made = await this.#make(machine, { id, macs: missing, signal });
    for (const [index, mac] of missing.entries()) found.set(mac, made[index]);
    const rows = [...found].flatMap(([mac, row]) => row === undefined ? [] : [[mac, row] as const]);
    await this.#giveMacs(rows.filter(([mac, row]) => mac !== null && macOf(row) !== mac), signal);
    return new Map(rows);
  }

  /** Removes interfaces, but for those that hold addresses of others. */
  async remove(
    rows: readonly NetBoxRow[],
    { addresses, signal, tell }: Attempt & { readonly addresses: readonly NetBoxRow[] },
  ): Promise<void> {
    const ownOn = (row: NetBoxRow) => addresses.filter((one) => one["assigned_object_id"] === row.id).length;
    const isFree = (row: NetBoxRow) => Number(row["count_ipaddresses"] ?? 0) <= ownOn(row);
    for (const row of rows.filter((row) => !isFree(row))) {
      tell(`the interface "${printable(String(row["name"]), 80)}" stays: it has addresses that others entered`);
    }
    await this.#api.remove(INTERFACES, rows.filter(isFree).map((row) => row.id), signal);
  }

  /** A name that people gave to another interface gets a suffix. */
  async #make(
    machine: NetBoxRow,
    { id, macs, signal }: {
      readonly id: string;
      readonly macs: readonly (string | null)[];
      readonly signal: AbortSignal;
    },
  ): Promise<readonly NetBoxRow[]> {
    const rows = macs.map((mac) => ({
      virtual_machine: machine.id,
      name: nameOf(mac),
      ...(mac === null ? {} : { mac_address: mac }),
      ...this.#mark.of(id),
    }));
    try {
      return await this.#api.create(INTERFACES, rows, signal);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // An earlier attempt, whose answer was lost, may have come through meanwhile.
      const held = await this.held(machine, id, signal);
      if (held.some((row) => macs.some((mac) => isPort(row, mac)))) {
        throw new DeliveryError(error.message, { reason: "client_error", cause: error });
      }
      const renamed = rows.map((row, index) =>
        error.refusals.has(index) ? { ...row, name: nameWithSuffix(row.name, id) } : row
      );
      return await this.#api.create(INTERFACES, renamed, signal);
    }
  }

  /** NetBox before 4.7 takes no MAC address with an interface. */
  async #giveMacs(rows: readonly (readonly [string | null, NetBoxRow])[], signal: AbortSignal): Promise<void> {
    const wanted = rows.map(([mac, { id }]) => ({
      mac_address: mac,
      assigned_object_type: INTERFACE_TYPE,
      assigned_object_id: id,
    }));
    const made = await this.#api.create(MACS, wanted, signal);
    const primaries = rows.map(([, { id }], index) => ({ id, primary_mac_address: made[index]?.id ?? null }));
    await this.#api.change(INTERFACES, primaries, signal);
  }
}

/** The MAC address of an interface. */
export function macOf(row: NetBoxRow): string | null {
  const mac = row["mac_address"];
  return typeof mac === "string" && mac !== "" ? mac.toUpperCase() : null;
}

/** One without a MAC address is told by its name: an earlier attempt was to give it one. */
function isPort(row: NetBoxRow, mac: string | null): boolean {
  const held = macOf(row);
  return held === null ? String(row["name"]).startsWith(nameOf(mac)) : held === mac;
}

function nameOf(mac: string | null): string {
  return mac?.toLowerCase() ?? "port";
}
