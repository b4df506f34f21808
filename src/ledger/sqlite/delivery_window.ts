import type { ReadyQuery } from "../../model/ledger.ts";
import { ReadyQueue } from "../ready_queue.ts";
import type { QueuedDelivery, Waiting } from "./queued_delivery.ts";

/**
 * The deliveries of one plugin that are in memory: never attempted, in the order of their events.
 * Knows the state of each, and which of them hold an order key.
 */
export class DeliveryWindow {
  /** By `seq`, ascending. */
  readonly #deliveries = new Map<number, QueuedDelivery>();
  /** The holders of each order key, by `seq`, ascending. */
  readonly #seqsOf = new Map<number, number[]>();
  readonly #ready = new ReadyQueue<QueuedDelivery>();

  get size(): number {
    return this.#deliveries.size;
  }

  /** Adds a delivery that is newer than all others. */
  add(delivery: QueuedDelivery): void {
    this.#deliveries.set(delivery.seq, delivery);
    for (const key of delivery.orderKeys) {
      const seqs = this.#seqsOf.get(key);
      if (seqs === undefined) this.#seqsOf.set(key, [delivery.seq]);
      else seqs.push(delivery.seq);
    }
    if (delivery.state === "ready") this.#ready.add(delivery);
  }

  get(seq: number): QueuedDelivery | undefined {
    return this.#deliveries.get(seq);
  }

  /** All deliveries, oldest first. */
  [Symbol.iterator](): Iterator<QueuedDelivery> {
    return this.#deliveries.values();
  }

  setState(delivery: QueuedDelivery, state: Waiting | null): void {
    const { state: before } = delivery;
    if (before === state) return;
    delivery.state = state;
    if (before === "ready") this.#ready.remove();
    if (state === "ready") this.#ready.add(delivery);
  }

  delete(delivery: QueuedDelivery): void {
    const { seq, orderKeys } = delivery;
    this.setState(delivery, null);
    this.#deliveries.delete(seq);
    for (const key of orderKeys) {
      const seqs = this.#seqsOf.get(key) as number[];
      if (seqs.length === 1) this.#seqsOf.delete(key);
      else seqs.splice(seqs.indexOf(seq), 1);
    }
  }

  /** At most `limit` ready deliveries that are not `busy`, earliest due first. */
  ready({ limit, busy }: Pick<Required<ReadyQuery>, "limit" | "busy">): readonly QueuedDelivery[] {
    return this.#ready.first(limit, busy);
  }

  /** Whether a delivery older than `seq` holds a key. */
  isHeldBefore(key: number, seq: number): boolean {
    const oldest = this.#seqsOf.get(key)?.[0];
    return oldest !== undefined && oldest < seq;
  }

  /** The next holder of a key after `seq`. */
  after(key: number, seq: number): number | undefined {
    return this.#seqsOf.get(key)?.find((each) => each > seq);
  }
}
