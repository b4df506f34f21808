import { join } from "node:path";
import { type Database, openDatabase } from "../../src/ledger/sqlite.ts";
import { SqliteLedger } from "../../src/ledger/sqlite_ledger.ts";

/** A ledger in a file of its own that goes with the test, and its time. */
export class TemporaryLedger implements Disposable {
  readonly directory: string = Deno.makeTempDirSync({ prefix: "oss-watcher-ledger-" });
  readonly file: string = join(this.directory, "ledger.db");
  database: Database;
  ledger: SqliteLedger;
  now = 0;

  constructor() {
    [this.database, this.ledger] = this.#open();
  }

  /** What a restart of the service does. */
  reopen(): void {
    this.database.close();
    [this.database, this.ledger] = this.#open();
  }

  [Symbol.dispose](): void {
    this.database.close();
    Deno.removeSync(this.directory, { recursive: true });
  }

  #open(): [Database, SqliteLedger] {
    const database = openDatabase(this.file, { create: true });
    // The machine does not fail in these tests, and waiting for the disk is what takes the time.
    database.exec("PRAGMA synchronous = OFF");
    return [database, new SqliteLedger(database, () => this.now)];
  }
}
