import { bareHost, bracketedHost } from "../../model/bracketed_host.ts";
import type { RabbitTls } from "../../model/config.ts";
import type { GivenOptions, OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, optional } from "../options/option_rules.ts";
import { canDecode, isOneOrMore, isWhole, PORT, TEXT, TIMEOUT } from "../options/option_values.ts";
import { isTlsOption } from "../options/tls_option.ts";
import { RABBIT_DEFAULTS } from "../../model/config_defaults.ts";

/**
 * Address of a RabbitMQ broker, and the account to use. Certificates are always verified; files are
 * read for every connection.
 */
export interface AmqpTargetOptions {
  /**
   * `amqp://user:password@host:port/vhost` or `amqps://…`, one or several that are tried in turn;
   * instead of host, user, …
   */
  readonly url?: string | readonly string[];
  /** One host, or several of one cluster that are tried in turn. @default "localhost" */
  readonly host?: string | readonly string[];
  /** From 1 to 65535. @default 5672, with `tls` 5671 */
  readonly port?: number;
  /** The user to log in as. @default "guest" */
  readonly user?: string;
  /** The user's password. @default "guest" for the user guest, else "" */
  readonly password?: string;
  /** The virtual host that has the exchange or queue. @default "/" */
  readonly vhost?: string;
  /** `true`, or the files to use. @default true for amqps://, else false */
  readonly tls?: RabbitTls | boolean;
  /** A connection that is silent for twice as long is given up. From 5 to 65535. @default 10 */
  readonly heartbeatSeconds?: number;
  /**
   * For one message, from connecting to the broker's confirmation. More than 0, at most 3600.
   * @default 30
   */
  readonly timeoutSeconds?: number;
}

/** The options for address and account. */
export type AmqpAddress = Pick<AmqpTargetOptions, "url" | "host" | "port" | "user" | "password" | "vhost" | "tls">;

/** One server to try, with its account. */
export interface AmqpEndpoint {
  /** `host:port`, for people. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  readonly tls: RabbitTls | undefined;
}

const TLS_KEYS = ["caFile", "certFile", "keyFile", "serverName"];
const IN_URL = ["host", "port", "user", "password", "vhost"] as const;

const RULES: OptionRules<AmqpTargetOptions> = {
  url: [
    optional(
      isOneOrMore(isAmqpUrl),
      "must be amqp://user:password@host:port/vhost or amqps://…, or a list of them",
    ),
    optional(
      (_value, options) => besideUrl(options).length === 0,
      (_value, options) => `stands beside ${besideUrl(options).join(", ")}; write them into the URL`,
    ),
  ],
  host: optional(
    isOneOrMore(isHost),
    "must be a host's name or address without scheme, port and path, or a list of them",
  ),
  port: PORT,
  user: TEXT,
  password: optional((value) => typeof value === "string", "must be a text"),
  vhost: TEXT,
  tls: [
    optional(isTlsOption(TLS_KEYS), `must be true, false or { ${TLS_KEYS.join(", ")} }, certFile and keyFile together`),
    optional((tls, { url }) => tls !== false || !schemesOf(url).has("amqps:"), "false contradicts amqps://"),
    optional((tls, { url }) => !tls || !schemesOf(url).has("amqp:"), "needs amqps:// in every URL"),
  ],
  heartbeatSeconds: optional(isWhole(5, 65535), "must be a whole number from 5 to 65535"),
  timeoutSeconds: TIMEOUT,
};

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function amqpOptionProblems(options: AmqpTargetOptions): string[] {
  return allOptionProblems(options, RULES);
}

/** The servers, in the order in which they are given. The options must be without problems. */
export function amqpEndpoints(options: AmqpAddress): readonly AmqpEndpoint[] {
  const { url, host = RABBIT_DEFAULTS.host } = options;
  if (url === undefined) return listOf(host).map((name) => endpoint(options, { host: name }));
  return listOf(url).map((text) => {
    const { hostname, port, username, password, pathname, protocol } = new URL(text);
    return endpoint({ ...options, tls: protocol === "amqps:" ? options.tls || true : false }, {
      host: decodeURIComponent(hostname) || RABBIT_DEFAULTS.host,
      ...(port === "" ? {} : { port: Number(port) }),
      ...(username === "" ? {} : { user: decodeURIComponent(username), password: decodeURIComponent(password) }),
      // As kombu reads it: no path or one slash is the vhost "/", and only the first slash is cut
      // off.
      ...(pathname.length > 1 ? { vhost: decodeURIComponent(pathname.slice(1)) } : {}),
    });
  });
}

function endpoint(
  options: AmqpAddress,
  given: { readonly host: string } & Partial<Pick<AmqpEndpoint, "port" | "user" | "password" | "vhost">>,
): AmqpEndpoint {
  const tls = options.tls === true ? {} : options.tls || undefined;
  const host = bareHost(given.host);
  const port = given.port ?? options.port ?? (tls === undefined ? 5672 : 5671);
  const user = given.user ?? options.user ?? RABBIT_DEFAULTS.user;
  const password = given.password ?? options.password ?? (user === RABBIT_DEFAULTS.user ? "guest" : "");
  const vhost = given.vhost ?? options.vhost ?? RABBIT_DEFAULTS.vhost;
  return {
    label: `${bracketedHost(host)}:${port}`,
    host,
    port,
    user,
    password,
    vhost,
    tls,
  };
}

/** Options that a URL has a place for. */
function besideUrl(options: GivenOptions<AmqpTargetOptions>): readonly string[] {
  return IN_URL.filter((key) => options[key] !== undefined);
}

/** The schemes of those URLs that are right. */
function schemesOf(url: unknown): ReadonlySet<string> {
  return new Set([url].flat().filter(isAmqpUrl).map((text) => new URL(text).protocol));
}

function isAmqpUrl(value: unknown): value is string {
  if (typeof value !== "string" || !/^amqps?:\/\/./.test(value) || !URL.canParse(value)) return false;
  const { hostname, username, password, pathname, search, hash } = new URL(value);
  return hostname !== "" && search + hash === "" && [hostname, username, password, pathname].every(canDecode);
}

/** A name, an IPv4 address, or an IPv6 address: something with at least two colons. */
function isHost(value: unknown): boolean {
  return typeof value === "string" && /^(?:[^\s:/@]+|\[?[0-9a-f.]*(?::[0-9a-f.]*){2,}\]?)$/i.test(value);
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
