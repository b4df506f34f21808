import type { WatcherEvent } from "../../../src/model/event.ts";
import type { Memory } from "../../../src/model/memory.ts";
import type { ModelCloud } from "./model_cloud.ts";

/** A rule that a run has broken. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** When a comparison began, and when everything published had been decided before its second readings: in ticks of the cloud. */
export interface SeenAt {
  readonly beganAt: number;
  readonly settledAt: number;
}

/**
 * What a target believes: it does as it is told, in order, and ignores an event whose key it knows. It checks each event against the cloud, and
 * against what it was told before.
 */
export class Receiver {
  readonly servers: Set<string>;
  /** The server of each associated floating IP. */
  readonly associations = new Map<string, string>();
  /** What a restored ledger has forgotten and not told of since: nothing can repair that. */
  readonly forgotten = new Set<string>();
  /** Floating IPs of which nothing has been told yet: what was before the ledger began may be told once more. */
  readonly #untold = new Set<string>();
  /** Ends of associations that comparisons have told, on a server on which the floating IP still is. */
  readonly #suspicions = new Map<string, { readonly key: string; readonly seenAt: number }>();
  readonly #deleted = new Set<string>();
  readonly #keys = new Map<string, string>();
  readonly #cloud: ModelCloud;
  readonly #note: (line: string) => void;
  #wasRestored = false;

  constructor(cloud: ModelCloud, note: (line: string) => void) {
    this.#cloud = cloud;
    this.#note = note;
    this.servers = new Set(
      [...cloud.servers.values()].filter(({ launchedAt }) => launchedAt !== null).map(({ id }) => id),
    );
    for (const id of cloud.floatingIps.keys()) {
      this.#untold.add(id);
      const server = cloud.serverOf(id);
      if (server !== null) this.associations.set(id, server);
    }
  }

  /** Hears the events of one decision. `seenAt`: a comparison tells them. */
  hear(events: readonly WatcherEvent[], seenAt: SeenAt | null): void {
    for (const event of events) this.#hear(event);
    if (seenAt !== null) { for (const event of events) this.#refuseFalse(event, seenAt); }
  }

  #hear(event: WatcherEvent): void {
    const { key, floatingIp, server } = event;
    const id = floatingIp?.id ?? server.id as string;
    const how = `server ${server.id}, ${event.origin ?? "bus"}, ${event.creationSeen ? "seen" : "unseen"}`;
    this.#note(`  told ${key} (${how})`);
    const content = JSON.stringify([event.subject, server.id]);
    const before = this.#keys.get(key);
    if (before !== undefined) {
      if (!this.#wasRestored) throw new Violation(`${key} was told twice`);
      if (before !== content) throw new Violation(`${key} was told of something else before`);
      return;
    }
    this.#keys.set(key, content);
    if (floatingIp === null) this.#hearServer(event, id);
    else this.#hearFloatingIp(event, id);
    this.forgotten.delete(id);
  }

  /** The ledger was restored: of what it has forgotten, it cannot tell what has changed since. */
  noteRestore(memory: Memory): void {
    this.#wasRestored = true;
    for (const id of this.servers) if (memory.server(id) === undefined) this.forgotten.add(id);
    for (const id of new Set([...this.associations.keys(), ...this.#cloud.floatingIps.keys()])) {
      const known = memory.floatingIp(id)?.association?.serverId ?? null;
      if (known !== (this.associations.get(id) ?? null)) this.forgotten.add(id);
    }
  }

  /** What a comparison tells must be so, unless it has changed since it was seen. */
  #refuseFalse({ key, created, floatingIp, server }: WatcherEvent, { beganAt, settledAt }: SeenAt): void {
    const cloud = this.#cloud;
    if (floatingIp === null) {
      const id = server.id as string;
      if (!created && cloud.isThere(id)) throw new Violation(`FALSE DELETION: ${key}, and the server is there`);
      if (created && !cloud.isThere(id) && cloud.touchedAt(id) <= settledAt) {
        throw new Violation(`False creation: ${key}`);
      }
      return;
    }
    const { id } = floatingIp;
    // Old releases do not say together on which port it is, and on which server that port.
    const seenAt = created && cloud.options.isOld ? beganAt : settledAt;
    if (cloud.touchedAt(id) > seenAt || this.forgotten.has(id)) return;
    const truth = cloud.serverOf(id);
    if (created && truth !== server.id) throw new Violation(`False creation: ${key}, and it is on ${truth}`);
    // It may have moved to another port of the same server: then the same comparison tells of a beginning, too.
    if (!created && truth === server.id) this.#suspicions.set(id, { key, seenAt });
  }

  /** Everything that a comparison has found was told. */
  checkSuspicions(): void {
    for (const [id, { key, seenAt }] of this.#suspicions) {
      const truth = this.#cloud.serverOf(id);
      if (this.#cloud.touchedAt(id) > seenAt || this.associations.get(id) === truth) continue;
      throw new Violation(`FALSE DELETION: ${key}, and it is on ${truth}`);
    }
    this.#suspicions.clear();
  }

  #hearServer({ created, key }: WatcherEvent, id: string): void {
    if (created) {
      if (this.servers.has(id) || this.#deleted.has(id)) throw new Violation(`${key}: it was told before`);
      this.servers.add(id);
      return;
    }
    this.servers.delete(id);
    this.#deleted.add(id);
  }

  /** Begins and ends alternate; an end whose beginning was not seen may be superfluous. */
  #hearFloatingIp({ created, key, server, creationSeen }: WatcherEvent, id: string): void {
    const held = this.associations.get(id) ?? null;
    if (!this.forgotten.has(id) && !this.#untold.delete(id)) {
      if (created && held !== null) throw new Violation(`${key}: it is on ${held}, as was told`);
      if (!created && creationSeen && held !== server.id) {
        throw new Violation(`${key}: an end on ${server.id}, and it was on ${held}, as was told`);
      }
    }
    if (created) this.associations.set(id, server.id as string);
    else this.associations.delete(id);
  }
}
