import { byDueTime, ReadyQueue } from "../ready_queue.ts";

/** An unfinished delivery of one plugin, as it is in RAM. */
export interface OpenDelivery {
  readonly seq: number;
  /** Hashes. */
  readonly orderKeys: readonly number[];
  /** When the next attempt is due, milliseconds since the epoch. One that was never attempted is due at once. */
  readonly dueAt: number;
  readonly attempts: number;
  readonly triedMs: number;
  readonly lastAttemptAt: number | null;
  readonly isRepair: boolean;
  /** Whether the table has its row. */
  readonly isWritten: boolean;
  /** Whether its event has a detail. */
  readonly isDetailed: boolean;
}

/** What `OpenDelivery` is waiting for: its detail, an earlier delivery, or its next attempt. */
export type Waiting = "new" | "blocked" | "ready";

/** A delivery and its place. Replaced when the delivery changes. */
interface Entry {
  readonly seq: number;
  readonly dueAt: number;
  readonly delivery: OpenDelivery;
  /** `null`: it was replaced, or is finished. */
  state: Waiting | null;
}

/**
 * Unfinished deliveries of one plugin, and their order: one is blocked while an earlier one shares an
 * order key with it. When a key is released, only its next holder can become ready.
 */
export class OpenDeliveries {
  readonly #entries = new Map<number, Entry>();
  /** The holders of each order key, by `seq`, ascending. */
  readonly #holders = new Map<number, number[]>();
  /** Ready ones that were never attempted: they are due, whatever the clock says. */
  readonly #fresh = new ReadyQueue<Entry>();
  /** Ready ones with a due time. */
  readonly #timed = new ReadyQueue<Entry>();
  readonly #counts = { new: 0, blocked: 0, ready: 0 };
  /** Deliveries without a row, in the order of their events. */
  readonly #unwritten = new Set<number>();

  get size(): number {
    return this.#entries.size;
  }

  /** How many there are in each state. */
  get counts(): Readonly<Record<Waiting, number>> {
    return this.#counts;
  }

  /** The oldest delivery without a row; `undefined`: all have one. */
  get oldestUnwritten(): number | undefined {
    const [oldest] = this.#unwritten;
    return oldest;
  }

