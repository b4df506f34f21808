import { UserError } from "../model/errors.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { amqpRefusal, amqpRemedy, brokerText } from "../wire/amqp/amqp_refusal.ts";

/** The reason of an error for a log line, without stack, control characters or secrets. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const known = REASONS[codeOf(error)];
  if (known !== undefined) return known;
  const text = brokerText(error).replace(/\p{Cc}+/gu, " ").trim() || codeOf(error) || error.name;
  const remedy = amqpRemedy(error);
  return remedy === "" ? text : `${text} (${remedy})`;
}

/**
 * The code of a system, TLS or AMQP error, as `ECONNREFUSED` or `NOT_FOUND`; empty when it has
 * none.
 */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * Turns an error that a retry cannot fix (credentials, vhost, certificates) into a
 * {@linkcode UserError}; `null` for others.
 */
export function refusalOf(error: unknown, endpoint: AmqpEndpoint): UserError | null {
  if (error instanceof UserError) return error;
  const code = codeOf(error);
  const wrap = (text: string) => new UserError(`${text} (${reasonOf(error)})`, { cause: error });
  const { label, user, vhost } = endpoint;
  switch (amqpRefusal(error)) {
    case "credentials":
      return wrap(`RabbitMQ at ${label} refuses user "${user}": check rabbit.user and rabbit.password${guestOf(user)}`);
    case "no vhost":
      return wrap(
        `RabbitMQ at ${label} has no vhost "${vhost}": check rabbit.vhost, or rabbitmqctl add_vhost makes it`,
      );
    case "vhost rights":
      return wrap(
        `RabbitMQ at ${label} does not let user "${user}" into vhost "${vhost}": check rabbit.vhost, ` +
          "or rabbitmqctl set_permissions -p VHOST USER … gives the rights",
      );
    case "limit":
    case "down":
      return null;
  }
  if (code === "ACCESS_REFUSED" || code === "NOT_ALLOWED") {
    return wrap(`RabbitMQ at ${label} refuses user "${user}" in vhost "${vhost}": its log says why`);
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

/**
 * From another machine, RabbitMQ refuses the user guest with the same error as a wrong password.
 */
function guestOf(user: string): string {
  return user === "guest" ? '. The user "guest" may log in from the broker\'s own machine alone' : "";
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
