import { Buffer } from "node:buffer";

/**
 * Whether a message cannot be of a wanted type, found out from its bytes alone: most of what a cloud sends is nothing that anybody asked
 * for, and parsing both of its JSON layers costs five times as much as this look (`bench/classify.ts`).
 *
 * It says `true` only where that is certain. An `event_type` may also stand deeper inside a payload, and the order of keys is not
 * promised: so every `event_type` in the bytes must have an unwanted value, there must be one, and none may be written with escapes.
 */
export function isUnwanted(body: Uint8Array, wanted: ReadonlySet<string>): boolean {
  // One character per byte: V8 searches texts many times as fast as Deno searches bytes.
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  let at = text.indexOf(KEY);
  if (at === -1) return false;
  for (; at !== -1; at = text.indexOf(KEY, at + KEY.length)) {
    const value = valueAfter(text, at + KEY.length);
    if (value === undefined || wanted.has(value)) return false;
  }
  return !escapesAscii(text);
}

/** `event_type` without its first letter: V8 looks for the first character of a text, and `v` is far rarer than `e`. */
const KEY = "vent_type";
const ESCAPE = "u00";

/**
 * Whether an ASCII character may be written as `\u00…`, at any depth: a key could hide behind that. Python escapes control characters
 * alone so, JSON asks for no others.
 */
function escapesAscii(text: string): boolean {
  for (let at = text.indexOf(ESCAPE); at !== -1; at = text.indexOf(ESCAPE, at + ESCAPE.length)) {
    const digit = text[at + ESCAPE.length];
    if (digit !== undefined && digit >= "0" && digit <= "7") return true;
  }
  return false;
}

/** The plain string that is the value of the key ending at `at`, at any depth of JSON texts inside JSON texts. */
function valueAfter(text: string, at: number): string | undefined {
  at = skipQuote(text, at);
  if (at === -1) return undefined;
  while (text[at] === " ") at++;
  if (text[at] !== ":") return undefined;
  at++;
  while (text[at] === " ") at++;
  const start = skipQuote(text, at);
  if (start === -1) return undefined;
  let end = start;
  while (end < text.length && text[end] !== '"' && text[end] !== "\\") end++;
  // A backslash that does not escape the closing quote begins an escape inside the value: too clever for a cheap look.
  return skipQuote(text, end) === -1 ? undefined : text.slice(start, end);
}

/** The place after a quote and the backslashes that escape it, -1 if there is none. */
function skipQuote(text: string, at: number): number {
  while (text[at] === "\\") at++;
  return text[at] === '"' ? at + 1 : -1;
}
