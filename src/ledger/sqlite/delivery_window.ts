import type { ReadyQuery } from "../../model/ledger.ts";
import type { QueuedDelivery, Waiting } from "./queued_delivery.ts";
import { ReadyQueue } from "./ready_queue.ts";

/** Deliveries of one plugin that were never attempted, in the order of their events: what each waits for, and who of them holds an order key. */
export class DeliveryWindow {
  /** By `seq`, in the order of their numbers. */
  readonly #deliveries = new Map<number, QueuedDelivery>();
  /** By order key, ascending. */
  readonly #seqsOf = new Map<number, number[]>();
  readonly #ready = new ReadyQueue();

  get size(): number {
    return this.#deliveries.size;
  }

  /** Adds one behind all others. */
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

  /** All, the oldest first. */
  [Symbol.iterator](): Iterator<QueuedDelivery> {
    return this.#deliveries.values();
  }

  /** Says what one waits for from now on. */
  setState(delivery: QueuedDelivery, state: Waiting | null): void {
    const { state: before } = delivery;
    if (before === state) return;
    delivery.state = state;
    if (before === "ready") this.#ready.leave();
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

  /** So many that are ready, in the order in which they are due, without those that are busy. */
  ready({ limit, busy }: Pick<Required<ReadyQuery>, "limit" | "busy">): readonly QueuedDelivery[] {
    return this.#ready.first(limit, busy);
  }

  /** Whether a key is held by one that is older than `seq`. */
  isHeldBefore(key: number, seq: number): boolean {
    const oldest = this.#seqsOf.get(key)?.[0];
    return oldest !== undefined && oldest < seq;
  }

  /** The next holder of a key after `seq`. */
  after(key: number, seq: number): number | undefined {
    return this.#seqsOf.get(key)?.find((each) => each > seq);
  }
}
