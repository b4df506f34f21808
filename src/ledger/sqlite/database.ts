import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { COPYING, unfinishedCopy } from "../copy/copy_store.ts";
import { addOrderHash } from "./order_hash.ts";
import { APPLICATION_ID, STEPS } from "./schema.ts";

export type Database = DatabaseSync;
export type Statement = StatementSync;

/**
 * How long a write blocks while another process has the write lock, which takes milliseconds. After
 * that {@linkcode LedgerUnavailable} is thrown, and `RetryingLedger` waits without blocking.
 */
const BUSY_TIMEOUT_MS = 1000;

export interface OpenOptions {
  /** Whether to create a missing file and to migrate an older one: for the service alone. */
  readonly create: boolean;
  /** Migrations. @default all */
  readonly steps?: readonly string[];
  /** @default 1000 */
  readonly busyTimeoutMs?: number;
  /** Whether it may be an unfinished copy: for the command that makes it. @default false */
  readonly isCopied?: boolean;
  /** Called before an older schema is migrated, which may take minutes. */
  readonly onOlder?: (versions: { readonly from: number; readonly to: number }) => void;
}

const PRAGMAS = [
  // For a new file. Rows of events and notifications take 2 KiB: a page of 4 KiB would hold one.
  "PRAGMA page_size = 8192",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  // 2000 pages, 16 MiB. A checkpoint copies a page that changes often once, and costs 2 fsyncs.
  "PRAGMA wal_autocheckpoint = 2000",
  // 8 MiB. The kernel's page cache has the rest.
  "PRAGMA cache_size = -8192",
];

/**
 * Opens a ledger file. With `create` it creates a missing file and migrates an older schema.
 *
 * @throws {UserError} when the file is no ledger, is damaged, is read-only or was written by a
 * newer oss-watcher. The file is left untouched then.
 */
export function openDatabase(file: string, options: OpenOptions): Database {
  const { create, steps = STEPS, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const there = inspect(file, steps.length);
  if (!there && !create) {
    throw new UserError(`Cannot open the ledger "${file}": it is not there. Has the service run yet?`);
  }
  let database: Database | undefined;
  try {
    if (!there) touch(file);
    database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    for (const pragma of PRAGMAS) run(database, pragma);
    addOrderHash(database);
    migrate(database, { ...options, file, steps });
    if (options.isCopied !== true) refuseUnfinishedCopy(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof UserError ? error : unopenable(file, error);
  }
}

function refuseUnfinishedCopy(database: Database, file: string): void {
  const mark = database.prepare("SELECT value FROM fact WHERE name = ?").get(COPYING)?.["value"];
  if (mark !== undefined) throw new UserError(`Cannot open the ledger "${file}": ${unfinishedCopy(String(mark))}`);
}

/** How long a reader waits for a lock that a recovery of the write-ahead log holds. */
const READ_TIMEOUT_MS = 100;

/**
 * Opens a ledger of this version for reading. `null`: there is none, or it cannot be read; why is not
 * told.
 */
export function openReadOnly(file: string): Database | null {
  let database: Database | undefined;
  try {
    const { isFile, size } = Deno.statSync(file);
    if (!isFile || size === 0) return null;
    database = new DatabaseSync(file, { readOnly: true, timeout: READ_TIMEOUT_MS });
    const { application_id: application } = database.prepare("PRAGMA application_id").get() ?? {};
    if (Number(application) === APPLICATION_ID && versionOf(database) === STEPS.length) return database;
  } catch {
    // As above.
  }
  database?.close();
  return null;
}

/**
 * Creates an empty file that only its owner and group can read: it will hold tenants' data. SQLite
 * gives its write-ahead log the same mode.
 */
function touch(file: string): void {
  Deno.openSync(file, { write: true, create: true, mode: 0o640 }).close();
}

/** Copies a consistent snapshot of a ledger to another file. */
export async function copyDatabase(database: Database, file: string): Promise<void> {
  touch(file);
  await backup(database, file, { rate: -1 });
}

/** Prepared statements, by the names of their SQL texts. */
export type Statements<Texts> = Readonly<Record<keyof Texts, Statement>>;

export function prepareAll<Texts extends Readonly<Record<string, string>>>(
  database: Database,
  texts: Texts,
): Statements<Texts> {
  const prepared = Object.entries(texts).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements<Texts>;
}

/**
 * Runs `action` in one transaction, which takes the write lock when it begins.
 *
 * @throws {LedgerUnavailable} when nothing was written and waiting may help.
 * @throws {UserError} when the file is damaged.
 */
export function transaction<Result>(database: Database, action: () => Result): Result {
  try {
    const { begin, commit } = endsOf(database);
    begin.run();
    const result = action();
    commit.run();
    return result;
  } catch (error) {
    if (database.isOpen && database.isTransaction) rollBack(database);
    throw translated(error);
  }
}

/** Runs `action`, which only reads, and translates errors as {@linkcode transaction} does. */
export function reading<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw translated(error);
  }
}

const ENDS = new WeakMap<Database, { readonly begin: Statement; readonly commit: Statement }>();

