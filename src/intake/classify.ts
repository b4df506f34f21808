import { Buffer } from "node:buffer";

/**
 * Whether a message cannot be of a wanted type, found out from its bytes alone: most of what a cloud sends is nothing that anybody asked
 * for, and parsing both of its JSON layers costs ten times as much as this look.
 *
 * It says `true` only where that is certain. An `event_type` may also stand deeper inside a payload, and the order of keys is not
 * promised: so every `event_type` in the bytes must have an unwanted value, there must be one, and none may be written with escapes.
 */
export function isUnwanted(body: Uint8Array, wanted: ReadonlySet<string>): boolean {
  const bytes = asBuffer(body);
  let at = bytes.indexOf(KEY);
  if (at === -1) return false;
  for (; at !== -1; at = bytes.indexOf(KEY, at + KEY.length)) {
    const value = valueAfter(bytes, at + KEY.length);
    if (value === undefined || wanted.has(value)) return false;
  }
  return !escapesAscii(bytes);
}

const KEY = Buffer.from("event_type");
const ESCAPE = Buffer.from("u00");
const ZERO = 0x30;
const SEVEN = 0x37;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Whether an ASCII character may be written as `\u00…`, at any depth: a key could hide behind that. Python escapes control characters
 * alone so, JSON asks for no others.
 */
function escapesAscii(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(ESCAPE); at !== -1; at = bytes.indexOf(ESCAPE, at + ESCAPE.length)) {
    const digit = bytes[at + ESCAPE.length];
    if (digit !== undefined && digit >= ZERO && digit <= SEVEN) return true;
  }
  return false;
}

/** The plain string that is the value of the key ending at `at`, at any depth of JSON texts inside JSON texts. */
function valueAfter(bytes: Buffer, at: number): string | undefined {
  at = skipQuote(bytes, at);
  if (at === -1) return undefined;
  while (bytes[at] === SPACE) at++;
  if (bytes[at] !== COLON) return undefined;
  at++;
  while (bytes[at] === SPACE) at++;
  const start = skipQuote(bytes, at);
  if (start === -1) return undefined;
  let end = start;
  while (end < bytes.length && bytes[end] !== QUOTE && bytes[end] !== BACKSLASH) end++;
  // A backslash that does not escape the closing quote begins an escape inside the value: too clever for a cheap look.
  return skipQuote(bytes, end) === -1 ? undefined : bytes.toString("latin1", start, end);
}

/** The place after a quote and the backslashes that escape it, -1 if there is none. */
function skipQuote(bytes: Buffer, at: number): number {
  while (bytes[at] === BACKSLASH) at++;
  return bytes[at] === QUOTE ? at + 1 : -1;
}
