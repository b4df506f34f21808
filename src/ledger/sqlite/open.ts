import { dirname } from "node:path";
import { UserError } from "../../model/errors.ts";
import { type Database, openDatabase, type OpenOptions } from "./database.ts";

/** A ledger that only this service and operators' short commands write. */
export interface OwnedLedger extends Disposable {
  readonly database: Database;
}

/**
 * Opens the service's ledger, or one that is copied. A file lock of the operating system, which ends with the process,
 * keeps every other service out.
 *
 * @throws {UserError} when another service uses it, or it cannot be opened.
 */
export function ownLedger(
  file: string,
  options: Partial<Pick<OpenOptions, "onOlder" | "create" | "isCopied">> = {},
): OwnedLedger {
  const lock = lockFile(file);
  try {
    const database = openDatabase(file, { create: true, ...options });
    return {
      database,
      [Symbol.dispose]() {
        database.close();
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

function lockFile(file: string): Deno.FsFile {
  let lock: Deno.FsFile;
  try {
    Deno.mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    lock = Deno.openSync(`${file}.lock`, { write: true, create: true, mode: 0o640 });
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new UserError(
      `Cannot open the ledger "${file}": ${why}. Set ledger.file to a place that this user may write to`,
    );
  }
  if (lock.tryLockSync(true)) return lock;
  lock.close();
  throw new UserError(
    `Cannot open the ledger "${file}": another oss-watcher uses it. Stop that one, or set ledger.file to another path`,
  );
}
