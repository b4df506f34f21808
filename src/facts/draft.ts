import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../model/memory.ts";

/** A write overlay on the memory for one decision: reads see the decision's own writes. */
export class Draft implements Memory {
  readonly #memory: Memory;
  readonly #servers = new Map<string, ServerMemory>();
  /**
   * Servers read from memory. Cached, since a message may need the same server for each resource
   * that it names.
   */
  readonly #known = new Map<string, ServerMemory | undefined>();
  readonly #ports: ChangedRows<PortMemory>;
  readonly #floatingIps: ChangedRows<FloatingIpMemory>;
  readonly #portsOfServer: RowsByOwner<PortMemory>;
  readonly #onPort: RowsByOwner<FloatingIpMemory>;
  readonly #ofServer: RowsByOwner<FloatingIpMemory>;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#portsOfServer = new RowsByOwner((port) => port.lastServerId, (id) => memory.portsOfServer(id));
    this.#onPort = new RowsByOwner((floatingIp) => floatingIp.portId, (id) => memory.floatingIpsOnPort(id));
    this.#ofServer = new RowsByOwner(
      ({ association }) => association?.serverId ?? null,
      (id) => memory.floatingIpsOfServer(id),
    );
    this.#ports = new ChangedRows([this.#portsOfServer]);
    this.#floatingIps = new ChangedRows([this.#onPort, this.#ofServer]);
  }

  server(id: string): ServerMemory | undefined {
    const drafted = this.#servers.get(id);
    if (drafted !== undefined) return drafted;
    if (!this.#known.has(id)) this.#known.set(id, this.#memory.server(id));
    return this.#known.get(id);
  }

  port(id: string): PortMemory | undefined {
    return this.#ports.get(id) ?? this.#memory.port(id);
  }

  floatingIp(id: string): FloatingIpMemory | undefined {
    return this.#floatingIps.get(id) ?? this.#memory.floatingIp(id);
  }

  portsOfServer(serverId: string): readonly PortMemory[] {
    return this.#portsOfServer.rowsOf(serverId, this.#ports);
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    return this.#onPort.rowsOf(portId, this.#floatingIps);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    return this.#ofServer.rowsOf(serverId, this.#floatingIps);
  }

  putServer(server: ServerMemory): void {
    this.#servers.set(server.id, server);
  }

  putPort(port: PortMemory): void {
    this.#ports.put(port);
  }

  putFloatingIp(floatingIp: FloatingIpMemory): void {
    this.#floatingIps.put(floatingIp);
  }

  /** Writes the changes of another decision. */
  put({ servers, ports, floatingIps }: MemoryChanges): void {
    for (const server of servers) this.putServer(server);
    for (const port of ports) this.putPort(port);
    for (const floatingIp of floatingIps) this.putFloatingIp(floatingIp);
  }

  changes(): MemoryChanges {
    return {
      servers: [...this.#servers.values()],
      ports: [...this.#ports.values()],
      floatingIps: [...this.#floatingIps.values()],
    };
  }
}

interface Row {
  readonly id: string;
}

/** The rows of one kind that the decision has written. */
class ChangedRows<Kind extends Row> {
  readonly #rows = new Map<string, Kind>();
  readonly #indexes: readonly RowsByOwner<Kind>[];

  constructor(indexes: readonly RowsByOwner<Kind>[]) {
    this.#indexes = indexes;
  }

  get(id: string): Kind | undefined {
    return this.#rows.get(id);
  }

  values(): Iterable<Kind> {
    return this.#rows.values();
  }

  put(row: Kind): void {
    const isFirst = !this.#rows.has(row.id);
    this.#rows.set(row.id, row);
    for (const index of this.#indexes) index.put(row, { isFirst });
  }
}

/**
 * The rows of one kind by their owner, as the ports of a server. Each list is read from memory
 * once: a message may need it for each resource that it names.
 */
class RowsByOwner<Kind extends Row> {
  readonly #ownerOf: (row: Kind) => string | null;
  readonly #stored: (owner: string) => readonly Kind[];
  /**
   * The rows of each requested owner: first those in memory, then those that the decision has
   * written.
   */
  readonly #rows = new Map<string, Map<string, Kind>>();

  constructor(ownerOf: (row: Kind) => string | null, stored: (owner: string) => readonly Kind[]) {
    this.#ownerOf = ownerOf;
    this.#stored = stored;
  }

  rowsOf(owner: string, drafted: ChangedRows<Kind>): readonly Kind[] {
    let rows = this.#rows.get(owner);
    if (rows === undefined) {
      const stored = this.#stored(owner).filter(({ id }) => drafted.get(id) === undefined);
      const written = [...drafted.values()].filter((row) => this.#ownerOf(row) === owner);
      rows = new Map([...stored, ...written].map((row) => [row.id, row]));
      this.#rows.set(owner, rows);
    }
    return [...rows.values()];
  }

  /**
   * Updates the lists after a row was written. At its first write, a row from memory moves to the
   * end.
   */
  put(row: Kind, { isFirst }: { readonly isFirst: boolean }): void {
    const owner = this.#ownerOf(row);
    for (const [listed, rows] of this.#rows) {
      if (isFirst || listed !== owner) rows.delete(row.id);
      if (listed === owner) rows.set(row.id, row);
    }
  }
}
