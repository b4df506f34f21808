/**
 * The source of a regular expression that finds a secret in every form in which a text may repeat
 * it: unchanged, escaped for JSON, HTML or XML, encoded for a URL or a form, also twice, character
 * by character; and in base64, also within something longer, as in `user:password`.
 */
export function secretPattern(secret: string): string {
  const text = secret.toWellFormed();
  const plain = text.match(/\\+|[^\\]/gu)?.map((part) => part.startsWith("\\") ? backslashes(part) : character(part));
  return [plain?.join("") ?? "", ...base64Of(text)].filter((pattern) => pattern !== "").join("|");
}

/** An upper bound for the length of every form of such a secret. */
export function longestForm(secret: string): number {
  return secret.length * MAX_CHARACTER_LENGTH + 16;
}

/** The form of one character may be as long as `%25E2%2582%25AC`. */
const MAX_CHARACTER_LENGTH = 16;

/**
 * Escaped once or twice, or made slashes by a URL. A run is one pattern: of several, each could
 * take what belongs to the next, and a search would never end.
 */
function backslashes({ length }: string): string {
  const escaped = "(?:%(?:25)*5[cC]|&(?:amp;)*(?:#0*92|#[xX]0*5[cC]|bsol);)";
  return `(?:\\\\{${length},${4 * length}}|/{${length}}|${escaped}{${length},${2 * length}})`;
}

/** One character, in its forms. */
function character(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const bytes = [...new TextEncoder().encode(char)].map((byte) => `%(?:25)*${hex(byte, 2)}`);
  const units = char.split("").map((unit) => `\\\\{1,2}u${hex(unit.charCodeAt(0), 4)}`);
  const entities = [`#0*${code}`, `#[xX]0*${hex(code)}`, ...ENTITIES[char] ?? []];
  return `(?:${
    [
      literal(char),
      bytes.join(""),
      units.join(""),
      `&(?:amp;)*(?:${entities.join("|")});`,
      ...(SHORT_ESCAPES[char] ?? []),
      ...(char === " " ? ["\\+"] : []),
    ].join("|")
  })`;
}

/** JSON puts a backslash before some, and JSON in JSON three. */
function literal(char: string): string {
  const plain = char.replace(/[.*+?^${}()|[\]/-]/, "\\$&");
  return /["'/]/.test(char) ? `\\\\{0,3}${plain}` : plain;
}

const ENTITIES: Readonly<Record<string, readonly string[]>> = {
  "&": ["amp"],
  "<": ["lt"],
  ">": ["gt"],
  '"': ["quot"],
  "'": ["apos"],
};

const SHORT_ESCAPES: Readonly<Record<string, readonly string[]>> = {
  "\b": ["\\\\{1,2}b"],
  "\f": ["\\\\{1,2}f"],
  "\n": ["\\\\{1,2}n"],
  "\r": ["\\\\{1,2}r"],
  "\t": ["\\\\{1,2}t"],
};

/** A number in hexadecimal digits of either case. */
function hex(value: number, digits = 1): string {
  return value.toString(16).padStart(digits, "0").replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** Shorter runs of digits would match other texts. */
const MIN_BASE64_LENGTH = 6;

/**
 * The digits that a secret makes at each of the three places where it can begin, and those beside
 * that are made with its neighbours.
 */
function base64Of(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].flatMap((before) => {
    const all = new Uint8Array([...new Uint8Array(before), ...bytes]).toBase64({ omitPadding: true });
    const first = before === 0 ? 0 : before + 1;
    const own = all.slice(first, Math.floor((before + bytes.length) * 8 / 6));
    if (own.length < MIN_BASE64_LENGTH) return [];
    const digits = own.split("").map((digit) => BASE64_DIGITS[digit] ?? digit).join("");
    return [`[A-Za-z\\d+/_-]{0,${first}}${digits}[A-Za-z\\d+/_-]?(?:=|%3[dD]){0,2}`];
  });
}

/** Also those of base64url, and as a URL holds them. */
const BASE64_DIGITS: Readonly<Record<string, string>> = {
  "+": "(?:[+-]|%(?:25)*2[bB]|&#(?:43|[xX]2[bB]);)",
  "/": "(?:\\\\{0,3}/|_|%(?:25)*2[fF]|&#(?:47|[xX]2[fF]);)",
};