function endsOf(database: Database): { readonly begin: Statement; readonly commit: Statement } {
  let ends = ENDS.get(database);
  if (ends === undefined) {
    ends = { begin: database.prepare("BEGIN IMMEDIATE"), commit: database.prepare("COMMIT") };
    ENDS.set(database, ends);
  }
  return ends;
}

/** Not by `exec`: the errors of Deno's `exec` lack SQLite's result code. */
function run(database: Database, sql: string): void {
  database.prepare(sql).run();
}

function rollBack(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself, as it does when the disk is full.
  }
}

/**
 * SQLite's primary result codes for which waiting may help: BUSY, LOCKED, READONLY, IOERR, FULL,
 * CANTOPEN.
 */
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
  const { errcode, message } = (error ?? {}) as { readonly errcode?: unknown; readonly message?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : CODE_OF_TEXT.get(message) ?? null;
}

/**
 * Errors of the constructor and of `exec` have no result code: they are known by SQLite's texts.
 */
const CODE_OF_TEXT: ReadonlyMap<unknown, number> = new Map([
  ["database is locked", 5],
  ["attempt to write a readonly database", 8],
  ["disk I/O error", 10],
  ["database or disk is full", 13],
  ["unable to open database file", 14],
]);

/** What to do about a file that cannot be opened, by SQLite's primary result code. */
const ADVICE: Readonly<Record<number, string>> = {
  5: "Another process holds it: stop that one, then try again",
  8: "Give this user the right to write it and its directory",
  10: "Look after the disk that it is on",
  13: "Make room on the disk that it is on",
  14: "Is its directory there, and may this user write in it?",
};

function unopenable(file: string, error: unknown): UserError {
  const cause = error instanceof LedgerUnavailable ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  const advice = ADVICE[resultCode(cause) ?? 0] ?? "Restore a backup, or move the file away to begin anew";
  return new UserError(`Cannot open the ledger "${file}": ${why}. ${advice}`, { cause });
}

/** Checks the file's header before SQLite opens it and writes. Returns whether the file exists. */
function inspect(file: string, knownSteps: number): boolean {
  const no = (why: string) => new UserError(`Cannot open the ledger "${file}": ${why}`);
  const cutOff = "it is cut off. Restore a backup, or move the file away to begin anew";
  const found = readHeader(file);
  if (found === undefined) return false;
  const { header, size } = found;
  if (size === 0) {
    // SQLite would take it for a new file, and delete the write-ahead log.
    if (exists(`${file}-wal`)) throw no(cutOff);
    return true;
  }
  if (new TextDecoder("latin1").decode(header.subarray(0, 16)) !== "SQLite format 3\0" || header.length < 100) {
    throw no("it is no ledger. Move it away, or set ledger.file to another path");
  }
  const view = new DataView(header.buffer);
  const version = view.getUint32(60);
  if (view.getUint32(68) !== APPLICATION_ID && (version !== 0 || size > view.getUint16(16))) {
    throw no("it is a database of another program. Set ledger.file to another path");
  }
  if (version > knownSteps) throw no(newer(version, knownSteps));
  const pageSize = view.getUint16(16) === 1 ? 65536 : view.getUint16(16);
  // A killed checkpoint may leave a short file, but always beside its write-ahead log.
  if (size < view.getUint32(28) * pageSize && !exists(`${file}-wal`)) {
    throw no(cutOff);
  }
  return true;
}

/**
 * Reads the header. Opens for writing, too: SQLite would open read-only, and fail at the first
 * event.
 */
function readHeader(file: string): { readonly header: Uint8Array<ArrayBuffer>; readonly size: number } | undefined {
  try {
    const { isFile, size } = Deno.statSync(file);
    if (!isFile) {
      throw new UserError(`Cannot open the ledger "${file}": it is no file. Set ledger.file to another path`);
    }
    using opened = Deno.openSync(file, { read: true, write: true });
    const header = new Uint8Array(100);
    return { header: header.subarray(0, opened.readSync(header) ?? 0), size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof UserError) throw error;
    const why = error instanceof Error ? error.message : error;
    throw new UserError(`Cannot write the ledger "${file}": ${why}. Give this user the right to write it`);
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}

function migrate(
  database: Database,
  { file, steps, create, onOlder }:
    & { readonly file: string; readonly steps: readonly string[] }
    & Pick<OpenOptions, "create" | "onOlder">,
): void {
  const version = versionOf(database);
  // The header may be behind: a newer version may be in the write-ahead log alone.
  if (version > steps.length) throw new UserError(`Cannot open the ledger "${file}": ${newer(version, steps.length)}`);
  if (version === steps.length) return;
  // A command must not migrate the file of a running, older service.
  if (!create) {
    throw new UserError(
      `Cannot open the ledger "${file}": an older oss-watcher wrote it. Start the service of this version once`,
    );
  }
  if (version > 0) onOlder?.({ from: version, to: steps.length });
  transaction(database, () => {
    // The version is read again: another process may have migrated the file meanwhile.
    for (const step of steps.slice(versionOf(database))) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${steps.length}`);
  });
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

function newer(version: number, knownSteps: number): string {
  return `it was written by a newer oss-watcher (schema ${version}, this one knows ${knownSteps}). Run the newer one`;
}

function versionOf(database: Database): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}
