import { dirname, join } from "node:path";
import type { LedgerOptions } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import { type Database, openDatabase, type OpenOptions } from "./database.ts";

/**
 * The path of the ledger: `ledger.file` of config.ts, else in systemd's `StateDirectory=`, in
 * `$XDG_STATE_HOME`, below the user's home, and for root in `/var/lib/oss-watcher`. Root is
 * recognised by its home: to ask the system would take another permission of Deno.
 */
export function ledgerFileOf(options: LedgerOptions = {}): string {
  if (options.file !== undefined) return options.file;
  const systemd = Deno.env.get("STATE_DIRECTORY")?.split(":")[0];
  if (systemd) return join(systemd, "ledger.db");
  const state = Deno.env.get("XDG_STATE_HOME");
  if (state) return join(state, "oss-watcher", "ledger.db");
  const home = Deno.env.get("HOME");
  if (home && home !== "/root" && home !== "/") return join(home, ".local", "state", "oss-watcher", "ledger.db");
  return "/var/lib/oss-watcher/ledger.db";
}

/** A ledger that only this service and operators' short commands write. */
export interface OwnedLedger extends Disposable {
  readonly database: Database;
}

/**
 * Opens the service's ledger. A file lock of the operating system, which ends with the process,
 * keeps every other service out.
 *
 * @throws {UserError} when another service uses it, or it cannot be opened.
 */
export function ownLedger(file: string, options: Pick<OpenOptions, "onOlder"> = {}): OwnedLedger {
  const lock = lockFile(file);
  try {
    const database = openDatabase(file, { ...options, create: true });
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
