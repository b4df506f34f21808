import type { DeliveredLedger, DeliveryRecord } from "../../model/delivered.ts";
import type { Subject } from "../../model/event.ts";
import { readRemembered, type Remembered } from "./remembered.ts";

/** Why a resource is not judged. */
export type Obstacle = "unfinished" | "given up" | "changing" | "unknown";

/**
 * The deliveries that say what a target holds of one server and its floating IPs, or of one
 * floating IP without a server.
 */
export interface DeliveredGroup {
  readonly serverId: string | null;
  /** The last event of the server itself; `null`: none was delivered. */
  readonly server: DeliveryRecord | null;
  /** The last event of each floating IP with this server, by the floating IP's id. */
  readonly floatingIps: ReadonlyMap<string, DeliveryRecord>;
  /** `null`: the deliveries say what the target must hold. */
  readonly obstacle: Obstacle | null;
}

/** What an audit reads, and when. */
export interface ReadingOptions {
  readonly ledger: Pick<DeliveredLedger, "deliveries" | "servers" | "floatingIps">;
  /** The plugin's name. */
  readonly plugin: string;
  /** Resources that the target listed: they are looked up in memory, too. */
  readonly listed: readonly { readonly subject: Subject; readonly id: string }[];
  /** When the listing of the target began, milliseconds since the epoch. */
  readonly listingBeganAt: number;
}

/** The deliveries of one plugin, by the resource that they are about. */
interface GroupedDeliveries {
  readonly through: number;
  readonly groups: ReadonlyMap<string, OpenGroup>;
  readonly lastOfFloatingIp: ReadonlyMap<string, DeliveryRecord>;
}

interface OpenGroup {
  readonly serverId: string | null;
  server: DeliveryRecord | null;
  readonly floatingIps: Map<string, DeliveryRecord>;
  isUnfinished: boolean;
}

/**
 * What the ledger says that a plugin delivered, by server. An event says all of its resource, so
 * the last one of each resource counts.
 */
export class DeliveryHistory {
  /** The number of the newest event that was read. */
  readonly through: number;
  readonly #groups: ReadonlyMap<string, OpenGroup>;
  /** The last event of each floating IP, whichever server had it. */
  readonly #lastOfFloatingIp: ReadonlyMap<string, DeliveryRecord>;
  /** What memory has of the resources, after the deliveries were read. */
  readonly remembered: Remembered;
  readonly #listingBeganAt: number;

  private constructor(grouped: GroupedDeliveries, remembered: Remembered, listingBeganAt: number) {
    this.through = grouped.through;
    this.#groups = grouped.groups;
    this.#lastOfFloatingIp = grouped.lastOfFloatingIp;
    this.remembered = remembered;
    this.#listingBeganAt = listingBeganAt;
  }

  /** Reads the deliveries of a plugin, then what is remembered of their resources. */
  static async read({ ledger, plugin, listed, listingBeganAt }: ReadingOptions): Promise<DeliveryHistory> {
    const grouped = await grouping(ledger.deliveries(plugin));
    const servers = new Set(listed.filter(({ subject }) => subject === "server").map(({ id }) => id));
    const floatingIps = new Set(listed.filter(({ subject }) => subject === "floatingip").map(({ id }) => id));
    for (const { server } of grouped.groups.values()) if (server?.created) servers.add(server.serverId ?? "");
    for (const [id, { created }] of grouped.lastOfFloatingIp) if (created) floatingIps.add(id);
    const remembered = await readRemembered(ledger, { servers, floatingIps });
    return new DeliveryHistory(grouped, remembered, listingBeganAt);
  }

