import assert from "node:assert/strict";
import type { Json } from "../../mod.ts";
import type { HttpTaken } from "./http_harness.ts";

/**
 * Fails unless a preview of the form `{ method, url, headers, body }` equals the sent request,
 * secrets (`***`) aside.
 */
export function assertHttpPreview(preview: Json, { method, path, headers, body }: HttpTaken): void {
  const { url, ...shown } = preview as { method: string; url: string; headers: Record<string, string>; body: Json };
  const { pathname, search } = new URL(url);
  assert.deepEqual([shown.method, masked(pathname + search)], [method, masked(path)]);
  for (const [name, value] of Object.entries(shown.headers)) {
    if (value !== "***") assert.equal(headers[name], value, `the header ${name} is not as previewed`);
    else assert.ok(headers[name] !== undefined, `the header ${name} was not sent`);
  }
  const own = Object.keys(headers).filter((name) => !BY_THE_RUNTIME.has(name));
  assert.deepEqual(own.filter((name) => !(name in shown.headers)), [], "headers were sent that are not in the preview");
  assert.deepEqual(bodyOf(shown.body), bodyOf(body));
}

const BY_THE_RUNTIME = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "connection",
  "content-length",
  "transfer-encoding",
  "user-agent",
]);

function masked(path: string): string {
  return path.replace(/=[^&]*/g, "=***");
}

/** The value of a JSON text, so that its formatting does not matter; any other text unchanged. */
function bodyOf(body: Json): Json {
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body);
  } catch {
    return body === "" ? null : body;
  }
}
