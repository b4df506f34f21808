import type { RabbitTls } from "../../model/config.ts";
import type { OptionRule, OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, needs, optional, required } from "../options/option_rules.ts";
import { canDecode, isOneOrMore, TEXT, TIMEOUT } from "../options/option_values.ts";
import { isTlsOption } from "../options/tls_option.ts";

/** How to speak TLS. Certificates are always verified; files are read for every connection. */
export interface NatsTls extends RabbitTls {
  /** The server speaks TLS from the first byte (`handshake_first`). @default false */
  readonly first?: boolean;
}

/** Address of a NATS server, and how to log in. */
export interface NatsTargetOptions {
  /**
   * `nats://host:port`, or `tls://…` where a connection without TLS must not be used; one, or
   * several of one cluster that are tried in turn. The port is 4222 unless given. Without `tls://`,
   * TLS is used where the server offers it.
   */
  readonly url: string | readonly string[];
  /** The user to log in as. */
  readonly user?: string;
  /** The user's password. */
  readonly password?: string;
  /** A token instead of a user. */
  readonly token?: string;
  /** A file with a user's JWT and key, as `nsc` writes it (`.creds`); read for every connection. */
  readonly credsFile?: string;
  /** `true`, or the files to use: TLS is required. @default true for tls:// */
  readonly tls?: NatsTls | boolean;
  /**
   * For one message, from connecting to the server's acknowledgement. More than 0, at most 3600.
   * @default 30
   */
  readonly timeoutSeconds?: number;
}

/** One server to try. */
export interface NatsEndpoint {
  /** `host:port`, for people and for the library. */
  readonly label: string;
  /** `undefined`: as the server wants it. */
  readonly tls: NatsTls | undefined;
}

const DEFAULT_PORT = 4222;
const TLS_TEXTS = ["caFile", "certFile", "keyFile", "serverName"];

const RULES: OptionRules<NatsTargetOptions> = {
  url: required(
    isOneOrMore(isNatsUrl),
    "must be nats://host:port or tls://host:port, without user, password and path, or a list of them",
  ),
  user: [TEXT, needs("password"), alone("token", "credsFile")],
  password: [TEXT, needs("user")],
  token: [TEXT, alone("credsFile")],
  credsFile: TEXT,
  tls: [
    optional(
      isTlsOption(TLS_TEXTS, ["first"]),
      `must be true, false or { ${TLS_TEXTS.join(", ")}, first }, certFile and keyFile together`,
    ),
    optional(
      (tls, { url }) =>
        tls !== false || ![url].flat().some((text) => typeof text === "string" && text.startsWith("tls:")),
      "false contradicts tls://",
    ),
  ],
  timeoutSeconds: TIMEOUT,
};

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function natsOptionProblems(options: NatsTargetOptions): string[] {
  return allOptionProblems(options, RULES);
}

/** The servers, in the order in which they are given. The options must be without problems. */
export function natsEndpoints({ url, tls }: Pick<NatsTargetOptions, "url" | "tls">): readonly NatsEndpoint[] {
  return [url].flat().map((text) => {
    const { host, port, protocol } = new URL(text);
    const files = tls === true || tls === undefined && protocol === "tls:" ? {} : tls || undefined;
    return { label: port === "" ? `${host}:${DEFAULT_PORT}` : host, tls: files };
  });
}

/** For a way to log in beside which these must not stand. */
function alone(...others: readonly (keyof NatsTargetOptions)[]): OptionRule<NatsTargetOptions> {
  return optional(
    (_value, options) => others.every((other) => options[other] === undefined),
    (_value, options) => `stands beside ${others.filter((other) => options[other] !== undefined).join(", ")}; keep one`,
  );
}

function isNatsUrl(value: unknown): boolean {
  if (typeof value !== "string" || !/^(?:nats|tls):\/\/./.test(value) || !URL.canParse(value)) return false;
  const { hostname, username, password, pathname, search, hash } = new URL(value);
  return hostname !== "" && canDecode(hostname) && username + password === "" &&
    (pathname === "" || pathname === "/") && search + hash === "";
}
