import { join } from "node:path";
import type { LedgerOptions, PostgresOptions } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { isPostgresUrl, postgresAddress, readPostgresUrl, shownPostgresUrl } from "../model/postgres_address.ts";

/** Where a ledger is: a file of SQLite, or a database of PostgreSQL. */
export type LedgerPlace = { readonly file: string } | { readonly postgres: PostgresOptions };

/** The place that config.ts names, or the default one. */
export function placeOf(options: LedgerOptions = {}): LedgerPlace {
  return options.postgres === undefined ? { file: ledgerFileOf(options) } : { postgres: options.postgres };
}

/**
 * The place that an operator names, a path or a URL of PostgreSQL.
 *
 * @throws {UserError} when the URL cannot be read.
 */
export function placeNamed(text: string): LedgerPlace {
  if (!isPostgresUrl(text)) return { file: text };
  try {
    readPostgresUrl(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`Cannot read the URL of the ledger: ${error.message}`);
  }
  return { postgres: { url: text } };
}

/** A place for people, without its password. */
export function shownPlace(place: LedgerPlace): string {
  if ("file" in place) return `"${place.file}"`;
  const address = postgresAddress(place.postgres);
  return `"${shownPostgresUrl(address)}", schema "${address.schema}"`;
}

/**
 * The path of a ledger on SQLite: `ledger.file` of config.ts, else in systemd's `StateDirectory=`,
 * in `$XDG_STATE_HOME`, below the user's home, and for root in `/var/lib/oss-watcher`. Root is
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
