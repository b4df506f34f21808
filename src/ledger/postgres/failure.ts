import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";

/**
 * Errors of PostgreSQL for which waiting may help, by SQLSTATE or its class. An operator can take
 * rights away, or fill a disk, and undo that.
 */
const UNAVAILABLE: readonly RegExp[] = [
  /^08/, // connection exception
  /^25006$/, // read-only: a standby
  /^25P0[34]$/, // a transaction that idled, or took too long
  /^28/, // login refused
  /^3D000$/, // the database is not there
  /^40/, // rolled back: deadlock, serialization
  /^42501$/, // insufficient privilege
  /^53/, // insufficient resources: disk full, too many connections
  /^55/, // not in the state that is needed: lock not available
  /^57/, // operator intervention: shutdown, cancelled
  /^58/, // system error: an I/O error
  /^XX00[12]$/, // damaged data or index
];

/** Errors of the connection, by the codes of the library and of the system. */
const CONNECTION =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|EPIPE|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|ENOENT|EACCES|UNABLE_TO|CERT_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS|ERR_SSL|EINVAL)/;

/** What an error of a statement means: {@linkcode LedgerUnavailable} where waiting may help. */
export function translated(error: unknown): unknown {
  if (error instanceof LedgerUnavailable || error instanceof UserError) return error;
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === "string") {
    if (CONNECTION.test(code)) return unavailable(`cannot reach PostgreSQL: ${withoutWrite(String(message))}`, error);
    if (UNAVAILABLE.some((pattern) => pattern.test(code))) {
      return unavailable(`PostgreSQL refuses: ${message} (SQLSTATE ${code})`, error);
    }
    return error;
  }
  // Errors of TLS have no code in Deno.
  if (error instanceof Error && /certificate|tls|ssl|UnexpectedEof/i.test(error.message)) {
    return unavailable(`cannot reach PostgreSQL: ${error.message}`, error);
  }
  return error;
}

/** The SQLSTATE of an error, or of what led to it; `null`: it has none. */
export function sqlStateOf(error: unknown): string | null {
  const from = error instanceof LedgerUnavailable ? error.cause : error;
  const { code } = (from ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Whether the server ends the connection with this error: it shuts down, or somebody has it ended. */
export function isEndOfConnection(error: unknown): boolean {
  return /^57P/.test(sqlStateOf(error) ?? "");
}

function unavailable(message: string, cause: unknown): LedgerUnavailable {
  return new LedgerUnavailable(message, { cause });
}

/** The library says `write CONNECTION_CLOSED host:port`. */
function withoutWrite(message: string): string {
  return message.replace(/^write /, "").replace(/^CONNECTION_(CLOSED|DESTROYED|ENDED)/, "the connection was lost to")
    .replace(/^CONNECT_TIMEOUT/, "no answer from");
}
