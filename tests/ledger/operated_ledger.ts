import type { ComparisonLedger } from "../../src/model/comparison_ledger.ts";
import type { DeliveredLedger } from "../../src/model/delivered.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";

/** A ledger of its own for one test, with what operators, audits and housekeeping do to it. */
export interface OperatedLedger extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly comparisons: ComparisonLedger;
  /** Its time, milliseconds since the epoch. */
  now: number;
  operations(): Promise<LedgerOperations>;
  delivered(): Promise<DeliveredLedger>;
  /** Runs a statement of SQL that every database takes. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Makes it so that a plugin was told an event that it had no delivery of. */
  markTold(event: { readonly key: string; readonly plugin: string }): Promise<void>;
  /** Prunes what ended before this time. */
  prune(before: number): Promise<void>;
  /** Deletes what the audit trail has of before this time. */
  pruneTrail(before: number): Promise<void>;
}

export interface OperatedContract {
  /** Begins the names of its tests. */
  readonly name: string;
  readonly open: () => Promise<OperatedLedger>;
}

/** Counts the rows of a table. */
export async function count(opened: OperatedLedger, table: string): Promise<number> {
  const [row] = await opened.sql(`SELECT count(*) AS n FROM ${table}`);
  return Number(row?.["n"]);
}

/** One column of a table, in the order of another one. */
export async function textsIn(
  opened: OperatedLedger,
  table: string,
  column: string,
  order = column,
): Promise<string[]> {
  const rows = await opened.sql(`SELECT ${column} AS name FROM ${table} ORDER BY ${order}`);
  return rows.map(({ name }) => String(name));
}
