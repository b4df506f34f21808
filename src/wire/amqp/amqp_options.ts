import type { RabbitTls } from "../../model/config.ts";
import { printable } from "../escaping/printable.ts";

/** How to reach a RabbitMQ and who to be there. Certificates are always verified; files are read for every connection. */
export interface AmqpTargetOptions {
  /** `amqp://user:password@host:port/vhost` or `amqps://…`, one or several that are tried in turn; instead of host, user, … */
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
  /** `true`, or how. @default true for amqps://, else false */
  readonly tls?: RabbitTls | boolean;
  /** A connection that is silent for twice as long is given up. From 5 to 65535. @default 10 */
  readonly heartbeatSeconds?: number;
  /** For one message, from connecting to the broker's confirmation. More than 0, at most 3600. @default 30 */
  readonly timeoutSeconds?: number;
}

/** Where it is and who we are there. */
export type AmqpAddress = Pick<AmqpTargetOptions, "url" | "host" | "port" | "user" | "password" | "vhost" | "tls">;

/** One server to try, with what it takes to log in. */
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

interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly allowed: string;
}

const TEXT: Rule = { allows: isText, allowed: "a text that is not empty" };
const TLS_KEYS = ["caFile", "certFile", "keyFile", "serverName"];

const RULES: Readonly<Record<keyof AmqpTargetOptions, Rule>> = {
  url: {
    allows: (value) => isOneOrMore(value, isAmqpUrl),
    allowed: "amqp://user:password@host:port/vhost or amqps://…, or a list of them",
  },
  host: {
    allows: (value) => isOneOrMore(value, isHost),
    allowed: "a host's name or address without scheme, port and path, or a list of them",
  },
  port: { allows: (value) => isWhole(value, 1, 65535), allowed: "a whole number from 1 to 65535" },
  user: TEXT,
  password: { allows: (value) => typeof value === "string", allowed: "a text" },
  vhost: TEXT,
  tls: { allows: isTls, allowed: `true, false or { ${TLS_KEYS.join(", ")} }, certFile and keyFile together` },
  heartbeatSeconds: { allows: (value) => isWhole(value, 5, 65535), allowed: "a whole number from 5 to 65535" },
  timeoutSeconds: {
    allows: (value) => typeof value === "number" && value > 0 && value <= 3600,
    allowed: "a number above 0 and at most 3600",
  },
};

/** What is wrong with these options, `option: what is allowed` each, never with a value. Empty: nothing. */
export function amqpOptionProblems(options: AmqpTargetOptions): string[] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const wrong = given.flatMap(([key, value]) => problemOf(key, value));
  return [...wrong, ...(wrong.some((problem) => /^(?:url|tls): /.test(problem)) ? [] : contradictions(options))];
}

/** The servers, in the order in which they are given. The options must be without problems. */
export function amqpEndpoints(options: AmqpAddress): readonly AmqpEndpoint[] {
  const { url, host = "localhost" } = options;
  if (url === undefined) return listOf(host).map((name) => endpoint(options, { host: name }));
  return listOf(url).map((text) => {
    const { hostname, port, username, password, pathname, protocol } = new URL(text);
    return endpoint({ ...options, tls: protocol === "amqps:" ? options.tls || true : false }, {
      host: decodeURIComponent(hostname) || "localhost",
      ...(port === "" ? {} : { port: Number(port) }),
      ...(username === "" ? {} : { user: decodeURIComponent(username), password: decodeURIComponent(password) }),
      // As kombu reads it: no path or one slash is the vhost "/", and only the first slash is cut off.
      ...(pathname.length > 1 ? { vhost: decodeURIComponent(pathname.slice(1)) } : {}),
    });
  });
}

function endpoint(
  options: AmqpAddress,
  given: { readonly host: string } & Partial<Pick<AmqpEndpoint, "port" | "user" | "password" | "vhost">>,
): AmqpEndpoint {
  const tls = options.tls === true ? {} : options.tls || undefined;
  const host = given.host.replace(/^\[(.*)\]$/, "$1");
  const port = given.port ?? options.port ?? (tls === undefined ? 5672 : 5671);
  const user = given.user ?? options.user ?? "guest";
  const password = given.password ?? options.password ?? (user === "guest" ? "guest" : "");
  const vhost = given.vhost ?? options.vhost ?? "/";
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

function problemOf(key: string, value: unknown): string[] {
  if (!Object.hasOwn(RULES, key)) return [`${printable(key, 60)}: unknown option`];
  const rule = RULES[key as keyof AmqpTargetOptions];
  return rule.allows(value) ? [] : [`${key}: must be ${rule.allowed}`];
}

function contradictions({ url, tls, ...rest }: AmqpTargetOptions): string[] {
  if (url === undefined) return [];
  const beside = (["host", "port", "user", "password", "vhost"] as const).filter((key) => rest[key] !== undefined);
  const schemes = new Set(listOf(url).map((text) => new URL(text).protocol));
  return [
    ...(beside.length > 0 ? [`url: stands beside ${beside.join(", ")}; write them into the URL`] : []),
    ...(tls === false && schemes.has("amqps:") ? ["tls: false contradicts amqps://"] : []),
    ...(tls && schemes.has("amqp:") ? ["tls: needs amqps:// in every URL"] : []),
  ];
}

function isOneOrMore(value: unknown, test: (value: unknown) => boolean): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(test) : test(value);
}

function isAmqpUrl(value: unknown): boolean {
  if (typeof value !== "string" || !/^amqps?:\/\/./.test(value) || !URL.canParse(value)) return false;
  const { hostname, username, password, pathname, search, hash } = new URL(value);
  return hostname !== "" && search + hash === "" && [hostname, username, password, pathname].every(canDecode);
}

/** Whether what is percent-encoded in a part of a URL can be read. */
export function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A name, an IPv4 address, or an IPv6 address: something with at least two colons. */
function isHost(value: unknown): boolean {
  return typeof value === "string" && /^(?:[^\s:/@]+|\[?[0-9a-f.]*(?::[0-9a-f.]*){2,}\]?)$/i.test(value);
}

function isTls(value: unknown): boolean {
  if (typeof value === "boolean") return true;
  if (typeof value !== "object" || value === null) return false;
  const given = Object.entries(value).filter(([, file]) => file !== undefined);
  const { certFile, keyFile } = value as RabbitTls;
  return given.every(([key, file]) => TLS_KEYS.includes(key) && isText(file)) &&
    (certFile === undefined) === (keyFile === undefined);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
