/**
 * Changes that can be taken back: those of a decision that asked for a row that is not in memory, or
 * of a transaction that was not committed.
 */
export class Journal {
  #undo: (() => void)[] = [];

  /** Where {@linkcode revert} can go back to. */
  get mark(): number {
    return this.#undo.length;
  }

  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Takes back what was noted since a mark, the last first. */
  revert(mark = 0): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** All changes are committed. */
  clear(): void {
    this.#undo = [];
  }
}

/** A map whose changes can be taken back. */
export class RevertibleMap<Key, Value> extends Map<Key, Value> {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    super();
    this.#journal = journal;
  }

  override set(key: Key, value: Value): this {
    const before = super.get(key);
    const undo = before === undefined && !super.has(key)
      ? () => super.delete(key)
      : () => super.set(key, before as Value);
    this.#journal.note(undo);
    return super.set(key, value);
  }

  override delete(key: Key): boolean {
    const before = super.get(key);
    if (before === undefined && !super.has(key)) return false;
    this.#journal.note(() => super.set(key, before as Value));
    return super.delete(key);
  }

  /** Sets what was read: that is true whatever is taken back. */
  put(key: Key, value: Value): void {
    super.set(key, value);
  }
}
