import { UserError } from "../model/errors.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";

/** What went wrong, for a log line: no stack, no control characters, no secret. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const known = REASONS[codeOf(error)];
  if (known !== undefined) return known;
  // The library's texts are "Method: CODE - what the broker says".
  const text = error.message.replace(/^\w+: (?=[A-Z_]+ - )/, "").replace(/^[A-Z_]+ - /, "");
  return text.replace(/\p{Cc}+/gu, " ").trim() || codeOf(error) || error.name;
}

/** The code of a system, TLS or AMQP error, as `ECONNREFUSED` or `NOT_FOUND`; empty when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The same as a mistake of the user's, if waiting cannot mend it: credentials, vhost, certificates. */
export function refusalOf(error: unknown, endpoint: AmqpEndpoint): UserError | null {
  if (error instanceof UserError) return error;
  const code = codeOf(error);
  const wrap = (text: string) => new UserError(`${text} (${reasonOf(error)})`, { cause: error });
  if (code === "ACCESS_REFUSED") {
    return wrap(`RabbitMQ at ${endpoint.label} refuses user "${endpoint.user}": check rabbit.user and rabbit.password`);
  }
  // A full vhost has the same code, and waiting does mend that.
  if (code === "NOT_ALLOWED" && !/limit/.test(reasonOf(error))) {
    return wrap(
      `RabbitMQ at ${endpoint.label} refuses vhost "${endpoint.vhost}": check rabbit.vhost and the permissions`,
    );
  }
  if (!endpoint.tls) return null;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return wrap(
      `The certificate of ${endpoint.label} is for another name: set rabbit.tls.serverName to one of its names`,
    );
  }
  if (UNTRUSTED.test(code)) {
    return wrap(
      `The certificate of ${endpoint.label} is not trusted: set rabbit.tls.caFile to its authority's certificate`,
    );
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return wrap(`RabbitMQ at ${endpoint.label} does not speak TLS there: check rabbit.port`);
  }
  if (code.startsWith("ERR_SSL_")) {
    return wrap(`The TLS handshake with ${endpoint.label} failed: check rabbit.tls.certFile and keyFile`);
  }
  return null;
}

const UNTRUSTED = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset by the other side",
  EPIPE: "reset by the other side",
  EHOSTUNREACH: "no route",
  ENETUNREACH: "no route",
  ENOTFOUND: "name not found",
  EAI_AGAIN: "name not found",
  ETIMEDOUT: "no answer",
  CONNECTION_TIMEOUT: "no answer",
  SOCKET_TIMEOUT: "no heartbeat",
  CONN_CLOSE: "closed by the other side",
};