  *groups(): Iterable<DeliveredGroup> {
    for (const group of this.#groups.values()) yield this.#judged(group);
  }

  /** The group that a server belongs to. */
  ofServer(id: string): DeliveredGroup | undefined {
    const group = this.#groups.get(`server/${id}`);
    return group && this.#judged(group);
  }

  /** The last event of a floating IP. */
  ofFloatingIp(id: string): DeliveryRecord | undefined {
    return this.#lastOfFloatingIp.get(id);
  }

  /** The group that an event belongs to. */
  groupOf(record: DeliveryRecord): DeliveredGroup | undefined {
    const name = record.serverId === null ? `floatingip/${floatingIpOf(record)}` : `server/${record.serverId}`;
    const group = this.#groups.get(name);
    return group && this.#judged(group);
  }

  /** The creations of resources that exist: what a redelivery must not undo. */
  creations(): readonly { readonly record: DeliveryRecord; readonly group: DeliveredGroup }[] {
    return [...this.groups()].filter((group) => !isDeleted(group)).flatMap((group) => {
      const records = recordsOf(group).filter((record) => record.created && record.state === "done");
      return records.filter((record) => this.#isLast(record)).map((record) => ({ record, group }));
    });
  }

  #judged({ isUnfinished, ...group }: OpenGroup): DeliveredGroup {
    return { ...group, obstacle: isUnfinished ? "unfinished" : this.obstacleOf(recordsOf(group)) };
  }

  /** Why these last events do not say what the target holds; `null`: they do. */
  obstacleOf(records: readonly DeliveryRecord[]): Obstacle | null {
    if (records.some(({ finishedAt }) => (finishedAt ?? Infinity) >= this.#listingBeganAt)) return "changing";
    if (records.some(({ state }) => state !== "done")) return "given up";
    return records.every((record) => this.#isLast(record)) ? null : "unknown";
  }

  /**
   * Whether no later event of the resource can be missing here. The plugin may not have been
   * configured when a deletion was announced.
   */
  #isLast(record: DeliveryRecord): boolean {
    if (!record.created) return true;
    if (record.subject === "server") return this.remembered.servers.get(record.serverId ?? "")?.isDeleted === false;
    const [id, number] = [floatingIpOf(record), Number(record.key.split("/").at(-2))];
    const remembered = this.remembered.floatingIps.get(id);
    return remembered !== undefined && remembered.isAssociated && remembered.transitions === number;
  }
}

/** The server's deletion was delivered, which also ends what came before it. */
export function isDeleted({ server }: Pick<DeliveredGroup, "server">): boolean {
  return server !== null && !server.created && server.state === "done";
}

/** The events of a group that say what the target must hold, in their order. */
export function recordsOf(group: Pick<DeliveredGroup, "server" | "floatingIps">): readonly DeliveryRecord[] {
  const { server, floatingIps } = group;
  if (server === null) return [...floatingIps.values()].sort(bySeq);
  return isDeleted(group) ? [server] : [server, ...floatingIps.values()].sort(bySeq);
}

/**
 * The events that make a target hold a resource again: for a server its creation, and the last
 * event of each floating IP after it.
 */
export function repairOf(record: DeliveryRecord, { floatingIps }: DeliveredGroup): readonly number[] {
  if (record.subject === "floatingip") return [record.seq];
  const later = [...floatingIps.values()].filter(({ seq, state }) => seq > record.seq && state === "done");
  return [record.seq, ...later.map(({ seq }) => seq)];
}

export function bySeq(one: DeliveryRecord, other: DeliveryRecord): number {
  return one.seq - other.seq;
}

/** The floating IP of `floatingip/<id>/<n>/creation`. */
export function floatingIpOf({ key }: DeliveryRecord): string {
  return key.split("/").slice(1, -2).join("/");
}

function newGroup(serverId: string | null): OpenGroup {
  return { serverId, server: null, floatingIps: new Map(), isUnfinished: false };
}

async function grouping(pages: AsyncIterable<readonly DeliveryRecord[]>): Promise<GroupedDeliveries> {
  const groups = new Map<string, OpenGroup>();
  const lastOfFloatingIp = new Map<string, DeliveryRecord>();
  let through = 0;
  for await (const page of pages) {
    for (const record of page) {
      through = record.seq;
      const floatingIpId = record.subject === "floatingip" ? floatingIpOf(record) : null;
      const name = record.serverId === null ? `floatingip/${floatingIpId}` : `server/${record.serverId}`;
      const group = groups.get(name) ?? newGroup(record.serverId);
      groups.set(name, group);
      if (record.state === "unfinished") group.isUnfinished = true;
      if (floatingIpId === null) group.server = record;
      else {
        group.floatingIps.set(floatingIpId, record);
        lastOfFloatingIp.set(floatingIpId, record);
      }
    }
  }
  return { through, groups, lastOfFloatingIp };
}
