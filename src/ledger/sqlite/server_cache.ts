import type { ServerMemory } from "../../model/memory.ts";

/** How many servers are cached. */
const MAX_SERVERS = 4000;
/** Characters of all cached rows: tenants write them, and must not fill the memory. */
const MAX_LENGTH = 8_388_608;

interface Cached {
  server: ServerMemory;
  /** Of its row, in characters. */
  readonly length: number;
}

/** Cache of servers' rows, by id: those that were read or written last. */
export class ServerCache {
  /** The one that was put longest ago comes first. */
  readonly #servers = new Map<string, Cached>();
  #length = 0;

  get(id: string): ServerMemory | undefined {
    return this.#servers.get(id)?.server;
  }

  put(server: ServerMemory, length: number): void {
    this.#delete(server.id);
    this.#servers.set(server.id, { server, length });
    this.#length += length;
    for (const id of this.#servers.keys()) {
      if (this.#servers.size <= MAX_SERVERS && this.#length <= MAX_LENGTH) break;
      this.#delete(id);
    }
  }

  /** Replaces a server that is cached; another is left as it is in the file. */
  replace(server: ServerMemory): void {
    const cached = this.#servers.get(server.id);
    if (cached !== undefined) cached.server = server;
  }

  clear(): void {
    this.#servers.clear();
    this.#length = 0;
  }

  #delete(id: string): void {
    this.#length -= this.#servers.get(id)?.length ?? 0;
    this.#servers.delete(id);
  }
}
