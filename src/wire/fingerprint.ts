import type { Json } from "../model/notification.ts";

/**
 * A hash of a JSON value, 64 hexadecimal digits (SHA-256): equal for equal values, whatever the
 * order of the keys of an object. For `list` and `expected` of a plugin: it does not show the value.
 *
 * @example
 * ```ts
 * import { fingerprint } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await fingerprint({ a: 1, b: "web-1" }), await fingerprint({ b: "web-1", a: 1 }));
 * assert.notEqual(await fingerprint(["web-1"]), await fingerprint(["web-2"]));
 * ```
 */
export async function fingerprint(value: Json): Promise<string> {
  // Lone surrogates are encoded as U+FFFD; JSON writes them as \ud800, so they stay different.
  const text = JSON.stringify(value, sortedKeys);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1));
}