  /** The oldest event that is not blocked; `Infinity`: there is none. */
  get oldest(): number {
    let oldest = Infinity;
    for (const [seq, { state }] of this.#entries) if (state !== "blocked") oldest = Math.min(oldest, seq);
    return oldest;
  }

  get(seq: number): OpenDelivery | undefined {
    return this.#entries.get(seq)?.delivery;
  }

  stateOf(seq: number): Waiting | null {
    return this.#entries.get(seq)?.state ?? null;
  }

  /** Adds a delivery. Later ones that were added before wait for it. */
  add(delivery: OpenDelivery): void {
    const { seq, orderKeys, isDetailed, isWritten } = delivery;
    for (const key of orderKeys) {
      for (const later of this.#hold(key, seq)) if (this.stateOf(later) === "ready") this.#setState(later, "blocked");
    }
    if (!isWritten) this.#unwritten.add(seq);
    this.#put(delivery, !isDetailed ? "new" : this.#isBlocked(delivery) ? "blocked" : "ready");
  }

  /** The detail of its event was stored. */
  detailed(seq: number): void {
    const known = this.get(seq);
    if (known === undefined || known.isDetailed) return;
    const delivery = { ...known, isDetailed: true };
    this.#put(delivery, this.#isBlocked(delivery) ? "blocked" : "ready");
  }

  /** Its attempt ended, and it is retried. */
  postpone(seq: number, retry: Pick<OpenDelivery, "dueAt" | "attempts" | "triedMs" | "lastAttemptAt">): void {
    const [known, state] = [this.get(seq), this.stateOf(seq)];
    if (known === undefined || state === null) return;
    this.#unwritten.delete(seq);
    this.#put({ ...known, ...retry, isWritten: true }, state);
  }

  /** Its row was written, as it is. */
  written(seq: number): void {
    const known = this.get(seq);
    if (known !== undefined) this.postpone(seq, known);
  }

  /** It is finished: gives back its order keys. */
  finish(seq: number): void {
    const delivery = this.get(seq);
    if (delivery === undefined) return;
    this.#remove(seq);
    this.#unwritten.delete(seq);
    for (const next of this.#release(delivery)) {
      const holder = this.get(next);
      if (holder !== undefined && this.stateOf(next) === "blocked" && !this.#isBlocked(holder)) {
        this.#setState(next, "ready");
      }
    }
  }

  /** At most `limit` ready deliveries that are due and not `busy`, earliest due first. */
  ready(
    { now, limit, busy }: { readonly now: number; readonly limit: number; readonly busy: ReadonlySet<number> },
  ): readonly OpenDelivery[] {
    const timed = this.#timed.first(limit, busy, now);
    const fresh = this.#fresh.first(limit, busy);
    const first = timed.length === 0 ? fresh : [...timed, ...fresh].sort(byDueTime).slice(0, limit);
    return first.map(({ delivery }) => delivery);
  }

  /** When the first delivery is due, milliseconds since the epoch; `null` for none. */
  nextDueAt(): number | null {
    const first = [this.#timed, this.#fresh].flatMap((queue) => queue.first(1, NONE));
    return first.length === 0 ? null : Math.min(...first.map(({ dueAt }) => dueAt));
  }

  /** Whether a later delivery waits for this one. */
  isAwaited(seq: number): boolean {
    const keys = this.#entries.get(seq)?.delivery.orderKeys ?? [];
    return keys.some((key) => (this.#holders.get(key)?.at(-1) ?? 0) > seq);
  }

  /** Earlier unfinished deliveries that share an order key. */
  earlier(seq: number): readonly number[] {
    const keys = this.#entries.get(seq)?.delivery.orderKeys ?? [];
    const earlier = new Set(keys.flatMap((key) => (this.#holders.get(key) ?? []).filter((other) => other < seq)));
    return [...earlier];
  }

  /** Deliveries without a detail. */
  withoutDetail(): readonly number[] {
    if (this.#counts.new === 0) return [];
    return [...this.#entries.values()].flatMap(({ state, delivery: { seq } }) => state === "new" ? [seq] : []);
  }

  /** Deliveries without a row whose events are older than `seq`. */
  unwrittenBefore(seq: number): readonly OpenDelivery[] {
    const lagging: OpenDelivery[] = [];
    for (const each of this.#unwritten) {
      if (each >= seq) break;
      lagging.push(this.get(each) as OpenDelivery);
    }
    return lagging;
  }

  #isBlocked({ seq, orderKeys }: OpenDelivery): boolean {
    return orderKeys.some((key) => (this.#holders.get(key)?.[0] ?? seq) < seq);
  }

  /** Returns the later holders of the key. */
  #hold(key: number, seq: number): readonly number[] {
    const holders = this.#holders.get(key);
    if (holders === undefined) this.#holders.set(key, [seq]);
    else if ((holders.at(-1) as number) < seq) holders.push(seq);
    else if (!holders.includes(seq)) {
      const at = holders.findIndex((other) => other > seq);
      holders.splice(at, 0, seq);
      return holders.slice(at + 1);
    }
    return [];
  }

  /** Returns the next holders of each key. */
  #release({ seq, orderKeys }: OpenDelivery): ReadonlySet<number> {
    const next = new Set<number>();
    for (const key of orderKeys) {
      const holders = this.#holders.get(key);
      const at = holders?.indexOf(seq) ?? -1;
      if (holders === undefined || at < 0) continue;
      const following = holders[at + 1];
      if (following !== undefined) next.add(following);
      if (holders.length === 1) this.#holders.delete(key);
      else holders.splice(at, 1);
    }
    return next;
  }

  #setState(seq: number, state: Waiting): void {
    this.#put(this.get(seq) as OpenDelivery, state);
  }

  #put(delivery: OpenDelivery, state: Waiting): void {
    const { seq, dueAt } = delivery;
    this.#remove(seq);
    const entry: Entry = { seq, dueAt, delivery, state };
    this.#entries.set(seq, entry);
    this.#counts[state]++;
    if (state === "ready") this.#queueOf(delivery).add(entry);
  }

  #remove(seq: number): void {
    const entry = this.#entries.get(seq);
    if (entry === undefined || entry.state === null) return;
    this.#counts[entry.state]--;
    const wasReady = entry.state === "ready";
    entry.state = null;
    this.#entries.delete(seq);
    if (wasReady) this.#queueOf(entry.delivery).remove();
  }

  #queueOf({ isWritten }: OpenDelivery): ReadyQueue<Entry> {
    return isWritten ? this.#timed : this.#fresh;
  }
}

const NONE: ReadonlySet<number> = new Set();
