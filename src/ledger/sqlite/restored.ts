import { type Database, openDatabase, transaction } from "./database.ts";

/** Row of table `fact`: when the last restore was noticed. */
export const RESTORED_AT = "restored_at";
/** Row of table `fact` of a copy that the command `backup` has written: when. */
const COPIED_AT = "copied_at";
/** Row of table `fact`: the file's number in its file system (inode). */
const FILE_NUMBER = "file_number";
/** Row of table `fact`: how often a service was started with the ledger. The lock file has it, too. */
const STARTS = "starts";

/** Marks a copy of a ledger, so that the service that is started with it knows. */
export function markCopy(file: string): void {
  const database = openDatabase(file, { create: false });
  try {
    putFact(database, COPIED_AT, Date.now());
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

/**
 * Notices that the ledger was restored from a backup or copied: what was announced after that is
 * not in it. Returns whether that is so.
 */
export function noticeRestore(
  database: Database,
  { file, now }: { readonly file: string; readonly now: number },
): boolean {
  const { ino } = Deno.statSync(file);
  const starts = fact(database, STARTS) ?? 0;
  const restored = isRestored(database, file);
  transaction(database, () => {
    putFact(database, STARTS, starts + 1);
    if (ino !== null) putFact(database, FILE_NUMBER, ino);
    if (!restored) return;
    database.prepare("DELETE FROM fact WHERE name = ?").run(COPIED_AT);
    putFact(database, RESTORED_AT, now);
    // Receivers may know numbers of events that are not in this copy. Events come less than once a
    // millisecond, so what follows is above all of them.
    database.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'event'").run(now);
  });
  noteStarts(file, starts + 1);
  return restored;
}

/** Whether the ledger was restored or copied, and {@linkcode noticeRestore} has not noticed. */
export function isRestored(database: Database, file: string): boolean {
  const { ino } = Deno.statSync(file);
  const known = fact(database, FILE_NUMBER);
  return fact(database, COPIED_AT) !== null || (known !== null && ino !== null && known !== ino) ||
    startsOf(file) > (fact(database, STARTS) ?? 0);
}

/** The ledger belongs in this file, where another may have been. Runs inside a transaction. */
export function settleIn(database: Database, file: string): void {
  putFact(database, STARTS, startsOf(file));
}

/** The starts that the lock file beside the ledger knows: a copy that was put back has fewer. */
function startsOf(file: string): number {
  try {
    return Number(Deno.readTextFileSync(`${file}.lock`)) || 0;
  } catch {
    // A lock that cannot be read, as on Windows, tells nothing.
    return 0;
  }
}

function noteStarts(file: string, starts: number): void {
  try {
    Deno.writeTextFileSync(`${file}.lock`, String(starts));
  } catch {
    // As above.
  }
}

/** When the last restore was noticed, milliseconds since the epoch; `null`: never. */
export function restoredAtOf(database: Database): number | null {
  return fact(database, RESTORED_AT);
}

function fact(database: Database, name: string): number | null {
  const value = database.prepare("SELECT value FROM fact WHERE name = ?").get(name)?.["value"];
  return value === undefined ? null : Number(value);
}

function putFact(database: Database, name: string, value: number): void {
  database.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)").run(name, String(value));
}
