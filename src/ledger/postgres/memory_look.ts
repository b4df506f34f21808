import { type Memory, MemoryNotRead } from "../../model/memory.ts";
import type { Queries } from "./client.ts";
import { Journal } from "./journal.ts";
import { PostgresMemory } from "./memory.ts";

/**
 * Memory beside the stages, for one transaction: calls back until all rows are read that the reader
 * asks for.
 */
export class MemoryLook {
  readonly #queries: Queries;
  readonly #journal = new Journal();
  readonly memory: PostgresMemory = new PostgresMemory(this.#journal);

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** @param reader May change memory: what a call that failed has changed is taken back. */
  async look<Result>(reader: (memory: Memory) => Result): Promise<Result> {
    const { mark } = this.#journal;
    for (;;) {
      try {
        return reader(this.memory);
      } catch (error) {
        if (!(error instanceof MemoryNotRead)) throw error;
        this.#journal.revert(mark);
        this.memory.askFor(reader);
        this.#journal.revert(mark);
        await this.memory.read(this.#queries);
      }
    }
  }
}
