import type { WatcherEvent } from "../../../src/model/event.ts";
import type { Memory } from "../../../src/model/memory.ts";
import type { ModelCloud } from "./model_cloud.ts";

/** A rule that a run has broken. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** A comparison, and its times in ticks of the cloud. */
export interface Finding {
  /** On which ports the floating IPs were in memory. */
  readonly ports: ReadonlyMap<string, string | null>;
  readonly beganAt: number;
  /** Whether it saw all projects: a floating IP that it does not see may have left its port. */
  readonly seesAllProjects: boolean;
  /** When everything published had been decided, before its second readings. */
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
  /** Resources of which something was told. */
  readonly #told = new Set<string>();
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

  /** Hears the events of one decision. `finding`: a comparison tells them. */
  hear(events: readonly WatcherEvent[], finding: Finding | null): void {
    for (const event of events) this.#hear(event);
    if (finding !== null) { for (const event of events) this.#refuseFalse(event, finding); }
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
    this.#told.add(id);
    this.forgotten.delete(id);
  }

  /** The floating IPs of which memory has the newest revision, and that of the port: nothing is wrong about them. */
  upToDate(memory: Memory): readonly string[] {
    const { floatingIps, ports } = this.#cloud;
    return [...floatingIps.values()].filter(({ id, revision, port }) =>
      memory.floatingIp(id)?.revision === revision && this.associations.get(id) === this.#cloud.serverOf(id) &&
      (port === null || memory.port(port)?.revision === ports.get(port)?.revision)
    ).map(({ id }) => id);
  }

  /** An observation that is older than memory must not undo what was right. */
  checkStillRight(upToDate: readonly string[], { beganAt }: Finding): void {
    if (this.#cloud.restoredAt > beganAt) return;
    for (const id of upToDate) {
      const truth = this.#cloud.serverOf(id);
      if (this.associations.get(id) !== truth) {
        throw new Violation(`The floating IP ${id} was on ${truth}, as was told`);
      }
    }
  }

  /** The ledger was restored: of what it has forgotten, it cannot tell what has changed since. */
  noteRestore(memory: Memory): void {
    this.#wasRestored = true;
    for (const id of this.servers) if (memory.server(id) === undefined) this.forgotten.add(id);
    for (const id of new Set([...this.#told, ...this.associations.keys(), ...this.#cloud.floatingIps.keys()])) {
      const row = memory.floatingIp(id);
      const known = row?.association?.serverId ?? null;
      if (row?.primed) this.#untold.add(id);
      if (known !== (this.associations.get(id) ?? null)) this.forgotten.add(id);
    }
  }

  /** What a comparison tells must be so, unless it has changed since it was seen. */
  #refuseFalse(
    { key, created, floatingIp, server }: WatcherEvent,
    { ports, beganAt, settledAt, seesAllProjects }: Finding,
  ): void {
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
    // A beginning follows from a port, and from what a listing has shown of its floating IPs before.
    if (cloud.touchedAt(id) > (created ? beganAt : settledAt) || this.forgotten.has(id)) return;
    const truth = cloud.serverOf(id);
    // Old releases do not say together on which port it is, and on which server that port is: then it may seem to be on a port that has moved.
    if (created && seesAllProjects && cloud.portServerOf(id) !== server.id && !cloud.options.isOld) {
      throw new Violation(`False creation: ${key}, and it is on ${truth}`);
    }
    const isOn = truth === server.id && cloud.floatingIps.get(id)?.port === ports.get(id);
    if (!created && isOn) throw new Violation(`FALSE DELETION: ${key}, and it is on ${truth}`);
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
