import { setImmediate } from "node:timers";
import { type Database, transaction } from "./sqlite.ts";

interface Work {
  readonly action: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes of all stages that come in one turn of the event loop, in one transaction: the disk is asked to keep them once, not once for each.
 * While it does so the network brings more, so that the busier we are, the more there is in a group.
 */
export class GroupCommit {
  readonly #database: Database;
  #group: Work[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** Runs an action after those before it, in their transaction or a later one. Resolves when its writes are on disk. */
  run<Result>(action: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#group.push({ action, resolve: resolve as (result: unknown) => void, reject });
      if (this.#group.length === 1) setImmediate(() => this.#commit());
    });
  }

  #commit(): void {
    const group = this.#group;
    this.#group = [];
    try {
      const results = transaction(this.#database, () => group.map(({ action }) => action()));
      group.forEach(({ resolve }, index) => resolve(results[index]));
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const work of group) this.#commitAlone(work);
    }
  }

  /** Nothing of a group is written when one of its actions fails: each by itself, only that one does. */
  #commitAlone({ action, resolve, reject }: Work): void {
    try {
      resolve(transaction(this.#database, action));
    } catch (error) {
      reject(error);
    }
  }
}
