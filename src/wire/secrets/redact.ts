import { givenValues } from "./given_values.ts";
import { longestForm, secretPattern } from "./secret_forms.ts";

/** Replaces a secret in texts. */
export const HIDDEN = "***";

const SECRET_NAME =
  /passw|passphrase|pwd|secret|token|authori[sz]ation|credential|cookie|session|signature|bearer|(?:api|access|private|account|auth|subscription)[-_]?key|^x-auth/i;

/**
 * `user:password@` after `://`. What follows a colon and is no port is a password, whatever it
 * holds: better too much than too little.
 */
const USERINFO = /(:\/{1,2})(?:[^\s"'<>/?#:[]{0,500}:(?!\d{1,5}[/?#])\S{0,500}|[^\s"'<>/?#]{0,500})@/g;

/**
 * A secret's name, its `=` or `:`, and its value: in quotes, after the name of an authentication
 * scheme, or one word. What our own problems say of an option is no value.
 */
const NAMED_VALUE =
  /((?<!\/)(?:passw(?:or)?d|passphrase|pwd|secret|token|authori[sz]ation|credential|cookie|signature|(?:api|access|private|secret)[-_]?key)s?["'\\]{0,2}\s{0,3}[=:]\s{0,3})(?!must\s|needs\s)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|(?:(?:basic|bearer|digest|token|negotiate)\s+)?[^\s"'&,;}\])]+)/gi;

/** Whether a key, an option, a header or a variable of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Removes `user:password@` from the URLs of a text, and hides the values of keys that look secret
 * and the values that `env()`, `file()` and the like returned.
 */
export function redact(text: string): string {
  return withoutSecrets(text, givenSecrets()).replace(USERINFO, "$1").replace(NAMED_VALUE, `$1${HIDDEN}`);
}

/**
 * Removes these values from a text, in every form in which it may repeat them: unchanged, escaped
 * for JSON or HTML, encoded for a URL or a form, or in base64.
 *
 * @param text `isCut`: more may have followed. Its end, in which a secret could begin, is left out.
 */
export function withoutSecrets(text: string, secrets: readonly string[], { isCut = false } = {}): string {
  const known = secrets.filter((secret) => secret !== "");
  if (known.length === 0) return text;
  const end = isCut ? text.length - Math.max(...known.map(longestForm)) : text.length;
  let shown = "";
  let done = 0;
  for (const { index, 0: form } of text.matchAll(patternOf(known))) {
    if (index >= end) break;
    shown += text.slice(done, index) + HIDDEN;
    done = index + form.length;
  }
  return shown + text.slice(done, Math.max(end, 0));
}

/** Longest first, so that a secret that contains another one is replaced as a whole. */
function patternOf(secrets: readonly string[]): RegExp {
  const sorted = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  const key = JSON.stringify(sorted);
  const pattern = patterns.get(key) ?? new RegExp(sorted.map(secretPattern).join("|"), "g");
  if (patterns.size >= MAX_PATTERNS) patterns.clear();
  patterns.set(key, pattern);
  return pattern;
}

/** Kept, since building the expression takes 0.5 ms and every line of the log needs it. */
const patterns = new Map<string, RegExp>();
const MAX_PATTERNS = 20;

/**
 * A URL as it may be shown: without user, password and fragment; of its query only the names; its
 * path without values that `env()` and the like returned. A text that is no URL is hidden.
 */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return HIDDEN;
  const { protocol, host, pathname, search } = new URL(url);
  const path = withoutSecrets(pathname, givenSecrets());
  const query = search.slice(1).split("&").map((pair) => pair.replace(/^([^=]*=)?.*$/, `$1${HIDDEN}`)).join("&");
  return `${protocol}//${host}${path}${search === "" ? "" : `?${query}`}`;
}

/**
 * Shorter values are hidden only if their name marks them as secrets: they would match parts of
 * ordinary words.
 */
const MIN_LENGTH = 8;

/** Names of variables that a configuration reads and that hold no secret. */
const PLAIN_NAME =
  /(?:^|_)(?:host|hostname|port|user|username|name|domain|region|zone|email|address|from|file|dir|dn|base|vhost|exchange|queue)$/i;

/** The secret parts of the values that config.ts got from `env()`, `file()` and the like. */
export function givenSecrets(): readonly string[] {
  return givenValues().flatMap(({ name, value }) => {
    if (isSecretName(name)) return [value, ...partsOfUrl(value)].filter(({ length }) => length > 2);
    if (PLAIN_NAME.test(name)) return [];
    return (URL.canParse(withOneHost(value)) ? partsOfUrl(value) : [value]).filter(({ length }) =>
      length >= MIN_LENGTH
    );
  });
}

/** The parts of a URL that may be secret, as in `https://chat.example.com/hooks/TOKEN`. */
function partsOfUrl(text: string): string[] {
  const value = withOneHost(text);
  if (!URL.canParse(value)) return [];
  const { protocol, pathname, search, searchParams, password } = new URL(value);
  const path = /^https?:$/.test(protocol) ? pathname.replace(/^\/|\/$/g, "") : "";
  return [...[path, search.slice(1), password].map(decoded), ...searchParams.values()];
}

/** A URL with the first of its hosts: PostgreSQL's may name several, as `h:5432,h2:5432`. */
function withOneHost(url: string): string {
  return url.replace(/^(\w+:\/\/(?:[^/?#\s]{0,500}@)?[^,/?#@\s]{0,500}),[^/?#\s]*/, "$1");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
