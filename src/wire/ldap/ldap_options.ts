import { printable } from "../escaping/printable.ts";
import { isDn } from "./ldap_text.ts";

/** How to reach a directory and who to be there. Certificates are always verified. */
export interface LdapTargetOptions {
  /** `ldaps://host`, `ldap://host` or with a port; several servers of one directory are tried in turn. */
  readonly url: string | readonly string[];
  /** Makes the connection of `ldap://` safe before anything else (RFC 4511, 4.14). @default false */
  readonly startTls?: boolean;
  /** PEM file of the authority that signed the servers' certificates. @default the system's authorities */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** Who to bind as, with `password`: `cn=oss-watcher,dc=example,dc=com`. */
  readonly bindDn?: string;
  /** Goes over the wire as it is: use `ldaps://` or `startTls`. */
  readonly password?: string;
  /** Instead of `bindDn`: be who the certificate says (RFC 4422, appendix A); needs `certFile`. */
  readonly sasl?: "EXTERNAL";
  /** For one server, from connecting to being bound. More than 0, at most 3600. @default 5 */
  readonly connectTimeoutSeconds?: number;
  /** For one operation. More than 0, at most 3600. @default 10 */
  readonly timeoutSeconds?: number;
}

interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly allowed: string;
}

const TEXT: Rule = {
  allows: (value) => typeof value === "string" && value !== "",
  allowed: "a text that is not empty",
};
const SECONDS: Rule = {
  allows: (value) => typeof value === "number" && value > 0 && value <= 3600,
  allowed: "a number above 0 and at most 3600",
};

const RULES: Readonly<Record<keyof LdapTargetOptions, Rule>> = {
  url: { allows: isUrls, allowed: "ldaps://host or ldap://host, with or without a port, or a list of them" },
  startTls: { allows: (value) => typeof value === "boolean", allowed: "true or false" },
  caFile: TEXT,
  certFile: TEXT,
  keyFile: TEXT,
  bindDn: { allows: isDn, allowed: "a distinguished name, as cn=oss-watcher,dc=example,dc=com" },
  password: TEXT,
  sasl: { allows: (value) => value === "EXTERNAL", allowed: `"EXTERNAL"` },
  connectTimeoutSeconds: SECONDS,
  timeoutSeconds: SECONDS,
};

/** What is wrong with these options, `option: what is allowed` each, never with a value. Empty: nothing. */
export function ldapOptionProblems(options: LdapTargetOptions): string[] {
  const given = Object.entries(options).filter(([key, value]) => value !== undefined || key === "url");
  const missing = options.url === undefined && !("url" in options) ? [`url: must be ${RULES.url.allowed}`] : [];
  const wrong = [...missing, ...given.flatMap(([key, value]) => problemOf(key, value))];
  return [
    ...wrong,
    ...(wrong.some((problem) => problem.startsWith("url: ")) ? [] : transport(options)),
    ...who(options),
  ];
}

/** The servers, in the order given. */
export function urlsOf({ url }: LdapTargetOptions): readonly string[] {
  return typeof url === "string" ? [url] : url;
}

function problemOf(key: string, value: unknown): string[] {
  if (!Object.hasOwn(RULES, key)) return [`${printable(key, 60)}: unknown option`];
  const rule = RULES[key as keyof LdapTargetOptions];
  return rule.allows(value) ? [] : [`${key}: must be ${rule.allowed}`];
}

function transport(options: LdapTargetOptions): string[] {
  const { startTls = false, caFile, certFile, keyFile } = options;
  const schemes = new Set(urlsOf(options).map((url) => new URL(url).protocol));
  const found: string[] = [];
  if (startTls && schemes.has("ldaps:")) found.push("startTls: is for ldap://; ldaps:// is safe from its start");
  if (!startTls && schemes.has("ldap:")) {
    const useless = Object.entries({ caFile, certFile }).filter(([, file]) => file !== undefined);
    found.push(...useless.map(([name]) => `${name}: needs ldaps:// or startTls`));
  }
  if (certFile !== undefined && keyFile === undefined) found.push("certFile: needs keyFile");
  if (keyFile !== undefined && certFile === undefined) found.push("keyFile: needs certFile");
  return found;
}

function who({ bindDn, password, sasl, certFile }: LdapTargetOptions): string[] {
  const found: string[] = [];
  if (bindDn === undefined && sasl === undefined) found.push("bindDn: needed, or sasl");
  if (bindDn !== undefined && sasl !== undefined) found.push("sasl: only without bindDn");
  // Without a password a server would bind us as nobody, and say that all is well (RFC 4513, 5.1.2).
  if (bindDn !== undefined && password === undefined) found.push("bindDn: needs password");
  if (password !== undefined && bindDn === undefined) found.push("password: needs bindDn");
  if (sasl !== undefined && certFile === undefined) found.push("sasl: needs certFile and keyFile");
  return found;
}

function isUrls(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(isUrl) : isUrl(value);
}

function isUrl(value: unknown): boolean {
  if (typeof value !== "string" || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(value);
  const more = username + password + pathname.replace(/^\/$/, "") + search + hash;
  return /^ldaps?:$/.test(protocol) && hostname !== "" && more === "";
}
