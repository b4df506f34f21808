import type { Detail } from "./detail.ts";
import type { Subject } from "./event.ts";
import type { FloatingIpMemory, ServerMemory } from "./memory.ts";
import type { OperatorResult } from "./operations.ts";

/** The delivery of one event by one plugin. */
export interface DeliveryRecord {
  readonly seq: number;
  /** The event's key. */
  readonly key: string;
  readonly subject: Subject;
  readonly created: boolean;
  /** `null`: a floating IP without a server. */
  readonly serverId: string | null;
  readonly state: "done" | "dead" | "dropped" | "unfinished";
  /** Milliseconds since the epoch; `null`: it is unfinished. */
  readonly finishedAt: number | null;
}

/** Deliveries that are made again. */
export interface Redelivery {
  readonly plugin: string;
  /** The numbers of their events. */
  readonly seqs: readonly number[];
  /** The number of the newest event that was read before this was decided. */
  readonly through: number;
}

/**
 * The part of the ledger that `audit` reads: what was delivered, whether the service runs or not.
 */
export interface DeliveredLedger extends AsyncDisposable {
  /** All deliveries of a plugin, in the order of their events, in pages. */
  deliveries(plugin: string): AsyncIterable<readonly DeliveryRecord[]>;
  /**
   * The details of events as a plugin got them, by number. Events that are not there, or have none,
   * are left out.
   */
  details(plugin: string, seqs: readonly number[]): Promise<ReadonlyMap<number, Detail>>;
  /** The order keys of events, as hashes, by number. */
  orderKeys(seqs: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>>;
  /** What is remembered of servers, by id. Those that are not in memory are left out. */
  servers(ids: readonly string[]): Promise<ReadonlyMap<string, ServerMemory>>;
  /** What is remembered of floating IPs, by id. Those that are not in memory are left out. */
  floatingIps(ids: readonly string[]): Promise<ReadonlyMap<string, FloatingIpMemory>>;
  /**
   * Opens deliveries that are done, oldest first, at their old place in the order. Refused where a
   * later event that shares an order key is unfinished, or was delivered since `through`: it was
   * not considered. Other later events that share one must be among `seqs`.
   */
  redeliver(redelivery: Redelivery): Promise<readonly OperatorResult[]>;
}
