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

/** The text without `user:password@` in its URLs, and with the values of secret-looking keys hidden. */
export function redact(text: string): string {
  return text.replace(USERINFO, "$1").replace(NAMED_VALUE, `$1${HIDDEN}`);
}

/** The text without these very values, in whatever form it may repeat them: as they are, in JSON, or in a URL. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap(formsOf).filter((form) => form !== "");
  // Longest first: a secret that contains another goes as a whole.
  return forms.sort((a, b) => b.length - a.length).reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
}

function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
}

/** A URL for people: no user, no password, no fragment, and of its query the names only. What is no URL is hidden. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return HIDDEN;
  const { protocol, host, pathname, search } = new URL(url);
  const query = search.slice(1).split("&").map((pair) => pair.replace(/^([^=]*=)?.*$/, `$1${HIDDEN}`)).join("&");
  return `${protocol}//${host}${pathname}${search === "" ? "" : `?${query}`}`;
}
