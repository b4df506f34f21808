import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { addOrderHash } from "./order_hash.ts";
import { APPLICATION_ID, STEPS } from "./schema.ts";

export type Database = DatabaseSync;
export type Statement = StatementSync;

/** How long a write waits for another process's write, which takes milliseconds; then it is the patient ledger that waits. */
const BUSY_TIMEOUT_MS = 1000;

/** What a ledger is opened with, beside its file. */
export interface OpenOptions {
  /** Whether to make a file that is missing. */
  readonly create: boolean;
  /** @default today's form */
  readonly steps?: readonly string[];
  /** @default 1000 */
  readonly busyTimeoutMs?: number;
  /** Called before a file of an older form is taken forward, which may take minutes. */
  readonly onOlder?: (forms: { readonly from: number; readonly to: number }) => void;
}

const PRAGMAS = [
  // Of a new file. An event and its notification take 2 KiB each: pages of 4 KiB would hold one, and nothing else.
  "PRAGMA page_size = 8192",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  // 16 MiB: what is written again and again goes to the file once, and each time costs two fsyncs.
  "PRAGMA wal_autocheckpoint = 2000",
  // 8 MiB; the kernel has the rest.
  "PRAGMA cache_size = -8192",
];

/**
 * Opens a ledger file, makes it if it is missing, and takes it through the steps that it lacks.
 *
 * @throws {UserError} when the file is no ledger, is damaged, is read-only or comes from a newer oss-watcher; it is untouched then.
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
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof UserError ? error : unopenable(file, error);
  }
}

/** Makes an empty file for a ledger's owner and group alone: it holds what tenants wrote. SQLite gives its other files the same rights. */
function touch(file: string): void {
  Deno.openSync(file, { write: true, create: true, mode: 0o640 }).close();
}

/** Copies a ledger, as it is at one moment, to another file. */
export async function copyDatabase(database: Database, file: string): Promise<void> {
  touch(file);
  await backup(database, file, { rate: -1 });
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

/** Runs `action`, which only reads, and throws what {@linkcode transaction} would. */
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

/** `exec` would do, but Deno's keeps SQLite's result code to itself. */
function run(database: Database, sql: string): void {
  database.prepare(sql).run();
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
  const { errcode, message } = (error ?? {}) as { readonly errcode?: unknown; readonly message?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : CODE_OF_TEXT.get(message) ?? null;
}

/** What the constructor and `exec`, which runs the steps, throw has no code: SQLite's own texts of some. */
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

/** Looks at the file's header before SQLite does, which would begin to write. Returns whether there is a file. */
function inspect(file: string, knownSteps: number): boolean {
  const no = (why: string) => new UserError(`Cannot open the ledger "${file}": ${why}`);
  const cutOff = "it is cut off. Restore a backup, or move the file away to begin anew";
  const found = readHeader(file);
  if (found === undefined) return false;
  const { header, size } = found;
  if (size === 0) {
    // SQLite would take it for new, and throw the log away.
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
  // A checkpoint that was killed may leave a short file, but then beside its write-ahead log.
  if (size < view.getUint32(28) * pageSize && !exists(`${file}-wal`)) {
    throw no(cutOff);
  }
  return true;
}

/** Opens for writing, too: SQLite would be content with reading, and fail at the first event. */
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
  // The header may not have told: a newer form may still be in the log.
  if (version > steps.length) throw new UserError(`Cannot open the ledger "${file}": ${newer(version, steps.length)}`);
  if (version === steps.length) return;
  // A command must not change the form under a service of the older version.
  if (!create) {
    throw new UserError(
      `Cannot open the ledger "${file}": an older oss-watcher wrote it. Start the service of this version once`,
    );
  }
  if (version > 0) onOlder?.({ from: version, to: steps.length });
  transaction(database, () => {
    // Another process may have been faster.
    for (const step of steps.slice(versionOf(database))) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${steps.length}`);
  });
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

function newer(version: number, knownSteps: number): string {
  return `it was written by a newer oss-watcher (form ${version}, this one knows ${knownSteps}). Run the newer one`;
}

function versionOf(database: Database): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}
