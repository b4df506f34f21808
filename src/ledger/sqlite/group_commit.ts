import { setImmediate } from "node:timers";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { type Database, transaction } from "./database.ts";

interface Work {
  readonly action: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  /** Called in each transaction, before its actions. */
  readonly onBegin?: () => void;
  /** Called in each transaction, after its actions. */
  readonly onCommit?: () => void;
  /** Called when a transaction that had begun was rolled back. */
  readonly onRolledBack?: () => void;
}

/**
 * So many deferred writes are committed without further delay: until then each counts against its
 * lane's limit of deliveries in flight.
 */
const MAX_DEFERRED = 32;

/**
 * Group commit: the writes of all stages in one turn of the event loop share a transaction, and so
 * one fsync. More messages arrive during the fsync, so groups grow with the load.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #options: GroupCommitOptions;
  /** Writes of the next transaction. */
  #group: Work[] = [];
  /** Writes of the next transaction that run after all of the group. */
  #last: Work[] = [];
  /** Whether the next transaction runs at the end of this turn. */
  #isDue = false;
  /** Commits deferred writes that no other transaction took along. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(database: Database, options: GroupCommitOptions = {}) {
    this.#database = database;
    this.#options = options;
  }

  /** Runs an action at the end of this turn, after those before it. Resolves when it is on disk. */
  run<Result>(action: () => Result): Promise<Result> {
    const written = added(this.#group, action);
    this.#commitSoon();
    return written;
  }

  /** The same, after all other actions of this turn: for an action that builds on their writes. */
  runLast<Result>(action: () => Result): Promise<Result> {
    const written = added(this.#last, action);
    this.#commitSoon();
    return written;
  }

  /** The same for a deferrable write: with the next transaction, or alone after `waitMs`. */
  runWithin<Result>(waitMs: number, action: () => Result): Promise<Result> {
    const written = added(this.#group, action);
    if (this.#group.length >= MAX_DEFERRED) this.#commitSoon();
    else if (!this.#isDue) this.#timer ??= setTimeout(() => this.#commit(), waitMs);
    return written;
  }

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
    // Another transaction took the deferred writes along.
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
   * Commits each action by itself after the group failed: only the faulty one fails then. When the
   * ledger cannot be written, the later actions are not tried. They would overtake the failed one,
   * and each would block the event loop again until another process's lock times out.
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
      // A transaction that could not begin (another process has the lock) has changed nothing.
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
