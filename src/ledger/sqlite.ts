import { DatabaseSync, type StatementSync } from "node:sqlite";
import { UserError } from "../model/errors.ts";
import { LedgerUnavailable } from "../model/ledger.ts";
import { APPLICATION_ID, STEPS } from "./schema.ts";

export type Database = DatabaseSync;
export type Statement = StatementSync;

/** How long a write waits for another process's write, which takes milliseconds. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens a ledger file, makes it if it is missing, and takes it through the steps that it lacks.
 *
 * @throws {UserError} when the file is no ledger, is damaged, is read-only or comes from a newer oss-watcher; it is untouched then.
 */
export function openDatabase(file: string, { create }: { readonly create: boolean }): Database {
  const there = inspect(file);
  if (!there && !create) {
    throw new UserError(`Cannot open the ledger "${file}": it is not there. Has the service run yet?`);
  }
  try {
    const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA wal_autocheckpoint = 1000");
    database.exec("PRAGMA cache_size = -16384");
    migrate(database, file);
    return database;
  } catch (error) {
    throw error instanceof UserError ? error : damaged(file, error);
  }
}

/** Prepared statements by the names of their texts. */
export type Statements<Texts> = Readonly<Record<keyof Texts, Statement>>;

export function prepareAll<Texts extends Readonly<Record<string, string>>>(
  database: Database,
  texts: Texts,
): Statements<Texts> {
  const prepared = Object.entries(texts).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements<Texts>;
}

/** Runs `action` in one transaction that takes the write lock at once; all of it is written, or nothing. */
export function transaction<Result>(database: Database, action: () => Result): Result {
  try {
    database.exec("BEGIN IMMEDIATE");
    const result = action();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) rollBack(database);
    throw translated(error);
  }
}

function rollBack(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back itself: a full disk does that.
  }
}

/** SQLite's primary result codes for which waiting may help: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN. */
const UNAVAILABLE = new Set([5, 6, 8, 10, 13, 14]);
/** CORRUPT and NOTADB. */
const DAMAGED = new Set([11, 26]);

function translated(error: unknown): unknown {
  const code = resultCode(error);
  if (code === null) return error;
  const { message } = error as Error;
  if (UNAVAILABLE.has(code)) return new LedgerUnavailable(message, { cause: error });
  if (DAMAGED.has(code)) {
    return new UserError(`Cannot go on with the ledger: ${message}. Restore a backup`, { cause: error });
  }
  return error;
}

function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : null;
}

function damaged(file: string, error: unknown): UserError {
  const why = error instanceof Error ? error.message : String(error);
  const code = resultCode(error);
  if (code === 8) {
    return new UserError(`Cannot write the ledger "${file}": it is read-only. Give this user the right to write it`);
  }
  if (code === 5) {
    return new UserError(
      `Cannot open the ledger "${file}": another process holds it. Stop that process, then try again`,
    );
  }
  if (code === 14) {
    return new UserError(
      `Cannot open the ledger "${file}": ${why}. Is its directory there, and may this user write in it?`,
    );
  }
  return new UserError(
    `Cannot open the ledger "${file}": ${why}. Restore a backup, or move the file away to begin anew`,
  );
}

/** Looks at the file's header before SQLite does, which would begin to write. Returns whether there is a file. */
function inspect(file: string): boolean {
  let header: Uint8Array<ArrayBuffer>;
  let size: number;
  try {
    size = Deno.statSync(file).size;
    using opened = Deno.openSync(file);
    header = new Uint8Array(100);
    header = header.subarray(0, opened.readSync(header) ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new UserError(`Cannot read the ledger "${file}": ${error instanceof Error ? error.message : error}`);
  }
  if (size === 0) return true;
  const no = (why: string) => new UserError(`Cannot open the ledger "${file}": ${why}`);
  if (new TextDecoder("latin1").decode(header.subarray(0, 16)) !== "SQLite format 3\0" || header.length < 100) {
    throw no("it is no ledger. Move it away, or set ledger.file to another path");
  }
  const view = new DataView(header.buffer);
  const version = view.getUint32(60);
  if (view.getUint32(68) !== APPLICATION_ID && (version !== 0 || size > view.getUint16(16))) {
    throw no("it is a database of another program. Set ledger.file to another path");
  }
  if (version > STEPS.length) {
    throw no(
      `it was written by a newer oss-watcher (form ${version}, this one knows ${STEPS.length}). Run the newer one`,
    );
  }
  const pageSize = view.getUint16(16) === 1 ? 65536 : view.getUint16(16);
  // A checkpoint that was killed may leave a short file, but then beside its write-ahead log.
  if (size < view.getUint32(28) * pageSize && !exists(`${file}-wal`)) {
    throw no("it is cut off. Restore a backup, or move the file away to begin anew");
  }
  return true;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}

function migrate(database: Database, file: string): void {
  const version = versionOf(database);
  if (version > STEPS.length) {
    throw new UserError(
      `Cannot open the ledger "${file}": it was written by a newer oss-watcher (form ${version}, this one knows ${STEPS.length})`,
    );
  }
  if (version === STEPS.length) return;
  transaction(database, () => {
    // Another process may have been faster.
    for (const step of STEPS.slice(versionOf(database))) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${STEPS.length}`);
  });
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

function versionOf(database: Database): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}
