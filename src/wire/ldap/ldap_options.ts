import type { OptionRule, OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, needs, optional, required } from "../options/option_rules.ts";
import { CERTIFICATE, TEXT, TIMEOUT } from "../options/option_values.ts";
import { isDn } from "./ldap_text.ts";

/** Servers of a directory, and the account to use. Certificates are always verified. */
export interface LdapTargetOptions {
  /**
   * `ldaps://host`, `ldap://host` or with a port; several servers of one directory are tried in
   * turn.
   */
  readonly url: string | readonly string[];
  /**
   * Makes the connection of `ldap://` safe before anything else (RFC 4511, 4.14). @default false
   */
  readonly startTls?: boolean;
  /**
   * PEM file of the authority that signed the servers' certificates. @default the system's
   * authorities
   */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** Who to bind as, with `password`: `cn=oss-watcher,dc=example,dc=com`. */
  readonly bindDn?: string;
  /** Sent in plain text: use `ldaps://` or `startTls`. */
  readonly password?: string;
  /**
   * Instead of `bindDn`: authenticates by the certificate (RFC 4422, appendix A); needs `certFile`.
   */
  readonly sasl?: "EXTERNAL";
  /** For one server, from connecting to being bound. More than 0, at most 3600. @default 5 */
  readonly connectTimeoutSeconds?: number;
  /** For one operation. More than 0, at most 3600. @default 10 */
  readonly timeoutSeconds?: number;
}

const TLS_ONLY: OptionRule<LdapTargetOptions> = optional(
  (_value, { url, startTls }) => Boolean(startTls) || !schemesOf(url).has("ldap:"),
  "needs ldaps:// or startTls",
);

const RULES: OptionRules<LdapTargetOptions> = {
  url: required(isUrls, "must be ldaps://host or ldap://host, with or without a port, or a list of them"),
  startTls: [
    optional((value) => typeof value === "boolean", "must be true or false"),
    optional(
      (value, { url }) => !value || !schemesOf(url).has("ldaps:"),
      "is for ldap://; ldaps:// is safe from its start",
    ),
  ],
  caFile: [TEXT, TLS_ONLY],
  certFile: [TLS_ONLY, ...CERTIFICATE.certFile],
  keyFile: CERTIFICATE.keyFile,
  bindDn: [
    required((value, { sasl }) => value !== undefined || sasl !== undefined, "needed, or sasl"),
    optional(isDn, "must be a distinguished name, as cn=oss-watcher,dc=example,dc=com"),
    // Without a password a server would bind anonymously and report success (RFC 4513, 5.1.2).
    needs("password"),
  ],
  password: [TEXT, needs("bindDn")],
  sasl: [
    optional((value) => value === "EXTERNAL", `must be "EXTERNAL"`),
    optional((_value, { bindDn }) => bindDn === undefined, "only without bindDn"),
    optional((_value, { certFile }) => certFile !== undefined, "needs certFile and keyFile"),
  ],
  connectTimeoutSeconds: TIMEOUT,
  timeoutSeconds: TIMEOUT,
};

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function ldapOptionProblems(options: LdapTargetOptions): string[] {
  return allOptionProblems(options, RULES);
}

/** The servers, in the order given. */
export function urlsOf({ url }: LdapTargetOptions): readonly string[] {
  return typeof url === "string" ? [url] : url;
}

/** The schemes of those URLs that are right. */
function schemesOf(url: unknown): ReadonlySet<string> {
  return new Set([url].flat().filter(isUrl).map((one) => new URL(one).protocol));
}

function isUrls(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(isUrl) : isUrl(value);
}

function isUrl(value: unknown): value is string {
  if (typeof value !== "string" || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(value);
  const more = username + password + pathname.replace(/^\/$/, "") + search + hash;
  return /^ldaps?:$/.test(protocol) && hostname !== "" && more === "";
}
