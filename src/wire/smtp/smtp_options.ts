import { bracketedHost } from "../../model/bracketed_host.ts";
import type { OptionRule, OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, needs, optional, required } from "../options/option_rules.ts";
import { CERTIFICATE, isOneOf, matches, PORT, TEXT, TIMEOUT } from "../options/option_values.ts";

/**
 * Address of a mail server, and the account to use. Certificates are always verified; files are
 * read again when they have changed.
 */
export interface SmtpTargetOptions {
  /** The server's name or address, without scheme and port. */
  readonly host: string;
  /** From 1 to 65535. @default 587 for starttls, 465 for tls, 25 for none */
  readonly port?: number;
  /**
   * `starttls`: TLS begins before anything else is sent; a server that does not offer it is
   * refused. `tls`: TLS from the first byte. `none`: plain text, for a relay on this machine.
   * @default "starttls"
   */
  readonly security?: "starttls" | "tls" | "none";
  /** Needs `password`. A server without authentication is refused then. */
  readonly user?: string;
  /** Needs `user`; only with TLS, unless `host` is this machine. */
  readonly password?: string;
  /**
   * PEM file of the authority that signed the server's certificate. @default the system's
   * authorities
   */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** The name to expect in the server's certificate. @default host */
  readonly serverName?: string;
  /**
   * Our name in EHLO, which the DNS should know. @default for EmailNotify the domain of the sender
   */
  readonly clientName?: string;
  /** For one mail, from connecting to the last answer. More than 0, at most 3600. @default 30 */
  readonly timeoutSeconds?: number;
}

const isThisMachine = matches(/^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i);
const CREDENTIAL = optional<unknown>(matches(/^\P{Cc}+$/u), "must be a text without control characters");
const TLS_ONLY: OptionRule<SmtpTargetOptions> = optional(
  (_value, { security }) => security !== "none",
  `needs security "starttls" or "tls"`,
);

const RULES: OptionRules<SmtpTargetOptions> = {
  host: required(
    matches(/^(?:[^\s:/@[\]]+|[0-9a-f.]*(?::[0-9a-f.]*){2,})$/i),
    "must be a host's name or address, without scheme, port and path",
  ),
  port: PORT,
  security: optional(isOneOf("starttls", "tls", "none"), `must be "starttls", "tls" or "none"`),
  user: [CREDENTIAL, needs("password")],
  password: [
    CREDENTIAL,
    needs("user"),
    optional(
      (_value, { security, host }) => security !== "none" || isThisMachine(host),
      `would go over the network as it is; needs security "starttls" or "tls"`,
    ),
  ],
  caFile: [TEXT, TLS_ONLY],
  certFile: [...CERTIFICATE.certFile, TLS_ONLY],
  keyFile: [...CERTIFICATE.keyFile, TLS_ONLY],
  serverName: [TEXT, TLS_ONLY],
  clientName: optional(matches(/^[a-z\d.:[\]-]+$/i), "must be a host's name, or an address as [192.0.2.1]"),
  timeoutSeconds: TIMEOUT,
};

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function smtpOptionProblems(options: SmtpTargetOptions): string[] {
  return allOptionProblems(options, RULES);
}

/** The port, which depends on the kind of connection. */
export function portOf({ port, security = "starttls" }: SmtpTargetOptions): number {
  return port ?? { starttls: 587, tls: 465, none: 25 }[security];
}

/** `host:port`. */
export function addressOf(options: SmtpTargetOptions): string {
  return `${bracketedHost(options.host)}:${portOf(options)}`;
}
