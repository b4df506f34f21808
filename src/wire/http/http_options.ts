import type { OptionRule, OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, needs, optional } from "../options/option_rules.ts";
import { CERTIFICATE, isWhole, matches, TEXT, TIMEOUT } from "../options/option_values.ts";

/**
 * Credentials and limits for an HTTP service. Certificates are always verified; files are read
 * again when they have changed.
 */
export interface HttpTargetOptions {
  /**
   * PEM file of the authority that signed the service's certificate, besides the system's
   * authorities.
   */
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
  /**
   * For one request, from connecting to the last byte of the answer. More than 0, at most 3600.
   * @default 30
   */
  readonly timeoutSeconds?: number;
  /** How much of an answer is read; the rest is cancelled. At most 256 MiB. @default 65536 */
  readonly maxAnswerBytes?: number;
  /**
   * Sent with every request, as `{ "X-Api-Key": env("KEY") }`. Their values are treated as secrets.
   */
  readonly headers?: Readonly<Record<string, string>>;
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

const RULES: OptionRules<HttpTargetOptions> = {
  caFile: TEXT,
  ...CERTIFICATE,
  user: optional(matches(/^[^\p{Cc}:]+$/u), "must be a text without colons and control characters (RFC 7617)"),
  password: [optional(matches(/^\P{Cc}*$/u), "must be a text without control characters"), needs("user")],
  bearer: optional(matches(/^[\x21-\x7e]+$/), "must be visible ASCII characters"),
  timeoutSeconds: TIMEOUT,
  maxAnswerBytes: optional(
    isWhole(1, MAX_ANSWER_BYTES),
    `must be a whole number above 0 and at most ${MAX_ANSWER_BYTES}`,
  ),
  headers: optional(isHeaders, "must be an object of header names and ASCII values"),
};

/**
 * A rule for the option `headers` of a plugin that sets these headers itself; names in lower case.
 */
export function withoutHeaders(...names: readonly string[]): OptionRule<unknown> {
  const refused = (headers: unknown) => Object.keys(headers ?? {}).filter((name) => names.includes(name.toLowerCase()));
  return optional(
    (headers) => refused(headers).length === 0,
    (headers) => `${refused(headers).join(" and ")} cannot be set`,
  );
}

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function httpOptionProblems(options: HttpTargetOptions): string[] {
  return [...allOptionProblems(options, RULES), ...contradictions(options)];
}

function contradictions({ user, bearer, headers }: HttpTargetOptions): string[] {
  const authorizations = [user, bearer, Object.keys(headers ?? {}).find((name) => /^authorization$/i.test(name))];
  const areMany = authorizations.filter((given) => given !== undefined).length > 1;
  return areMany ? ["user, bearer and a header Authorization: only one can be sent"] : [];
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([name, text]) =>
    /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && matches(/^[\t\x20-\x7e]*$/)(text)
  );
}
