import type { PostgresOptions } from "../model/config.ts";
import { postgresAddress, shownPostgresUrl } from "../model/postgres_address.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";

/**
 * The command of PostgreSQL that copies a ledger to a file, as a shell takes it. It asks for the
 * password, unless that is in `~/.pgpass`.
 */
export function dumpCommand(options: PostgresOptions, file: string): string {
  const address = postgresAddress(options);
  const { caFile, certFile, keyFile } = options;
  const parameters = Object.entries({
    ...(address.usesTls ? { sslmode: "verify-full" } : {}),
    ...(caFile === undefined ? {} : { sslrootcert: caFile }),
    ...(certFile === undefined ? {} : { sslcert: certFile }),
    ...(keyFile === undefined ? {} : { sslkey: keyFile }),
  }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const url = shownPostgresUrl(address) + (parameters.length === 0 ? "" : `?${parameters.join("&")}`);
  return `pg_dump --format=custom --schema=${address.schema} --file=${shellWord(file)} ${shellWord(url)}`;
}
