import { SqliteAuditTrail } from "../../src/ledger/sqlite/audit_trail.ts";
import { Comparisons } from "../../src/ledger/sqlite/comparisons.ts";
import { openDelivered } from "../../src/ledger/sqlite/delivered.ts";
import { Pruner } from "../../src/ledger/sqlite/prune.ts";
import type { DeliveredLedger } from "../../src/model/delivered.ts";
import type { OperatedLedger } from "../ledger/operated_ledger.ts";
import { OpenedSqliteLedger } from "./opened_sqlite_ledger.ts";

/** A ledger on SQLite, as operators' commands and housekeeping treat it. */
export class OperatedSqliteLedger extends OpenedSqliteLedger implements OperatedLedger {
  readonly comparisons = new Comparisons(this.opened.database);

  delivered(): Promise<DeliveredLedger> {
    return Promise.resolve(openDelivered(this.opened.file));
  }

  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return Promise.resolve(this.opened.database.prepare(text).all());
  }

  async markTold({ key, plugin }: { readonly key: string; readonly plugin: string }): Promise<void> {
    await this.sql(`INSERT INTO delivery (seq, plugin, state, due_at, attempts, finished_at)
      SELECT e.seq, (SELECT id FROM plugin WHERE name = '${plugin}'), 'done', 0, 1, 0 FROM event AS e WHERE e.key = '${key}'`);
  }

  pruneTrail(before: number): Promise<void> {
    const trail = new SqliteAuditTrail(this.opened.database);
    while (trail.pruneSlice(before));
    return Promise.resolve();
  }

  prune(before: number): Promise<void> {
    const pruner = new Pruner(this.opened.database);
    while (pruner.slice(before));
    return Promise.resolve();
  }
}
