import { type Database, prepareAll, type Statements } from "./database.ts";

/** Which messages led to events. Only reads. */
export class Causes {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** The ids of messages, by the numbers of the events. */
  of(seqs: readonly number[]): ReadonlyMap<number, string> {
    return new Map(seqs.flatMap((seq) => {
      const row = this.#sql.cause.get(seq);
      return row === undefined ? [] : [[seq, row["message_id"] as string]];
    }));
  }
}

const STATEMENTS = {
  cause: `SELECT n.message_id FROM event AS e JOIN notification AS n ON n.seq = e.notification WHERE e.seq = ?`,
} as const;
