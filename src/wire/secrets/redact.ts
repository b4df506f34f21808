import { envValues } from "./env.ts";
import { longestForm, secretPattern } from "./secret_forms.ts";

/** What stands in the place of a secret. */
export const HIDDEN = "***";

const SECRET_NAME =
  /passw|passphrase|pwd|secret|token|authori[sz]ation|credential|cookie|session|signature|bearer|(?:api|access|private|account|auth|subscription)[-_]?key|^x-auth/i;

/** `user:password@` after `://`. What follows a colon and is no port is a password, whatever it holds: better too much than too little. */
const USERINFO = /(:\/{1,2})(?:[^\s"'<>/?#:[]{0,500}:(?!\d{1,5}[/?#])\S{0,500}|[^\s"'<>/?#]{0,500})@/g;

/** A secret's name, its `=` or `:`, and its value: in quotes, after the name of an authentication scheme, or one word. */
const NAMED_VALUE =
  /((?<!\/)(?:passw(?:or)?d|passphrase|pwd|secret|token|authori[sz]ation|credential|cookie|signature|(?:api|access|private|secret)[-_]?key)s?["'\\]{0,2}\s{0,3}[=:]\s{0,3})("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|(?:(?:basic|bearer|digest|token|negotiate)\s+)?[^\s"'&,;}\])]+)/gi;

/** Whether a key, an option, a header or a variable of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * The text without `user:password@` in its URLs, with the values of secret-looking keys hidden, and with those that came through `env()`.
 */
export function redact(text: string): string {
  return withoutSecrets(text, envSecrets()).replace(USERINFO, "$1").replace(NAMED_VALUE, `$1${HIDDEN}`);
}

/**
 * The text without these very values, in whatever form it may repeat them: as they are, escaped for JSON or HTML, encoded for a URL or a
 * form, in base64.
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

/** Longest first: a secret that contains another goes as a whole. */
function patternOf(secrets: readonly string[]): RegExp {
  const sorted = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  const key = JSON.stringify(sorted);
  const pattern = patterns.get(key) ?? new RegExp(sorted.map(secretPattern).join("|"), "g");
  if (patterns.size >= MAX_PATTERNS) patterns.clear();
  patterns.set(key, pattern);
  return pattern;
}

/** UserFunction one takes half a millisecond, and every line of the log needs the same. */
const patterns = new Map<string, RegExp>();
const MAX_PATTERNS = 20;

/**
 * A URL for people: no user, no password, no fragment, of its query the names only, and of its path nothing that came through `env()`. What
 * is no URL is hidden.
 */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return HIDDEN;
  const { protocol, host, pathname, search } = new URL(url);
  const path = withoutSecrets(pathname, envSecrets());
  const query = search.slice(1).split("&").map((pair) => pair.replace(/^([^=]*=)?.*$/, `$1${HIDDEN}`)).join("&");
  return `${protocol}//${host}${path}${search === "" ? "" : `?${query}`}`;
}

/** Shorter ones are hidden only if their name says that they are secrets: they would be found in every other word. */
const MIN_ENV_LENGTH = 8;

/** Variables that hold no secret, though a configuration asks for them. */
const PLAIN_NAME =
  /(?:^|_)(?:host|hostname|port|user|username|name|domain|region|zone|email|address|from|file|dir|dn|base|vhost|exchange|queue)$/i;

/** What must not be told of what config.ts asked `env()` for. */
export function envSecrets(): readonly string[] {
  return [...envValues()].flatMap(([name, value]) => {
    if (isSecretName(name)) return [value, ...partsOfUrl(value)].filter(({ length }) => length > 2);
    if (PLAIN_NAME.test(name)) return [];
    return (URL.canParse(value) ? partsOfUrl(value) : [value]).filter(({ length }) => length >= MIN_ENV_LENGTH);
  });
}

/** Where a URL may hold a secret, as `https://chat.example.com/hooks/TOKEN`. */
function partsOfUrl(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { protocol, pathname, search, searchParams, password } = new URL(value);
  const path = /^https?:$/.test(protocol) ? pathname.replace(/^\/|\/$/g, "") : "";
  return [...[path, search.slice(1), password].map(decoded), ...searchParams.values()];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
