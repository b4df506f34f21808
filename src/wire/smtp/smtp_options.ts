import { printable } from "../escaping/printable.ts";

/** How to reach a mail server and who to be there. Certificates are always verified; files are read again when they have changed. */
export interface SmtpTargetOptions {
  /** The server's name or address, without scheme and port. */
  readonly host: string;
  /** From 1 to 65535. @default 587 for starttls, 465 for tls, 25 for none */
  readonly port?: number;
  /**
   * `starttls`: begins in plain text, and nothing is said before the connection is safe; a server that does not offer it is refused.
   * `tls`: safe from its first byte. `none`: plain text, for a relay on this machine. @default "starttls"
   */
  readonly security?: "starttls" | "tls" | "none";
  /** Needs `password`. A server that does not ask who we are is refused then. */
  readonly user?: string;
  /** Needs `user`; only with TLS, unless `host` is this machine. */
  readonly password?: string;
  /** PEM file of the authority that signed the server's certificate. @default the system's authorities */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** The name to expect in the server's certificate. @default host */
  readonly serverName?: string;
  /** What we call ourselves (EHLO): a name that the DNS knows. @default for EmailNotify the domain of the sender */
  readonly clientName?: string;
  /** For one mail, from connecting to the last answer. More than 0, at most 3600. @default 30 */
  readonly timeoutSeconds?: number;
}

interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly allowed: string;
}

const TEXT: Rule = { allows: matches(/./), allowed: "a text that is not empty" };
const CREDENTIAL: Rule = { allows: matches(/^\P{Cc}+$/u), allowed: "a text without control characters" };

const RULES: Readonly<Record<keyof SmtpTargetOptions, Rule>> = {
  host: {
    allows: matches(/^(?:[^\s:/@[\]]+|[0-9a-f.]*(?::[0-9a-f.]*){2,})$/i),
    allowed: "a host's name or address, without scheme, port and path",
  },
  port: { allows: isPort, allowed: "a whole number from 1 to 65535" },
  security: { allows: matches(/^(?:starttls|tls|none)$/), allowed: `"starttls", "tls" or "none"` },
  user: CREDENTIAL,
  password: CREDENTIAL,
  caFile: TEXT,
  certFile: TEXT,
  keyFile: TEXT,
  serverName: TEXT,
  clientName: { allows: matches(/^[a-z\d.:[\]-]+$/i), allowed: "a host's name, or an address as [192.0.2.1]" },
  timeoutSeconds: {
    allows: (value) => typeof value === "number" && value > 0 && value <= 3600,
    allowed: "a number above 0 and at most 3600",
  },
};

/** What is wrong with these options, `option: what is allowed` each, never with a value. Empty: nothing. */
export function smtpOptionProblems(options: SmtpTargetOptions): string[] {
  const { host, ...others } = options;
  const given = [["host", host] as const, ...Object.entries(others).filter(([, value]) => value !== undefined)];
  return [...given.flatMap(([key, value]) => problemOf(key, value)), ...contradictions(options)];
}

/** The port, which depends on the kind of connection. */
export function portOf({ port, security = "starttls" }: SmtpTargetOptions): number {
  return port ?? { starttls: 587, tls: 465, none: 25 }[security];
}

function problemOf(key: string, value: unknown): string[] {
  if (!Object.hasOwn(RULES, key)) return [`${printable(key, 60)}: unknown option`];
  const rule = RULES[key as keyof SmtpTargetOptions];
  return rule.allows(value) ? [] : [`${key}: must be ${rule.allowed}`];
}

function contradictions(options: SmtpTargetOptions): string[] {
  const { host, security, user, password, certFile, keyFile } = options;
  const plain = security === "none";
  const useless = (["caFile", "certFile", "keyFile", "serverName"] as const).filter((key) =>
    options[key] !== undefined
  );
  return [
    ...(user !== undefined && password === undefined ? ["user: needs password"] : []),
    ...(password !== undefined && user === undefined ? ["password: needs user"] : []),
    ...(certFile !== undefined && keyFile === undefined ? ["certFile: needs keyFile"] : []),
    ...(keyFile !== undefined && certFile === undefined ? ["keyFile: needs certFile"] : []),
    ...(plain ? useless.map((key) => `${key}: needs security "starttls" or "tls"`) : []),
    ...(plain && password !== undefined && !isThisMachine(host)
      ? [`password: would go over the network as it is; needs security "starttls" or "tls"`]
      : []),
  ];
}

function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && pattern.test(value);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65535;
}
