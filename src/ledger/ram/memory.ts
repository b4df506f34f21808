import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../../model/memory.ts";
import { IndexedRows } from "./indexed_rows.ts";

/** Memory in RAM, for the dry run. */
export class RamMemory implements Memory {
  readonly #servers = new IndexedRows<ServerMemory>({});
  readonly #ports = new IndexedRows({ server: ({ lastServerId }: PortMemory) => lastServerId });
  readonly #floatingIps = new IndexedRows({
    port: ({ portId }: FloatingIpMemory) => portId,
    server: ({ association }: FloatingIpMemory) => association?.serverId ?? null,
  });

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
    return this.#ports.by("server", serverId);
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    return this.#floatingIps.by("port", portId);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    return this.#floatingIps.by("server", serverId);
  }

  /** Writes rows. A changed row moves to the end, so that lists are ordered by the last change. */
  apply({ servers, ports, floatingIps }: MemoryChanges): void {
    this.#servers.write(servers);
    this.#ports.write(ports);
    this.#floatingIps.write(floatingIps);
  }
}
