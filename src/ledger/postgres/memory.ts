import { MAX_ITEMS } from "../../model/bounds.ts";
import {
  type FloatingIpMemory,
  type Memory,
  type MemoryChanges,
  MemoryNotRead,
  type PortMemory,
  type ServerMemory,
} from "../../model/memory.ts";
import type { WritableMemory } from "../announcer.ts";
import type { Queries, Row } from "./client.ts";
import { Columns, original, plain, SEPARATOR } from "./columns.ts";
import { type Journal, RevertibleMap } from "./journal.ts";
import { type Kind, READ } from "./memory_query.ts";

/**
 * Column `changed` is a notification's number times this, plus the position of the row in it. A
 * body of at most 1 MiB cannot name more resources.
 */
const MAX_ROWS_PER_NOTIFICATION = 65536;

/** Rows in the cache; beyond, it begins anew. Some 2 KB each. */
const MAX_ROWS = 50_000;

/** A row to write, where it differs from memory. */
interface Dirty<Row> {
  readonly row: Row;
  /** Orders the rows of one server or port. */
  readonly changed: number;
  /** `undefined`: stays as it is. */
  readonly deletedAt: number | null | undefined;
}

type Ids = readonly string[];

/**
 * Memory on PostgreSQL, cached: rows that were asked for, what is not there included. Asking for
 * another row throws {@linkcode MemoryNotRead}; {@linkcode read} then reads all that was asked for.
 * Changes are noted in a journal, and written by the transaction of whoever made them.
 */
export class PostgresMemory implements WritableMemory {
  readonly #servers: RevertibleMap<string, ServerMemory | null>;
  readonly #ports: RevertibleMap<string, PortMemory | null>;
  readonly #floatingIps: RevertibleMap<string, FloatingIpMemory | null>;
  /** Ids of the rows of a server or a port, by their last change, ascending. */
  readonly #portsOf: RevertibleMap<string, Ids>;
  readonly #floatingIpsOn: RevertibleMap<string, Ids>;
  readonly #floatingIpsOf: RevertibleMap<string, Ids>;
  readonly #dirtyServers: RevertibleMap<string, Dirty<ServerMemory>>;
  readonly #dirtyPorts: RevertibleMap<string, Dirty<PortMemory>>;
  readonly #dirtyFloatingIps: RevertibleMap<string, Dirty<FloatingIpMemory>>;
  /** What was taken to be written, and may not be in the tables yet. */
  #takenPorts = new Map<string, Dirty<PortMemory>>();
  #takenFloatingIps = new Map<string, Dirty<FloatingIpMemory>>();
  readonly #wanted = { servers: new Set<string>(), ports: new Set<string>(), floatingIps: new Set<string>() };

