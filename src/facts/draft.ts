import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../model/memory.ts";

/** Memory with the changes of one decision laid over it: what the decision has written, it reads. */
export class Draft implements Memory {
  readonly #memory: Memory;
  readonly #servers = new Map<string, ServerMemory>();
  readonly #ports = new Map<string, PortMemory>();
  readonly #floatingIps = new Map<string, FloatingIpMemory>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  server(id: string): ServerMemory | undefined {
    return this.#servers.get(id) ?? this.#memory.server(id);
  }

  port(id: string): PortMemory | undefined {
    return this.#ports.get(id) ?? this.#memory.port(id);
  }

  floatingIp(id: string): FloatingIpMemory | undefined {
    return this.#floatingIps.get(id) ?? this.#memory.floatingIp(id);
  }

  portsOfServer(serverId: string): readonly PortMemory[] {
    return overlaid(this.#memory.portsOfServer(serverId), this.#ports, (port) => port.lastServerId === serverId);
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    return overlaid(this.#memory.floatingIpsOnPort(portId), this.#floatingIps, (ip) => ip.portId === portId);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    const stored = this.#memory.floatingIpsOfServer(serverId);
    return overlaid(stored, this.#floatingIps, (ip) => ip.association?.serverId === serverId);
  }

  putServer(server: ServerMemory): void {
    this.#servers.set(server.id, server);
  }

  putPort(port: PortMemory): void {
    this.#ports.set(port.id, port);
  }

  putFloatingIp(floatingIp: FloatingIpMemory): void {
    this.#floatingIps.set(floatingIp.id, floatingIp);
  }

  changes(): MemoryChanges {
    return {
      servers: [...this.#servers.values()],
      ports: [...this.#ports.values()],
      floatingIps: [...this.#floatingIps.values()],
    };
  }
}

function overlaid<Row extends { readonly id: string }>(
  stored: readonly Row[],
  drafted: ReadonlyMap<string, Row>,
  belongs: (row: Row) => boolean,
): readonly Row[] {
  if (drafted.size === 0) return stored;
  return [...stored.filter((row) => !drafted.has(row.id)), ...[...drafted.values()].filter(belongs)];
}
