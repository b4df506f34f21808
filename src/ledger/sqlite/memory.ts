import { MAX_ITEMS } from "../../model/bounds.ts";
import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../../model/memory.ts";
import type { WritableMemory } from "../announcer.ts";
import type { Database, Statement } from "./database.ts";
import { ServerCache } from "./server_cache.ts";

/**
 * Column `changed` is a notification's number times this, plus the position of the row in it. A
 * body of at most 1 MiB cannot name more resources.
 */
const MAX_ROWS_PER_NOTIFICATION = 65536;

/**
 * Memory in the ledger file: what is known of servers, ports and floating IPs. Methods that write
 * run inside a transaction of the ledger.
 */
export class SqliteMemory implements WritableMemory {
  readonly #select: Readonly<Record<keyof Memory, Statement>>;
  readonly #learnServer: Statement;
  readonly #upsert: Readonly<Record<keyof MemoryChanges, Statement>>;
  /** `null`: servers are not cached. */
  #servers: ServerCache | null = null;

  constructor(database: Database) {
    this.#select = {
      server: database.prepare("SELECT data FROM server WHERE id = ?"),
      port: database.prepare("SELECT data FROM port WHERE id = ?"),
      floatingIp: database.prepare("SELECT data FROM floatingip WHERE id = ?"),
      portsOfServer: database.prepare(
        `SELECT data FROM port WHERE server_id = ? ORDER BY changed DESC LIMIT ${MAX_ITEMS}`,
      ),
      floatingIpsOnPort: database.prepare("SELECT data FROM floatingip WHERE port_id = ? ORDER BY changed"),
      floatingIpsOfServer: database.prepare("SELECT data FROM floatingip WHERE server_id = ? ORDER BY changed"),
    };
    this.#learnServer = database.prepare(upsert("server", ["data"]));
    this.#upsert = {
      servers: database.prepare(upsert("server", ["data", "deleted_at"])),
      ports: database.prepare(upsert("port", ["server_id", "changed", "data", "deleted_at"])),
      floatingIps: database.prepare(upsert("floatingip", ["port_id", "server_id", "changed", "data", "deleted_at"])),
    };
  }

  /** Keeps servers in memory: with changes followed, most messages are of the same few. */
  cacheServers(): void {
    this.#servers ??= new ServerCache();
  }

  /** To be called when what is cached may differ from the file. */
  forgetCached(): void {
    this.#servers?.clear();
  }

  server(id: string): ServerMemory | undefined {
    const cached = this.#servers?.get(id);
    if (cached !== undefined) return cached;
    const text = this.#select.server.get(id)?.["data"] as string | undefined;
    if (text === undefined) return undefined;
    const server: ServerMemory = JSON.parse(text);
    this.#servers?.put(server, text.length);
    return server;
  }

  port(id: string): PortMemory | undefined {
    return one<PortMemory>(this.#select.port, id);
  }

  floatingIp(id: string): FloatingIpMemory | undefined {
    return one<FloatingIpMemory>(this.#select.floatingIp, id);
  }

  portsOfServer(serverId: string): readonly PortMemory[] {
    return all<PortMemory>(this.#select.portsOfServer, serverId).toReversed();
  }

  floatingIpsOnPort(portId: string): readonly FloatingIpMemory[] {
    return all<FloatingIpMemory>(this.#select.floatingIpsOnPort, portId);
  }

  floatingIpsOfServer(serverId: string): readonly FloatingIpMemory[] {
    return all<FloatingIpMemory>(this.#select.floatingIpsOfServer, serverId);
  }

  /** Stores what was learned of a server. Column `deleted_at` stays as it is. */
  learn(server: ServerMemory): void {
    const text = JSON.stringify(server);
    this.#learnServer.run(server.id, text);
    this.#servers?.put(server, text.length);
  }

  /**
   * Notes times of statements, which are written with the next change of their server. Without a
   * later time, an older message could count: that takes a message that comes late, and a process
   * that has ended meanwhile.
   */
  note({ servers }: MemoryChanges): void {
    for (const server of servers) this.#servers?.replace(server);
  }

  /** Stores what was read from OpenStack, ordered before all changes by messages. */
  prime(changes: MemoryChanges, now: number): void {
    this.apply(changes, { seq: 0, now });
  }

  /** Stores the rows that notification `seq` changed. `seq` orders them by their last change. */
  apply(
    { servers, ports, floatingIps }: MemoryChanges,
    { seq, now }: { readonly seq: number; readonly now: number },
  ): void {
    let changed = seq * MAX_ROWS_PER_NOTIFICATION;
    for (const server of servers) {
      const text = JSON.stringify(server);
      this.#upsert.servers.run(server.id, text, server.deleted ? now : null);
      this.#servers?.put(server, text.length);
    }
    for (const port of ports) {
      const deletedAt = port.deleted ? now : null;
      this.#upsert.ports.run(port.id, port.lastServerId, changed++, JSON.stringify(port), deletedAt);
    }
    for (const floatingIp of floatingIps) {
      const { id, portId, association, deleted } = floatingIp;
      const serverId = association?.serverId ?? null;
      const deletedAt = deleted ? now : null;
      this.#upsert.floatingIps.run(id, portId, serverId, changed++, JSON.stringify(floatingIp), deletedAt);
    }
  }
}

/** SQL: inserts or updates a row; an update leaves it in its place, so its index stays as it is. */
function upsert(table: string, columns: readonly string[]): string {
  const values = columns.map((column) => `${column} = excluded.${column}`);
  return `INSERT INTO ${table} (id, ${columns.join(", ")}) VALUES (?${", ?".repeat(columns.length)})
    ON CONFLICT (id) DO UPDATE SET ${values.join(", ")}`;
}

function one<Row>(statement: Statement, id: string): Row | undefined {
  const row = statement.get(id);
  return row === undefined ? undefined : JSON.parse(row["data"] as string);
}

function all<Row>(statement: Statement, id: string): readonly Row[] {
  return statement.all(id).map((row) => JSON.parse(row["data"] as string));
}
