import type { RabbitSource, RabbitTls } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { type AmqpEndpoint, amqpEndpoints } from "../wire/amqp/amqp_options.ts";
import { canDecode } from "../wire/options/option_values.ts";

/** Options of the TLS handshake, with the names of `node:tls`. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: true;
}

/**
 * The brokers of a source, in the order in which they are tried.
 *
 * @throws {UserError} when an address cannot be read.
 */
export function endpointsOf(source: RabbitSource): readonly AmqpEndpoint[] {
  if (source.url !== undefined && source.host !== undefined) {
    throw new UserError("Cannot find RabbitMQ: rabbit.url and rabbit.host exclude each other");
  }
  const urls = source.url === undefined ? [] : [source.url].flat();
  for (const url of urls) checkUrl(source, url);
  const endpoints = amqpEndpoints(source);
  if (endpoints.length === 0) throw new UserError("Cannot find RabbitMQ: rabbit.url or rabbit.host is an empty list");
  return endpoints;
}

/**
 * Reads certificates and key. This happens before each connection, so that renewed files are used
 * without a restart.
 *
 * @throws {UserError} when a file cannot be read or is not a PEM file.
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
  // The TLS library accepts any content and then fails the handshake with a misleading error.
  if (!new RegExp(`^-----BEGIN [A-Z ]*${file.label}-----`, "m").test(text)) {
    throw new UserError(
      `Cannot use ${file.setting} "${file.path}": it holds no PEM block "${file.label}". Name the right file`,
    );
  }
  return text;
}

function checkUrl({ tls }: RabbitSource, text: string): void {
  // No error here may show the URL: it contains the password.
  if (!URL.canParse(text)) {
    throw new UserError("Cannot read rabbit.url: it is not amqp://user:password@host:port/vhost");
  }
  const { protocol, search, hostname, username, password, pathname } = new URL(text);
  const secure = protocol === "amqps:";
  if (!secure && protocol !== "amqp:") {
    throw new UserError(`Cannot use rabbit.url: "${protocol}//" is neither amqp:// nor amqps://`);
  }
  if (search !== "") {
    throw new UserError(
      'Cannot use rabbit.url: what follows "?" is not read. Use rabbit.heartbeatSeconds, rabbit.tls, …',
    );
  }
  if (secure && tls === false) throw new UserError("Cannot use rabbit.url: amqps:// and tls: false contradict");
  if (!secure && tls) throw new UserError("Cannot use rabbit.url: with rabbit.tls it must begin with amqps://");
  for (const [name, part] of Object.entries({ host: hostname, user: username, password, vhost: pathname })) {
    if (!canDecode(part)) {
      throw new UserError(`Cannot read rabbit.url: its ${name} holds a "%" that must be written as "%25"`);
    }
  }
}
