import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../../model/memory.ts";

/** Memory in RAM, for the dry run. */
export class RamMemory implements Memory {
  readonly #servers = new Map<string, ServerMemory>();
  readonly #ports = new Map<string, PortMemory>();
  readonly #floatingIps = new Map<string, FloatingIpMemory>();

  server(id: string): ServerMemory | undefined {
    return this.#servers.get(id);
  }

  port(id: string): PortMemory | undefined {
    return this.#ports.get(id);
  }

  floatingIp(id: string): FloatingIpMemory | undefined {
    return this.#floatingIps.get(id);
  }

  portsOfServer(serverId: string): readonly PortMemory[] {
    return [...this.#ports.values()].filter((port) => port.lastServerId === serverId);
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    return [...this.#floatingIps.values()].filter((floatingIp) => floatingIp.portId === portId);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    return [...this.#floatingIps.values()].filter(({ association }) => association?.serverId === serverId);
  }

  /** Writes rows. A changed row moves to the end, so that lists are ordered by the last change. */
  apply({ servers, ports, floatingIps }: MemoryChanges): void {
    replace(this.#servers, servers);
    replace(this.#ports, ports);
    replace(this.#floatingIps, floatingIps);
  }
}

function replace<Row extends { readonly id: string }>(rows: Map<string, Row>, changed: readonly Row[]): void {
  for (const row of changed) {
    rows.delete(row.id);
    rows.set(row.id, row);
  }
}
