const MAX_LENGTH = 1024;

/** Tokens, separated by dots, without blanks, control characters and wildcards. */
const SUBJECT = /^[^\s\p{Cc}\p{Cs}.*>]+(?:\.[^\s\p{Cc}\p{Cs}.*>]+)*$/u;

/**
 * Whether messages can be published to a subject: tokens separated by dots, at most 1024 characters,
 * and none of the server's own, which begin with `$`.
 */
export function isNatsSubject(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_LENGTH && SUBJECT.test(value) && !value.startsWith("$");
}

/**
 * A text as one token of a subject. Everything but letters, digits, `-` and `_` is percent-encoded,
 * so different texts stay different; one that is empty or not known is `%`.
 *
 * @example
 * ```ts
 * import { natsToken } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(natsToken("my-project"), "my-project");
 * assert.equal(natsToken("a.b > *"), "a%2Eb%20%3E%20%2A");
 * ```
 */
export function natsToken(text: string | null): string {
  const hex = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent((text ?? "").toWellFormed()).replace(/[!'()*.~]/g, hex) || "%";
}
