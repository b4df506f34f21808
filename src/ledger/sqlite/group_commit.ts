import { setImmediate } from "node:timers";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { type Database, transaction } from "./database.ts";

interface Work {
  readonly action: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  /** Called in each transaction before its actions. */
  readonly onBegin?: () => void;
  /** Called in each transaction after its actions. */
  readonly onCommit?: () => void;
  /** Called when nothing of a transaction that had begun was written. */
  readonly onRolledBack?: () => void;
}

/** So many that can wait do not: outcomes must not pile up, and each keeps a place of its lane. */
const ENOUGH = 32;

/**
 * Writes of all stages that come in one turn of the event loop, in one transaction: the disk is asked to keep them once, not once for each.
 * While it does so the network brings more, so that the busier we are, the more there is in a group.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #options: GroupCommitOptions;
  /** For the next transaction. */
  #group: Work[] = [];
  /** For the next transaction, behind all of the group. */
  #last: Work[] = [];
  /** Whether it comes at the end of this turn. */
  #isDue = false;
  /** When it comes else, where something waits. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(database: Database, options: GroupCommitOptions = {}) {
    this.#database = database;
    this.#options = options;
  }

  /** Runs an action after those before it, in their transaction or a later one. Resolves when its writes are on disk. */
  run<Result>(action: () => Result): Promise<Result> {
    const written = added(this.#group, action);
    this.#commitSoon();
    return written;
  }

  /** The same for what builds on the others: it runs after all that comes in this turn, before it or behind it. */
  runLast<Result>(action: () => Result): Promise<Result> {
    const written = added(this.#last, action);
    this.#commitSoon();
    return written;
  }

  /** The same for what can wait: it goes with the next transaction, and has one of its own only when there is none for so long. */
  runWithin<Result>(waitMs: number, action: () => Result): Promise<Result> {
    const written = added(this.#group, action);
    if (this.#group.length >= ENOUGH) this.#commitSoon();
    else if (!this.#isDue) this.#timer ??= setTimeout(() => this.#commit(), waitMs);
    return written;
  }

  /** At the end of this turn. */
  #commitSoon(): void {
    if (!this.#isDue) setImmediate(() => this.#commit());
    this.#isDue = true;
  }

  #commit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = false;
    const group = [...this.#group, ...this.#last];
    this.#group = [];
    this.#last = [];
    // What waited for its timer has gone with another.
    if (group.length === 0) return;
    try {
      const results = this.#transaction(() => group.map(({ action }) => action()));
      group.forEach(({ resolve }, index) => resolve(results[index]));
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else this.#commitEach(group);
    }
  }

  /**
   * Nothing of a group is written when one of its actions fails: each by itself, only that one does. Where the ledger cannot be written, those behind
   * are not tried: they would come before it, and each would wait again for another process's lock, with all of us.
   */
  #commitEach(group: readonly Work[]): void {
    let unavailable: LedgerUnavailable | undefined;
    for (const { action, resolve, reject } of group) {
      try {
        if (unavailable !== undefined) throw unavailable;
        resolve(this.#transaction(action));
      } catch (error) {
        if (error instanceof LedgerUnavailable) unavailable = error;
        reject(error);
      }
    }
  }

  #transaction<Result>(action: () => Result): Result {
    const { onBegin, onCommit, onRolledBack } = this.#options;
    let begun = false;
    try {
      return transaction(this.#database, () => {
        begun = true;
        onBegin?.();
        const result = action();
        onCommit?.();
        return result;
      });
    } catch (error) {
      // One that waited in vain for another process's lock has changed nothing.
      if (begun) onRolledBack?.();
      throw error;
    }
  }
}

function added<Result>(group: Work[], action: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    group.push({ action, resolve: resolve as (result: unknown) => void, reject });
  });
}
