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
  readonly #wanted = { servers: new Set<string>(), ports: new Set<string>(), floatingIps: new Set<string>() };

  constructor(journal: Journal) {
    const map = <Value>() => new RevertibleMap<string, Value>(journal);
    [this.#servers, this.#ports, this.#floatingIps] = [map(), map(), map()];
    [this.#portsOf, this.#floatingIpsOn, this.#floatingIpsOf] = [map(), map(), map()];
    [this.#dirtyServers, this.#dirtyPorts, this.#dirtyFloatingIps] = [map(), map(), map()];
  }

  server(id: string): ServerMemory | undefined {
    return this.#cached(this.#servers, id, this.#wanted.servers) ?? undefined;
  }

  port(id: string): PortMemory | undefined {
    return this.#cached(this.#ports, id, this.#wanted.ports) ?? undefined;
  }

  floatingIp(id: string): FloatingIpMemory | undefined {
    return this.#cached(this.#floatingIps, id, this.#wanted.floatingIps) ?? undefined;
  }

  portsOfServer(serverId: string): readonly PortMemory[] {
    const ids = this.#cached(this.#portsOf, serverId, this.#wanted.servers);
    return ids.slice(-MAX_ITEMS).flatMap((id) => this.port(id) ?? []);
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    const ids = this.#cached(this.#floatingIpsOn, portId, this.#wanted.ports);
    return ids.flatMap((id) => this.floatingIp(id) ?? []);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    const ids = this.#cached(this.#floatingIpsOf, serverId, this.#wanted.servers);
    return ids.flatMap((id) => this.floatingIp(id) ?? []);
  }

  /** Notes what is asked for, instead of throwing: answers that nothing is there. */
  get probe(): Memory {
    const probed = <Found>(ask: () => Found, none: Found): Found => {
      try {
        return ask();
      } catch (error) {
        if (error instanceof MemoryNotRead) return none;
        throw error;
      }
    };
    return {
      server: (id) => probed(() => this.server(id), undefined),
      port: (id) => probed(() => this.port(id), undefined),
      floatingIp: (id) => probed(() => this.floatingIp(id), undefined),
      portsOfServer: (id) => probed(() => this.portsOfServer(id), []),
      floatingIpsOnPort: (id) => probed(() => this.floatingIpsOnPort(id), []),
      floatingIpsOfServer: (id) => probed(() => this.floatingIpsOfServer(id), []),
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
    const rows = await queries.rows(READ, [servers, ports, floatingIps].map((ids) => ids.map(plain).join(SEPARATOR)));
    const found = Map.groupBy(rows, ({ kind }) => kind as Kind);
    put(this.#servers, [found.get("server")]);
    put(this.#ports, [found.get("port"), found.get("port of server")]);
    put(this.#floatingIps, [found.get("floating IP"), found.get("of port"), found.get("of server")]);
    for (const id of servers) {
      if (!this.#servers.has(id)) this.#servers.put(id, null);
      if (!this.#portsOf.has(id)) {
        this.#portsOf.put(id, listed(found.get("port of server"), id, this.#dirtyPorts, (port) => port.lastServerId));
      }
      if (!this.#floatingIpsOf.has(id)) {
        const serverOf = ({ association }: FloatingIpMemory) => association?.serverId ?? null;
        this.#floatingIpsOf.put(id, listed(found.get("of server"), id, this.#dirtyFloatingIps, serverOf));
      }
    }
    for (const id of ports) {
      if (!this.#ports.has(id)) this.#ports.put(id, null);
      if (!this.#floatingIpsOn.has(id)) {
        this.#floatingIpsOn.put(id, listed(found.get("of port"), id, this.#dirtyFloatingIps, ({ portId }) => portId));
      }
    }
    for (const id of floatingIps) if (!this.#floatingIps.has(id)) this.#floatingIps.put(id, null);
  }

  /** The columns of servers that were changed, of those that were completed, of ports and floating IPs. */
  dirty(): { readonly [kind in "changed" | "learned" | "ports" | "floatingIps"]: Columns } {
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
    return { changed, learned, ports, floatingIps };
  }

  /** What was changed is written. Empties a cache that is too large. */
  written(): void {
    for (const dirty of [this.#dirtyServers, this.#dirtyPorts, this.#dirtyFloatingIps]) dirty.clear();
    if (this.#servers.size + this.#ports.size + this.#floatingIps.size <= MAX_ROWS) return;
    for (const rows of [this.#servers, this.#ports, this.#floatingIps]) rows.clear();
    for (const ids of [this.#portsOf, this.#floatingIpsOn, this.#floatingIpsOf]) ids.clear();
  }

  #cached<Value>(map: ReadonlyMap<string, Value>, id: string, wanted: Set<string>): Value {
    const value = map.get(id);
    if (value !== undefined) return value;
    wanted.add(id);
    throw new MemoryNotRead(`The row of ${id} has to be read first`);
  }
}

/** What a row was read for. */
type Kind = "server" | "port" | "port of server" | "floating IP" | "of port" | "of server";

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

/** The ids of the rows of a server or a port, with what was changed and is not written yet. */
function listed<Kept extends { readonly id: string }>(
  found: readonly Row[] = [],
  of: string,
  dirty: ReadonlyMap<string, Dirty<Kept>>,
  ownerOf: (row: Kept) => string | null,
): Ids {
  const ids = found.filter((row) => row["of"] === plain(of)).map(({ id }) => original(id as string));
  const written = ids.filter((id) => !dirty.has(id));
  const changed = [...dirty.values()].filter(({ row }) => ownerOf(row) === of);
  changed.sort((one, other) => one.changed - other.changed);
  return [...written, ...changed.map(({ row }) => row.id)];
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

/** SQL: the rows of `table` for each of a list of owners, the last 256 that changed. */
function ofOwners(
  kind: Kind,
  table: string,
  { column, parameter }: { readonly column: string; readonly parameter: number },
): string {
  return `SELECT '${kind}' AS kind, found.id, owner.id AS of, found.changed, found.data
    FROM unnest(string_to_array($${parameter}, E'\\x1e')) AS owner (id)
    CROSS JOIN LATERAL (SELECT id, changed, data FROM ${table} WHERE ${column} = owner.id ORDER BY changed DESC LIMIT ${MAX_ITEMS}) AS found`;
}

function byIds(kind: Kind, table: string, parameter: number): string {
  return `SELECT '${kind}' AS kind, id, NULL AS of, 0 AS changed, data FROM ${table} WHERE id = ANY(string_to_array($${parameter}, E'\\x1e'))`;
}

const READ = `${byIds("server", "server", 1)}
  UNION ALL ${byIds("port", "port", 2)}
  UNION ALL ${byIds("floating IP", "floatingip", 3)}
  UNION ALL ${ofOwners("port of server", "port", { column: "server_id", parameter: 1 })}
  UNION ALL ${ofOwners("of server", "floatingip", { column: "server_id", parameter: 1 })}
  UNION ALL ${ofOwners("of port", "floatingip", { column: "port_id", parameter: 2 })}
  ORDER BY changed`;
