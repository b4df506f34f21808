import { isSecretName } from "../wire/secrets/redact.ts";

/** One host of oslo.messaging's `transport_url`. */
export interface TransportHost {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
}

/** The parts of a `transport_url` for RabbitMQ, as oslo.messaging reads it. */
export interface TransportUrl {
  readonly hosts: readonly TransportHost[];
  /** `null`: the vhost `/`. */
  readonly vhost: string | null;
  /** The query: options of `[oslo_messaging_rabbit]` that override those of the file. */
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Reads `rabbit://user:password@host:port,…/vhost?options` as oslo.messaging does: each host brings
 * its own account, user, password and vhost are percent-encoded.
 *
 * @returns For another text, the reason as a text, without parts that may be secret.
 */
export function readTransportUrl(url: string): TransportUrl | string {
  const [, scheme, netloc = "", path = "", query = ""] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/i.exec(url) ?? [];
  if (scheme === undefined) return "is no URL. Write rabbit://user:password@host:5672/vhost";
  if (!/^(?:rabbit|kombu)$/i.test(scheme)) return refusedScheme(scheme);
  const hosts = netloc.split(",").filter((part) => part !== "").map(hostOf);
  const wrong = hosts.find((host) => typeof host === "string");
  if (typeof wrong === "string") return wrong;
  const vhost = decoded(path);
  return {
    hosts: hosts.length === 0 ? [{ host: "localhost" }] : hosts as TransportHost[],
    vhost: vhost === "" ? null : vhost,
    options: new Map(new URLSearchParams(query)),
  };
}

function refusedScheme(scheme: string): string {
  if (/^amqps?$/i.test(scheme)) {
    return `begins with ${scheme.toLowerCase()}://, which is AMQP 1.0 to oslo.messaging, and oss-watcher speaks to RabbitMQ. If the broker is ` +
      "RabbitMQ, write rabbit://";
  }
  return `begins with ${
    isSecretName(scheme) ? "another scheme" : `${scheme}://`
  }, and oss-watcher speaks to RabbitMQ alone. Write rabbit://`;
}

function hostOf(text: string): TransportHost | string {
  const at = text.lastIndexOf("@");
  const [, user, password] = /^([^:]*)(?::(.*))?$/s.exec(text.slice(0, Math.max(at, 0))) ?? [];
  const [, bracketed, plain = "", port] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(text.slice(at + 1)) ?? [];
  const host = bracketed ?? plain;
  if (host === "") {
    return 'has a host that cannot be read. Write user:password@host:5672, an IPv6 address in [ ], and "/" in a password as %2F';
  }
  return {
    host,
    ...(port === undefined || port === "" ? {} : { port: Number(port) }),
    ...(user === undefined || user === "" ? {} : { user: decoded(user) }),
    ...(password === undefined ? {} : { password: decoded(password) }),
  };
}

/** Like Python's `unquote`: a "%" that begins no code is kept. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => {
    const bytes = codes.slice(1).split("%").map((code) => parseInt(code, 16));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
  });
}
