import { type Database, openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import type { QueuesOptions } from "../../src/ledger/sqlite/queues.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

/** A ledger in a file of its own that goes with the test, and its time. */
export class TemporaryLedger implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly file: string;
  database: Database;
  ledger: SqliteLedger;
  now = 0;

  readonly #options: QueuesOptions;

  /** @param options `file`: another connection's. */
  constructor({ file, ...options }: QueuesOptions & { readonly file?: string } = {}) {
    this.file = file ?? this.#directory.path("ledger.db");
    this.#options = options;
    [this.database, this.ledger] = this.#open();
  }

  /** What a restart of the service does. */
  reopen(): void {
    this.database.close();
    [this.database, this.ledger] = this.#open();
  }

  /** What a command of an operator opens. */
  operations(): LedgerOperations {
    return openOperations(this.file);
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.#directory[Symbol.dispose]();
  }

  #open(): [Database, SqliteLedger] {
    const database = openDatabase(this.file, { create: true });
    return [database, new SqliteLedger(database, () => this.now, this.#options)];
  }
}
