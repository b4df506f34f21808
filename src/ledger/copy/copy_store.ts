import type { CopiedRow, TableName, Value } from "./tables.ts";

/** The columns of a row by which its ledger orders a table. */
export type Place = readonly Value[];

/** Some rows of a table. */
export interface Page {
  readonly rows: readonly CopiedRow[];
  /** The place of the last row, in the order of this ledger; `null`: there are no more rows. */
  readonly last: Place | null;
}

/** Rows and characters of a page. It has one row at least. */
export const PAGE_ROWS = 2000;
export const PAGE_CHARACTERS = 4_194_304;

/** The mark of a ledger that is an unfinished copy: what it is a copy of, and how far. */
export interface CopyMark {
  /** The ledger that is copied: a hash of what no other has. */
  readonly source: string;
  /** The ledger that is copied, for people. */
  readonly from: string;
  /** Changes when a service has run with the source, or a command has changed it. */
  readonly state: string;
  /** When the copy was begun, if the source was restored from a backup and nothing has noticed. */
  readonly restoredAt: number | null;
  /** The table that is being copied; `null`: all are. */
  readonly table: TableName | null;
  /** The place of the last row that was copied. */
  readonly after: Place | null;
}

/** Row of table `fact`: {@linkcode CopyMark}, JSON. A service refuses a ledger that has it. */
export const COPYING = "copying";

/** Why a ledger with this mark, JSON, cannot be used. */
export function unfinishedCopy(mark: string): string {
  const { from }: CopyMark = JSON.parse(mark);
  return `it is an unfinished copy of ${from}. Finish it with the same "oss-watcher ledger copy", or remove it`;
}

/** What a ledger says of itself when it is to be copied. */
export interface SourceState extends Pick<CopyMark, "source" | "state"> {
  /** Whether it was restored from a backup, and no service was started since. */
  readonly isRestored: boolean;
}

export interface OpenCopyOptions {
  /** Called when it waits for an earlier copy that may have been killed, at most so long. */
  readonly onWait?: (seconds: number) => void;
}

/** A ledger that nobody else writes to, in the neutral form. */
export interface CopyStore extends AsyncDisposable {
  /** For people, without the password. */
  readonly place: string;
  /** Rows of a table in an order of this ledger, from behind a place. */
  page(table: TableName, after: Place | null): Promise<Page>;
  /** The lowest and the highest number of a table with numbers; `null`: it has none, or no rows. */
  range(table: TableName): Promise<readonly [from: number, to: number] | null>;
  /** @throws {UserError} when somebody else may have written to it since it was opened. */
  confirm(): Promise<void>;
  /** The mark of an unfinished copy; `null`: it is none. */
  mark(): Promise<CopyMark | null>;
}

/** A ledger to copy from. */
export interface CopySource extends CopyStore {
  state(): Promise<SourceState>;
}

/** A ledger to copy to. */
export interface CopyTarget extends CopyStore {
  /** Empties it, and marks it as a copy. */
  begin(mark: CopyMark): Promise<void>;
  /** Writes rows, and how far the copy is with them, in one transaction. Rows that are there are replaced. */
  write(table: TableName, rows: readonly CopiedRow[], mark: CopyMark): Promise<void>;
  /** Works out what the engine needs beside the rows: where queues begin, and what blocks what. */
  complete(): Promise<void>;
  /** Removes the mark: a service may use it. */
  finish(): Promise<void>;
}
