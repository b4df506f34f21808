import { bracketedHost } from "./bracketed_host.ts";
import type { PostgresOptions } from "./config.ts";
import { POSTGRES_DEFAULTS } from "./config_defaults.ts";

/** What a URL may say of TLS. With TLS, the server's certificate is always verified. */
export const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"] as const;
export type SslMode = typeof SSL_MODES[number];

/** Where a ledger on PostgreSQL is, and as whom to log in. */
export interface PostgresAddress {
  /** At least one: names or addresses, tried in turn. */
  readonly hosts: readonly string[];
  /** The port of each host. */
  readonly ports: readonly number[];
  readonly database: string;
  readonly user: string;
  /** `""`: none. */
  readonly password: string;
  readonly schema: string;
  readonly usesTls: boolean;
}

/** What a URL says; `null`: nothing. */
export interface PostgresUrl extends Omit<PostgresAddress, "schema" | "usesTls"> {
  readonly schema: string | null;
  readonly sslmode: SslMode | null;
}

export const POSTGRES_URL_TEXT =
  "postgres://user:password@host:5432/database, with ,host:5432 for each further host and ?sslmode= where needed";

/** What a schema may be called: no name needs quotes. */
export const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

const DEFAULT_PORT = 5432;

const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^:/?#]*)(?::([^/?#]*))?@)?([^@/?#]*)\/([^/?#]*)(?:\?([^#]*))?$/;

/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i;

/** Whether a text is a URL of PostgreSQL, right or wrong: no path begins like that. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(text);
}

/**
 * The address that options name, with all defaults.
 *
 * @throws {SyntaxError} as {@linkcode readPostgresUrl} does.
 */
export function postgresAddress(options: PostgresOptions): PostgresAddress {
  const { schema, sslmode, ...url } = readPostgresUrl(options.url);
  const saysTls = sslmode !== null && sslmode !== "disable";
  return {
    ...url,
    schema: options.schema ?? schema ?? POSTGRES_DEFAULTS.schema,
    usesTls: saysTls || (sslmode === null && options.caFile !== undefined),
  };
}

/**
 * Reads the URL of a ledger on PostgreSQL, `postgres://user:password@host:5432/database` or
 * `postgresql://…`. Of its parameters, `sslmode` and `schema` are known.
 *
 * @throws {SyntaxError} saying what is wrong, without the URL: it contains the password.
 */
export function readPostgresUrl(url: string): PostgresUrl {
  const parts = URL_PARTS.exec(url);
  if (parts === null) throw new SyntaxError(`it is not ${POSTGRES_URL_TEXT}`);
  const [, user = "", password = "", places = "", database = "", query = ""] = parts;
  const hosts = places.split(",").map(hostOf);
  const known = { user: decoded("user", user), database: decoded("database", database) };
  for (const [name, value] of Object.entries(known)) {
    if (value === "") throw new SyntaxError(`it names no ${name}: ${POSTGRES_URL_TEXT}`);
  }
  return {
    hosts: hosts.map(({ host }) => host),
    ports: hosts.map(({ port }) => port),
    ...known,
    password: decoded("password", password),
    ...parametersOf(query),
  };
}

/** The URL of an address without its password, for people and for PostgreSQL's own tools. */
export function shownPostgresUrl(
  { hosts, ports, database, user }: Omit<PostgresAddress, "schema" | "usesTls">,
): string {
  const places = hosts.map((host, index) => `${bracketedHost(host)}:${ports[index]}`);
  return `postgres://${encodeURIComponent(user)}@${places.join(",")}/${encodeURIComponent(database)}`;
}

function hostOf(place: string): { readonly host: string; readonly port: number } {
  const [, address, name, digits] = HOST.exec(place) ?? [];
  const host = address ?? decoded("host", name ?? "");
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === "") throw new SyntaxError(`a host of it is empty or no host: ${POSTGRES_URL_TEXT}`);
  if (port < 1 || port > 65_535) throw new SyntaxError("a port of it is not from 1 to 65535");
  return { host, port };
}

function parametersOf(query: string): Pick<PostgresUrl, "schema" | "sslmode"> {
  const parameters = new URLSearchParams(query);
  const names = [...new Set(parameters.keys())];
  const unknown = names.filter((name) => name !== "sslmode" && name !== "schema").length;
  if (unknown > 0) throw new SyntaxError("of its parameters, only sslmode and schema are known");
  const [sslmode, schema] = [parameters.get("sslmode"), parameters.get("schema")];
  const mode = SSL_MODES.find((known) => known === sslmode) ?? null;
  if (sslmode !== null && mode === null) {
    throw new SyntaxError(`its sslmode is none of ${SSL_MODES.join(", ")}`);
  }
  if (schema !== null && !SCHEMA_NAME.test(schema)) {
    throw new SyntaxError("its schema is not a name of 1 to 63 small letters, digits and _");
  }
  return { schema, sslmode: mode };
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SyntaxError(`its ${name} holds a "%" that must be written as "%25"`);
  }
}
