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

interface Entry {
  delivery: OpenDelivery;
  state: Waiting;
}

/**
 * Unfinished deliveries of one plugin, and their order: one is blocked while an earlier one shares an
 * order key with it. When a key is released, only its next holder can become ready.
 */
export class OpenDeliveries {
  readonly #entries = new Map<number, Entry>();
  /** The holders of each order key, by `seq`, ascending. */
  readonly #holders = new Map<number, number[]>();
  /** Ready ones that were never attempted, in the order of their events. */
  readonly #fresh = new Map<number, Entry>();
  /** Ready ones with a due time. */
  readonly #timed = new Map<number, Entry>();
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

  stateOf(seq: number): Waiting | undefined {
    return this.#entries.get(seq)?.state;
  }

  /** Adds a delivery. Later ones that were added before wait for it. */
  add(delivery: OpenDelivery): void {
    const { seq, orderKeys, isDetailed, isWritten } = delivery;
    for (const key of orderKeys) {
      for (const later of this.#hold(key, seq)) if (this.stateOf(later) === "ready") this.#setState(later, "blocked");
    }
    const state = !isDetailed ? "new" : this.#isBlocked(delivery) ? "blocked" : "ready";
    this.#entries.set(seq, { delivery, state });
    this.#counts[state]++;
    if (!isWritten) this.#unwritten.add(seq);
    if (state === "ready") this.#queue(seq);
  }

  /** The detail of its event was stored. */
  detailed(seq: number): void {
    const entry = this.#entries.get(seq);
    if (entry === undefined || entry.delivery.isDetailed) return;
    entry.delivery = { ...entry.delivery, isDetailed: true };
    this.#setState(seq, this.#isBlocked(entry.delivery) ? "blocked" : "ready");
  }

  /** Its attempt ended, and it is retried. */
  postpone(seq: number, retry: Pick<OpenDelivery, "dueAt" | "attempts" | "triedMs" | "lastAttemptAt">): void {
    const entry = this.#entries.get(seq);
    if (entry === undefined) return;
    this.#unqueue(seq);
    entry.delivery = { ...entry.delivery, ...retry, isWritten: true };
    this.#unwritten.delete(seq);
    if (entry.state === "ready") this.#queue(seq);
  }

  /** Its row was written, as it is. */
  written(seq: number): void {
    const entry = this.#entries.get(seq);
    if (entry === undefined) return;
    entry.delivery = { ...entry.delivery, isWritten: true };
    this.#unwritten.delete(seq);
  }

  /** It is finished: gives back its order keys. */
  finish(seq: number): void {
    const entry = this.#entries.get(seq);
    if (entry === undefined) return;
    this.#unqueue(seq);
    this.#counts[entry.state]--;
    this.#entries.delete(seq);
    this.#unwritten.delete(seq);
    for (const next of this.#release(entry.delivery)) {
      const holder = this.#entries.get(next);
      if (holder?.state === "blocked" && !this.#isBlocked(holder.delivery)) this.#setState(next, "ready");
    }
  }

  /** At most `limit` ready deliveries that are due and not `busy`, earliest due first. */
  ready(
    { now, limit, busy }: { readonly now: number; readonly limit: number; readonly busy: ReadonlySet<number> },
  ): readonly OpenDelivery[] {
    const ready: OpenDelivery[] = [];
    for (const [seq, { delivery }] of this.#timed) {
      if (delivery.dueAt <= now && !busy.has(seq)) ready.push(delivery);
    }
    ready.sort((one, other) => one.dueAt - other.dueAt || one.seq - other.seq);
    if (ready.length > limit) ready.length = limit;
    // What was never attempted is due since it was decided, which was before any retry.
    const fresh: OpenDelivery[] = [];
    for (const [seq, { delivery }] of this.#fresh) {
      if (fresh.length >= limit) break;
      if (!busy.has(seq)) fresh.push(delivery);
    }
    if (ready.length === 0) return fresh;
    return [...ready, ...fresh].sort((one, other) => one.dueAt - other.dueAt || one.seq - other.seq).slice(0, limit);
  }

  /** When the first delivery is due, milliseconds since the epoch; `null` for none. */
  nextDueAt(): number | null {
    let next = Infinity;
    const [first] = this.#fresh.values();
    if (first !== undefined) next = first.delivery.dueAt;
    for (const { delivery } of this.#timed.values()) next = Math.min(next, delivery.dueAt);
    return next === Infinity ? null : next;
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
      lagging.push(this.#entries.get(each)!.delivery);
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
    const entry = this.#entries.get(seq)!;
    this.#unqueue(seq);
    this.#counts[entry.state]--;
    entry.state = state;
    this.#counts[state]++;
    if (state === "ready") this.#queue(seq);
  }

  #queue(seq: number): void {
    const entry = this.#entries.get(seq)!;
    (entry.delivery.isWritten ? this.#timed : this.#fresh).set(seq, entry);
  }

  #unqueue(seq: number): void {
    this.#fresh.delete(seq);
    this.#timed.delete(seq);
  }
}
