import { PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";

const MAX_LENGTH = 1024;

/**
 * An event's key for a header like `Idempotency-Key`. Characters other than visible ASCII, and `%`,
 * are percent-encoded, so different keys stay different.
 *
 * @throws {PermanentError} when it is longer than 1024 characters, which is too long for a header.
 *
 * @example
 * ```ts
 * import { idempotencyKey } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(idempotencyKey("server/5bd8b6a0/creation"), "server/5bd8b6a0/creation");
 * assert.equal(idempotencyKey("server/a b\r\nX: ü/creation"), "server/a%20b%0D%0AX:%20%C3%BC/creation");
 * ```
 */
export function idempotencyKey(key: string): string {
  const encoded = key.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
  if (encoded.length <= MAX_LENGTH) return encoded;
  throw new PermanentError(
    `Cannot send the key "${printable(key, 80)}" in a header: longer than ${MAX_LENGTH} characters`,
  );
}
