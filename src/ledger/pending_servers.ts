import { isDue } from "./update_times.ts";

/** A server that has changed. */
interface PendingServer {
  readonly dueAt: number;
  /** The order keys of what was announced of it last, as hashes: what its update may release. */
  readonly orderKeys: ReadonlySet<number>;
}

/** Servers that have changed, by id, by time and by the order keys that their updates may release. */
export class PendingServers {
  readonly #servers = new Map<string, PendingServer>();
  readonly #byKey = new Map<number, Set<string>>();
  /** The earliest due time; `null`: to be looked for. */
  #earliest: number | null = Infinity;

  get size(): number {
    return this.#servers.size;
  }

  has(serverId: string): boolean {
    return this.#servers.has(serverId);
  }

  set(serverId: string, server: PendingServer): void {
    this.delete(serverId);
    this.#servers.set(serverId, server);
    for (const key of server.orderKeys) {
      const holders = this.#byKey.get(key);
      if (holders === undefined) this.#byKey.set(key, new Set([serverId]));
      else holders.add(serverId);
    }
    if (this.#earliest !== null) this.#earliest = Math.min(this.#earliest, server.dueAt);
  }

  /** Returns whether it was there. */
  delete(serverId: string): boolean {
    const server = this.#servers.get(serverId);
    if (server === undefined) return false;
    this.#servers.delete(serverId);
    for (const key of server.orderKeys) {
      const holders = this.#byKey.get(key);
      holders?.delete(serverId);
      if (holders?.size === 0) this.#byKey.delete(key);
    }
    if (server.dueAt === this.#earliest) this.#earliest = null;
    return true;
  }

  /** The earliest due time; `Infinity`: there is none. */
  earliest(): number {
    if (this.#earliest === null) {
      this.#earliest = Infinity;
      for (const { dueAt } of this.#servers.values()) this.#earliest = Math.min(this.#earliest, dueAt);
    }
    return this.#earliest;
  }

  /** Servers whose changes have settled, at most `limit`. */
  due(limit: number, when: { readonly now: number; readonly settleMs: number }): readonly string[] {
    const due: string[] = [];
    if (!isDue(this.earliest(), when)) return due;
    for (const [serverId, { dueAt }] of this.#servers) {
      if (due.length >= limit) break;
      if (isDue(dueAt, when)) due.push(serverId);
    }
    return due;
  }

  /** The servers that hold one of these order keys. */
  holding(orderKeys: readonly number[]): ReadonlySet<string> {
    const holders = new Set<string>();
    for (const key of orderKeys) for (const serverId of this.#byKey.get(key) ?? []) holders.add(serverId);
    return holders;
  }
}
