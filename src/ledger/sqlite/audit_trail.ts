// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import type { Action, AuditEntry, AuditRecord, AuditTrail } from "../../model/audit_trail.ts";
import { detailsOf } from "../audit_entry.ts";
import { type Database, prepareAll, reading, type Statements, transaction } from "./database.ts";

/** Entries that one transaction deletes. */
const SLICE = 1000;

/** The audit trail, table `audit_trail`. */
export class SqliteAuditTrail implements AuditTrail {
  readonly #database: Database;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = prepareAll(database, STATEMENTS);
  }

  async write(entry: AuditEntry): Promise<void> {
    const { at, who, action, what } = entry;
    const details = detailsOf(entry);
    transaction(this.#database, () => this.#sql.write.run(at, who, action, what, details));
  }

  async read(
    { before = Number.MAX_SAFE_INTEGER, limit }: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditRecord[]> {
    return reading(() => this.#sql.read.all(before, limit)).map((row) => ({
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      who: UTF8.decode(row["who"] as Uint8Array),
      action: row["action"] as Action,
      what: UTF8.decode(row["what"] as Uint8Array),
      details: JSON.parse(String(row["details"])),
    }));
  }

  /** Deletes a slice of the entries before a time. Returns whether there may be more. */
  pruneSlice(before: number): boolean {
    return transaction(this.#database, () => Number(this.#sql.prune.run(before, SLICE).changes) === SLICE);
  }
}

const UTF8 = new TextDecoder();

const STATEMENTS = {
  write: `INSERT INTO audit_trail (at, who, action, what, details) VALUES (?, ?, ?, ?, ?)`,
  // Read as text, they would end at the first NUL.
  read:
    `SELECT seq, at, CAST(who AS BLOB) AS who, action, CAST(what AS BLOB) AS what, details FROM audit_trail WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
  prune: `DELETE FROM audit_trail WHERE seq IN (SELECT seq FROM audit_trail WHERE at < ? ORDER BY at, seq LIMIT ?)`,
} as const;
