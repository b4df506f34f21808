import type { Gap } from "../../model/gap.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";

/** Table `gap`: times in which notifications may have been lost. */
export class SqliteGaps {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** Runs inside a transaction. */
  put({ source, exchange, from, to, certainty }: Gap): void {
    this.#sql.put.run(source.queue, source.brokers, exchange ?? "", from, to, certainty);
  }

  /** Gaps that have not ended, oldest first. */
  open(): readonly Gap[] {
    return this.#sql.open.all().map(gapOf);
  }
}

/** Reads a row of table `gap`. */
export function gapOf(row: Readonly<Record<string, unknown>>): Gap {
  return {
    source: { queue: String(row["queue"]), brokers: String(row["brokers"]) },
    exchange: row["exchange"] === "" ? null : String(row["exchange"]),
    from: Number(row["from_at"]),
    to: row["to_at"] === null ? null : Number(row["to_at"]),
    certainty: row["certainty"] as Gap["certainty"],
  };
}

const STATEMENTS = {
  put: `INSERT INTO gap (queue, brokers, exchange, from_at, to_at, certainty) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (queue, brokers, exchange, from_at) DO UPDATE SET to_at = excluded.to_at, certainty = excluded.certainty`,
  open: `SELECT * FROM gap WHERE to_at IS NULL ORDER BY from_at, seq`,
} as const;