  /** What is in the cache; what is not is noted, to be read. `null`: nothing is there. `undefined`: not known. */
  readonly #asked = {
    server: (id: string) => asked(this.#servers, id, this.#wanted.servers),
    port: (id: string) => asked(this.#ports, id, this.#wanted.ports),
    floatingIp: (id: string) => asked(this.#floatingIps, id, this.#wanted.floatingIps),
    portsOf: (serverId: string) => asked(this.#portsOf, serverId, this.#wanted.servers),
    floatingIpsOn: (portId: string) => asked(this.#floatingIpsOn, portId, this.#wanted.ports),
    floatingIpsOf: (serverId: string) => asked(this.#floatingIpsOf, serverId, this.#wanted.servers),
  };

  constructor(journal: Journal) {
    const map = <Value>() => new RevertibleMap<string, Value>(journal);
    [this.#servers, this.#ports, this.#floatingIps] = [map(), map(), map()];
    [this.#portsOf, this.#floatingIpsOn, this.#floatingIpsOf] = [map(), map(), map()];
    [this.#dirtyServers, this.#dirtyPorts, this.#dirtyFloatingIps] = [map(), map(), map()];
  }

  server(id: string): ServerMemory | undefined {
    return known(this.#asked.server(id), id) ?? undefined;
  }

  port(id: string): PortMemory | undefined {
    return known(this.#asked.port(id), id) ?? undefined;
  }

  floatingIp(id: string): FloatingIpMemory | undefined {
    return known(this.#asked.floatingIp(id), id) ?? undefined;
  }

  portsOfServer(serverId: string): readonly PortMemory[] {
    const ids = known(this.#asked.portsOf(serverId), serverId);
    return ids.slice(-MAX_ITEMS).flatMap((id) => this.port(id) ?? []);
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    const ids = known(this.#asked.floatingIpsOn(portId), portId);
    return ids.flatMap((id) => this.floatingIp(id) ?? []);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    const ids = known(this.#asked.floatingIpsOf(serverId), serverId);
    return ids.flatMap((id) => this.floatingIp(id) ?? []);
  }

  /** Notes what is asked for, instead of throwing: answers that nothing is there. */
  get probe(): Memory {
    const asked = this.#asked;
    const floatingIps = (ids: Ids = []) => ids.flatMap((id) => asked.floatingIp(id) ?? []);
    return {
      server: (id) => asked.server(id) ?? undefined,
      port: (id) => asked.port(id) ?? undefined,
      floatingIp: (id) => asked.floatingIp(id) ?? undefined,
      portsOfServer: (id) => (asked.portsOf(id) ?? []).slice(-MAX_ITEMS).flatMap((port) => asked.port(port) ?? []),
      floatingIpsOnPort: (id) => floatingIps(asked.floatingIpsOn(id)),
      floatingIpsOfServer: (id) => floatingIps(asked.floatingIpsOf(id)),
    };
  }

  /** Notes most of what a reader asks for, so that one query reads all of it. */
  askFor(reader: (memory: Memory) => unknown): void {
    try {
      reader(this.probe);
    } catch {
      // The reader itself will tell.
    }
  }

  learn(server: ServerMemory): void {
    const dirty = this.#dirtyServers.get(server.id);
    this.#dirtyServers.set(server.id, { changed: 0, deletedAt: undefined, ...dirty, row: server });
    this.#servers.set(server.id, server);
  }

  note({ servers }: MemoryChanges): void {
    for (const server of servers) if (this.#servers.has(server.id)) this.#servers.set(server.id, server);
  }

  apply(
    { servers, ports, floatingIps }: MemoryChanges,
    { seq, now }: { readonly seq: number; readonly now: number },
  ): void {
    let changed = seq * MAX_ROWS_PER_NOTIFICATION;
    for (const row of servers) {
      this.#servers.set(row.id, row);
      this.#dirtyServers.set(row.id, { row, changed: 0, deletedAt: row.deleted ? now : null });
    }
    for (const row of ports) {
      const { id, lastServerId } = row;
      move(this.#portsOf, id, { from: this.port(id)?.lastServerId, to: lastServerId });
      this.#ports.set(id, row);
      this.#dirtyPorts.set(id, { row, changed: changed++, deletedAt: row.deleted ? now : null });
    }
    for (const row of floatingIps) {
      const { id, portId, association } = row;
      const known = this.floatingIp(id);
      move(this.#floatingIpsOn, id, { from: known?.portId, to: portId });
      move(this.#floatingIpsOf, id, { from: known?.association?.serverId, to: association?.serverId });
      this.#floatingIps.set(id, row);
      this.#dirtyFloatingIps.set(id, { row, changed: changed++, deletedAt: row.deleted ? now : null });
    }
  }

  /** Whether something was asked for that has to be read. */
  get wantsMore(): boolean {
    return Object.values(this.#wanted).some(({ size }) => size > 0);
  }

  /** Reads all that was asked for, and what decisions ask for next: the ports of a server, and so on. */
  async read(queries: Queries): Promise<void> {
    const servers = taken(this.#wanted.servers);
    const ports = taken(this.#wanted.ports);
    const floatingIps = taken(this.#wanted.floatingIps);
    // What is being committed now may be in the answer, or not, though it is committed when that comes.
    const [takenPorts, takenFloatingIps] = [this.#takenPorts, this.#takenFloatingIps];
    const rows = await queries.rows(READ, [servers, ports, floatingIps].map((ids) => ids.map(plain).join(SEPARATOR)));
    const found = Map.groupBy(rows, ({ kind }) => kind as Kind);
    put(this.#servers, [found.get("server")]);
    put(this.#ports, [found.get("port"), found.get("port of server")]);
    put(this.#floatingIps, [found.get("floating IP"), found.get("of port"), found.get("of server")]);
    const changedPorts = new Map([...takenPorts, ...this.#dirtyPorts]);
    const changedFloatingIps = new Map([...takenFloatingIps, ...this.#dirtyFloatingIps]);
    const portsOf = listed(found.get("port of server"), changedPorts, ({ lastServerId }) => lastServerId);
    const floatingIpsOf = listed(
      found.get("of server"),
      changedFloatingIps,
      ({ association }) => association?.serverId ?? null,
    );
    const floatingIpsOn = listed(found.get("of port"), changedFloatingIps, ({ portId }) => portId);
    for (const id of servers) {
      if (!this.#servers.has(id)) this.#servers.put(id, null);
      if (!this.#portsOf.has(id)) this.#portsOf.put(id, portsOf(id));
      if (!this.#floatingIpsOf.has(id)) this.#floatingIpsOf.put(id, floatingIpsOf(id));
    }
    for (const id of ports) {
      if (!this.#ports.has(id)) this.#ports.put(id, null);
      if (!this.#floatingIpsOn.has(id)) this.#floatingIpsOn.put(id, floatingIpsOn(id));
    }
    for (const id of floatingIps) if (!this.#floatingIps.has(id)) this.#floatingIps.put(id, null);
  }

  /**
   * Takes what was changed, to be written: the columns of servers that were changed, of those that were
   * completed, of ports and floating IPs. What was taken before must be {@linkcode written}.
   */
  take(): { readonly [kind in "changed" | "learned" | "ports" | "floatingIps"]: Columns } {
    const [changed, learned, ports, floatingIps] = [new Columns(3), new Columns(2), new Columns(5), new Columns(6)];
    for (const [id, { row, deletedAt }] of this.#dirtyServers) {
      if (deletedAt === undefined) learned.add(plain(id), JSON.stringify(row));
      else changed.add(plain(id), JSON.stringify(row), deletedAt);
    }
    for (const [id, { row, changed, deletedAt = null }] of this.#dirtyPorts) {
      ports.add(plain(id), nullable(row.lastServerId), changed, JSON.stringify(row), deletedAt);
    }
    for (const [id, { row, changed, deletedAt = null }] of this.#dirtyFloatingIps) {
      const serverId = row.association?.serverId ?? null;
      floatingIps.add(plain(id), nullable(row.portId), nullable(serverId), changed, JSON.stringify(row), deletedAt);
    }
    [this.#takenPorts, this.#takenFloatingIps] = [new Map(this.#dirtyPorts), new Map(this.#dirtyFloatingIps)];
    for (const dirty of [this.#dirtyServers, this.#dirtyPorts, this.#dirtyFloatingIps]) dirty.clear();
    return { changed, learned, ports, floatingIps };
  }

  /** What was taken is written. */
  written(): void {
    [this.#takenPorts, this.#takenFloatingIps] = [new Map(), new Map()];
  }

  /** Whether the cache has more rows than it should: {@linkcode forget} is to be called when all is written. */
  get isLarge(): boolean {
    return this.#servers.size + this.#ports.size + this.#floatingIps.size > MAX_ROWS;
  }

  /** Empties the cache. */
  forget(): void {
    for (const rows of [this.#servers, this.#ports, this.#floatingIps]) rows.clear();
    for (const ids of [this.#portsOf, this.#floatingIpsOn, this.#floatingIpsOf]) ids.clear();
  }
}

function asked<Value>(cache: ReadonlyMap<string, Value>, id: string, wanted: Set<string>): Value | undefined {
  const value = cache.get(id);
  if (value === undefined) wanted.add(id);
  return value;
}

/** @throws {MemoryNotRead} when it is not known. */
function known<Value>(value: Value | undefined, id: string): Value {
  if (value === undefined) throw new MemoryNotRead(`The row of ${id} has to be read first`);
  return value;
}

function taken(wanted: Set<string>): readonly string[] {
  const ids = [...wanted];
  wanted.clear();
  return ids;
}

/** Adds rows that were read. What is in memory already may be newer: changed, and not written yet. */
function put<Kept extends { readonly id: string }>(
  cache: RevertibleMap<string, Kept | null>,
  found: readonly (readonly Row[] | undefined)[],
): void {
  for (const { data } of found.flatMap((rows) => rows ?? [])) {
    const row: Kept = JSON.parse(data as string);
    if (!cache.has(row.id)) cache.put(row.id, row);
  }
}

/** The ids of the rows of each server or port, with what was changed and may not be in the tables yet. */
function listed<Kept extends { readonly id: string }>(
  found: readonly Row[] = [],
  dirty: ReadonlyMap<string, Dirty<Kept>>,
  ownerOf: (row: Kept) => string | null,
): (owner: string) => Ids {
  const written = Map.groupBy(found, (row) => row["of"] as string);
  const changed = Map.groupBy(dirty.values(), ({ row }) => ownerOf(row));
  return (owner) => {
    const ids = (written.get(plain(owner)) ?? []).map(({ id }) => original(id as string)).filter((id) =>
      !dirty.has(id)
    );
    const latest = (changed.get(owner) ?? []).toSorted((one, other) => one.changed - other.changed);
    return [...ids, ...latest.map(({ row }) => row.id)];
  };
}

/** Moves a row from one list to the end of another; a list that was not read is left alone. */
function move(
  lists: RevertibleMap<string, Ids>,
  id: string,
  { from, to }: { readonly from: string | null | undefined; readonly to: string | null | undefined },
): void {
  const before = lists.get(from ?? "");
  if (typeof from === "string" && before !== undefined) lists.set(from, before.filter((each) => each !== id));
  const after = lists.get(to ?? "");
  if (typeof to === "string" && after !== undefined) lists.set(to, [...after, id]);
}

function nullable(text: string | null): string | null {
  return text === null ? null : plain(text);
}
