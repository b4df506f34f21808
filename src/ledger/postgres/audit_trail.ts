import type { Action, AuditEntry, AuditRecord, AuditTrail } from "../../model/audit_trail.ts";
import { detailsOf } from "../audit_entry.ts";
import type { Queries } from "./client.ts";
import { original, plain } from "./columns.ts";

/** Entries that one statement deletes. */
const SLICE = 1000;

/** The audit trail, table `audit_trail`. */
export class PostgresAuditTrail implements AuditTrail {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async write(entry: AuditEntry): Promise<void> {
    const { at, who, action, what } = entry;
    const details = detailsOf(entry);
    await this.#queries.rows(WRITE, [at, plain(who), action, plain(what), details]);
  }

  async read(
    { before = Number.MAX_SAFE_INTEGER, limit }: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditRecord[]> {
    const rows = await this.#queries.rows(READ, [before, limit]);
    return rows.map((row) => ({
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      who: original(row["who"] as string),
      action: row["action"] as Action,
      what: original(row["what"] as string),
      details: JSON.parse(row["details"] as string),
    }));
  }

  /** Deletes a slice of the entries before a time. Returns whether there may be more. */
  async pruneSlice(before: number): Promise<boolean> {
    const [row] = await this.#queries.rows(PRUNE, [before, SLICE]);
    return Number(row?.["count"]) === SLICE;
  }
}

const WRITE = "INSERT INTO audit_trail (at, who, action, what, details) VALUES ($1, $2, $3, $4, $5)";

const READ = "SELECT * FROM audit_trail WHERE seq < $1 ORDER BY seq DESC LIMIT $2";

const PRUNE = `WITH pruned AS (
    DELETE FROM audit_trail WHERE seq IN (
      SELECT seq FROM audit_trail WHERE at < $1 ORDER BY at, seq LIMIT $2) RETURNING 1)
  SELECT count(*) AS count FROM pruned`;
