/** An unfinished delivery and the order keys that it holds. */
export interface Holder {
  readonly plugin: number;
  readonly seq: number;
  readonly orderKeys: readonly number[];
}

/** The holders of one plugin. */
interface Holding {
  /** By `seq`, in the order of their numbers. */
  readonly keysOf: Map<number, readonly number[]>;
  /** By order key, ascending. */
  readonly seqsOf: Map<number, number[]>;
}

/** The newest unfinished deliveries, by plugin, and who of them holds an order key. */
export class RecentHolders {
  readonly #holdings = new Map<number, Holding>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the newest of a plugin. */
  add({ plugin, seq, orderKeys }: Holder): void {
    const { keysOf, seqsOf } = this.#holdingOf(plugin);
    keysOf.set(seq, orderKeys);
    for (const key of orderKeys) {
      const seqs = seqsOf.get(key);
      if (seqs === undefined) seqsOf.set(key, [seq]);
      else seqs.push(seq);
    }
    this.#size++;
  }

  delete(plugin: number, seq: number): void {
    const { keysOf, seqsOf } = this.#holdingOf(plugin);
    const orderKeys = keysOf.get(seq);
    if (orderKeys === undefined) return;
    keysOf.delete(seq);
    for (const key of orderKeys) {
      const seqs = seqsOf.get(key) as number[];
      if (seqs.length === 1) seqsOf.delete(key);
      else seqs.splice(seqs.indexOf(seq), 1);
    }
    this.#size--;
  }

  /** The oldest holder of a key, if it is older than `seq`. */
  before(plugin: number, key: number, seq: number): number | undefined {
    const oldest = this.#holdingOf(plugin).seqsOf.get(key)?.[0];
    return oldest !== undefined && oldest < seq ? oldest : undefined;
  }

  /** The next holder of a key after `seq`. */
  after(plugin: number, key: number, seq: number): number | undefined {
    return this.#holdingOf(plugin).seqsOf.get(key)?.find((each) => each > seq);
  }

  /** So many of the oldest of all, the oldest first. */
  oldest(count: number): readonly Holder[] {
    const oldest: Holder[] = [];
    for (const [plugin, { keysOf }] of this.#holdings) {
      const first = keysOf.entries().take(count);
      oldest.push(...first.map(([seq, orderKeys]) => ({ plugin, seq, orderKeys })));
    }
    return oldest.sort((one, other) => one.seq - other.seq).slice(0, count);
  }

  clear(): void {
    this.#holdings.clear();
    this.#size = 0;
  }

  #holdingOf(plugin: number): Holding {
    let holding = this.#holdings.get(plugin);
    if (holding === undefined) this.#holdings.set(plugin, holding = { keysOf: new Map(), seqsOf: new Map() });
    return holding;
  }
}
