import type { ReadyQuery } from "../model/ledger.ts";
import { ReadyQueue } from "./ready_queue.ts";

/** An unfinished delivery and the order keys that it holds. */
export interface Holder {
  readonly plugin: number;
  readonly seq: number;
  readonly orderKeys: readonly number[];
}

/** What an unfinished delivery waits for: its event's detail, an earlier delivery, its turn. */
export type Waiting = "new" | "blocked" | "ready";

/** One of the newest. */
export interface RecentDelivery extends Holder {
  readonly dueAt: number;
  /** `null`: it was attempted, and what it waits for is in the file. */
  state: Waiting | null;
}

/** The newest unfinished deliveries of one plugin. */
interface OfPlugin {
  /** By `seq`, in the order of their numbers. */
  readonly deliveries: Map<number, RecentDelivery>;
  /** By order key, ascending. */
  readonly seqsOf: Map<number, number[]>;
  readonly ready: ReadyQueue;
}

/** The newest unfinished deliveries, by plugin: what each waits for, and who of them holds an order key. */
export class RecentDeliveries {
  readonly #plugins = new Map<number, OfPlugin>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the newest of a plugin. */
  add(delivery: RecentDelivery): void {
    const { deliveries, seqsOf, ready } = this.#ofPlugin(delivery.plugin);
    deliveries.set(delivery.seq, delivery);
    for (const key of delivery.orderKeys) {
      const seqs = seqsOf.get(key);
      if (seqs === undefined) seqsOf.set(key, [delivery.seq]);
      else seqs.push(delivery.seq);
    }
    if (delivery.state === "ready") ready.add(delivery);
    this.#size++;
  }

  get(plugin: number, seq: number): RecentDelivery | undefined {
    return this.#plugins.get(plugin)?.deliveries.get(seq);
  }

  /** Says what one waits for from now on. */
  setState(delivery: RecentDelivery, state: Waiting | null): void {
    const { state: before } = delivery;
    if (before === state) return;
    const { ready } = this.#ofPlugin(delivery.plugin);
    delivery.state = state;
    if (before === "ready") ready.leave();
    if (state === "ready") ready.add(delivery);
  }

  delete(delivery: RecentDelivery): void {
    const { plugin, seq, orderKeys } = delivery;
    const { deliveries, seqsOf } = this.#ofPlugin(plugin);
    this.setState(delivery, null);
    deliveries.delete(seq);
    for (const key of orderKeys) {
      const seqs = seqsOf.get(key) as number[];
      if (seqs.length === 1) seqsOf.delete(key);
      else seqs.splice(seqs.indexOf(seq), 1);
    }
    this.#size--;
  }

  /** So many of a plugin that are ready, in the order in which they are due, without those that are busy. */
  ready(plugin: number, { limit, busy }: Pick<Required<ReadyQuery>, "limit" | "busy">): readonly RecentDelivery[] {
    return this.#plugins.get(plugin)?.ready.first(limit, busy) ?? [];
  }

  /** The plugins whose delivery of an event waits for its detail. */
  newOf(seq: number): readonly number[] {
    return [...this.#plugins.keys()].filter((plugin) => this.get(plugin, seq)?.state === "new");
  }

  /** Whether a key is held by one that is older than `seq`. */
  isHeldBefore(plugin: number, key: number, seq: number): boolean {
    const oldest = this.#plugins.get(plugin)?.seqsOf.get(key)?.[0];
    return oldest !== undefined && oldest < seq;
  }

  /** The next holder of a key after `seq`. */
  after(plugin: number, key: number, seq: number): number | undefined {
    return this.#plugins.get(plugin)?.seqsOf.get(key)?.find((each) => each > seq);
  }

  /** Those of a plugin, the oldest first. */
  of(plugin: number): Iterable<RecentDelivery> {
    return this.#plugins.get(plugin)?.deliveries.values() ?? [];
  }

  /** All whose events are older than `seq`. */
  olderThan(seq: number): readonly RecentDelivery[] {
    const older: RecentDelivery[] = [];
    for (const plugin of this.#plugins.keys()) {
      for (const delivery of this.of(plugin)) {
        if (delivery.seq >= seq) break;
        older.push(delivery);
      }
    }
    return older;
  }

  /** So many of the oldest of all, the oldest first. */
  oldest(count: number): readonly RecentDelivery[] {
    const oldest = [...this.#plugins.keys()].flatMap((plugin) => [...Iterator.from(this.of(plugin)).take(count)]);
    return oldest.sort((one, other) => one.seq - other.seq).slice(0, count);
  }

  clear(): void {
    this.#plugins.clear();
    this.#size = 0;
  }

  #ofPlugin(plugin: number): OfPlugin {
    let own = this.#plugins.get(plugin);
    if (own === undefined) {
      own = { deliveries: new Map(), seqsOf: new Map(), ready: new ReadyQueue() };
      this.#plugins.set(plugin, own);
    }
    return own;
  }
}
