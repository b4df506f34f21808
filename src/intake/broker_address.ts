import type { RabbitSource, RabbitTls } from "../model/config.ts";
import { UserError } from "../model/errors.ts";

/** One broker to try, with what it takes to log in. */
export interface Endpoint {
  /** `host:port`, for people. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  readonly tls: boolean;
}

/** What the TLS handshake takes, as `node:tls` names it. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: true;
}

/**
 * The brokers of a source, in the order in which they are to be tried.
 *
 * @throws {UserError} when an address cannot be read.
 */
export function endpointsOf(source: RabbitSource): readonly Endpoint[] {
  if (source.url !== undefined && source.host !== undefined) {
    throw new UserError("Cannot find RabbitMQ: rabbit.url and rabbit.host exclude each other");
  }
  const endpoints = source.url === undefined
    ? listOf(source.host ?? "localhost").map((host) => endpointOf(source, { host }))
    : listOf(source.url).map((url) => fromUrl(source, url));
  if (endpoints.length === 0) throw new UserError("Cannot find RabbitMQ: rabbit.url or rabbit.host is an empty list");
  return endpoints;
}

/**
 * Reads certificates and key. Done before each connection, so that renewed ones are used without a restart.
 *
 * @throws {UserError} when a file cannot be read or is no PEM file.
 */
export function readTls(tls: RabbitTls, readFile: (path: string) => Uint8Array): TlsMaterial {
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new UserError("Cannot use rabbit.tls: certFile and keyFile go together");
  }
  const pem = (setting: "caFile" | "certFile" | "keyFile", label: string) => {
    const path = tls[setting];
    return path === undefined ? undefined : readPem({ setting: `rabbit.tls.${setting}`, path, label }, readFile);
  };
  const ca = pem("caFile", "CERTIFICATE");
  const cert = pem("certFile", "CERTIFICATE");
  const key = pem("keyFile", "PRIVATE KEY");
  return {
    ...ca !== undefined && { ca },
    ...cert !== undefined && { cert },
    ...key !== undefined && { key },
    ...tls.serverName !== undefined && { servername: tls.serverName },
    rejectUnauthorized: true,
  };
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return error instanceof Error ? error.name : "unreadable";
}

function readPem(file: { setting: string; path: string; label: string }, read: (path: string) => Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder().decode(read(file.path));
  } catch (error) {
    throw new UserError(
      `Cannot read ${file.setting} "${file.path}": ${whyUnreadable(error)}. Correct it, or let this user read the file`,
      { cause: error },
    );
  }
  // The TLS library takes anything in silence and then fails the handshake for another reason.
  if (!new RegExp(`^-----BEGIN [A-Z ]*${file.label}-----`, "m").test(text)) {
    throw new UserError(
      `Cannot use ${file.setting} "${file.path}": it holds no PEM block "${file.label}". Name the right file`,
    );
  }
  return text;
}

function fromUrl(source: RabbitSource, text: string): Endpoint {
  // No error here may show the URL: it holds the password.
  if (!URL.canParse(text)) {
    throw new UserError("Cannot read rabbit.url: it is not amqp://user:password@host:port/vhost");
  }
  const url = new URL(text);
  const secure = url.protocol === "amqps:";
  if (!secure && url.protocol !== "amqp:") {
    throw new UserError(`Cannot use rabbit.url: "${url.protocol}//" is neither amqp:// nor amqps://`);
  }
  if (url.search !== "") {
    throw new UserError(
      'Cannot use rabbit.url: what follows "?" is not read. Use rabbit.heartbeatSeconds, rabbit.tls, …',
    );
  }
  if (secure && source.tls === false) throw new UserError("Cannot use rabbit.url: amqps:// and tls: false contradict");
  if (!secure && source.tls) throw new UserError("Cannot use rabbit.url: with rabbit.tls it must begin with amqps://");
  return endpointOf(source, {
    host: decode(url.hostname, "host") || "localhost",
    ...url.port !== "" && { port: Number(url.port) },
    ...url.username !== "" && { user: decode(url.username, "user"), password: decode(url.password, "password") },
    // As kombu reads it: no path or one slash is the vhost "/", and only the first slash is cut off.
    ...url.pathname.length > 1 && { vhost: decode(url.pathname.slice(1), "vhost") },
    tls: secure,
  });
}

function decode(part: string, name: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UserError(`Cannot read rabbit.url: its ${name} holds a "%" that must be written as "%25"`);
  }
}

function endpointOf(source: RabbitSource, given: { host: string } & Partial<Omit<Endpoint, "label">>): Endpoint {
  const tls = given.tls ?? Boolean(source.tls);
  const host = given.host.replace(/^\[(.*)\]$/, "$1");
  const port = given.port ?? source.port ?? (tls ? 5671 : 5672);
  const user = given.user ?? source.user ?? "guest";
  const password = given.password ?? source.password ?? (user === "guest" ? "guest" : "");
  const vhost = given.vhost ?? source.vhost ?? "/";
  return {
    label: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    host,
    port,
    user,
    password,
    vhost,
    tls,
  };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
