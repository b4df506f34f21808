import { printable } from "../escaping/printable.ts";

/** How to reach an HTTP service. Certificates are always verified; files are read again when they have changed. */
export interface HttpTargetOptions {
  /** PEM file of the authority that signed the service's certificate, besides the system's authorities. */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** For Basic authentication (RFC 7617), sent as UTF-8. */
  readonly user?: string;
  /** Needs `user`. @default "" */
  readonly password?: string;
  /** A token for `Authorization: Bearer`, instead of `user`. */
  readonly bearer?: string;
  /** For one request, from connecting to the last byte of the answer. More than 0, at most 3600. @default 30 */
  readonly timeoutSeconds?: number;
  /** How much of an answer is read; the rest is cancelled. At most 256 MiB. @default 65536 */
  readonly maxAnswerBytes?: number;
  /** Sent with every request, as `{ "X-Api-Key": env("KEY") }`. Their values are treated as secrets. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly allowed: string;
}

const TEXT: Rule = {
  allows: (value) => typeof value === "string" && value !== "",
  allowed: "a text that is not empty",
};
const CREDENTIAL: Rule = { allows: matches(/^\P{Cc}*$/u), allowed: "a text without control characters" };

const RULES: Readonly<Record<keyof HttpTargetOptions, Rule>> = {
  caFile: TEXT,
  certFile: TEXT,
  keyFile: TEXT,
  user: { allows: matches(/^[^\p{Cc}:]+$/u), allowed: "a text without colons and control characters (RFC 7617)" },
  password: CREDENTIAL,
  bearer: { allows: matches(/^[\x21-\x7e]+$/), allowed: "visible ASCII characters" },
  timeoutSeconds: { allows: isTimeout, allowed: "a number above 0 and at most 3600" },
  maxAnswerBytes: { allows: isAnswerSize, allowed: "a whole number above 0 and at most 268435456" },
  headers: { allows: isHeaders, allowed: "an object of header names and ASCII values" },
};

/** What is wrong with these options, `option: what is allowed` each, never with a value. Empty: nothing. */
export function httpOptionProblems(options: HttpTargetOptions): string[] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return [...given.flatMap(([key, value]) => problemOf(key, value)), ...contradictions(options)];
}

function problemOf(key: string, value: unknown): string[] {
  if (!Object.hasOwn(RULES, key)) return [`${printable(key, 60)}: unknown option`];
  const rule = RULES[key as keyof HttpTargetOptions];
  return rule.allows(value) ? [] : [`${key}: must be ${rule.allowed}`];
}

function contradictions({ certFile, keyFile, user, password, bearer, headers }: HttpTargetOptions): string[] {
  const found: string[] = [];
  if (certFile !== undefined && keyFile === undefined) found.push("certFile: needs keyFile");
  if (keyFile !== undefined && certFile === undefined) found.push("keyFile: needs certFile");
  if (password !== undefined && user === undefined) found.push("password: needs user");
  const authorizations = [user, bearer, Object.keys(headers ?? {}).find((name) => /^authorization$/i.test(name))];
  if (authorizations.filter((given) => given !== undefined).length > 1) {
    found.push("user, bearer and a header Authorization: only one can be sent");
  }
  return found;
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && pattern.test(value);
}

function isTimeout(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value <= 3600;
}

function isAnswerSize(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 256 * 1024 * 1024;
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([name, text]) =>
    /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && matches(/^[\t\x20-\x7e]*$/)(text)
  );
}
