import assert from "node:assert/strict";

/** The outputs of a plugin that people may see. */
export interface Visible {
  readonly error?: unknown;
  readonly log?: readonly string[];
  readonly preview?: unknown;
  readonly plugin?: unknown;
}

/**
 * Fails when a secret is visible: unchanged, or as JSON, a URL, a form, HTML or base64 would write
 * it.
 */
export function discreet(visible: Visible, secrets: readonly string[]): void {
  for (const [where, value] of Object.entries(visible)) {
    if (value === undefined) continue;
    const text = textsOf(value).join("\n");
    const told = secrets.flatMap(formsOf).find((form) => text.includes(form));
    // The message does not quote the text, which would put the secret into the test report.
    if (told !== undefined) {
      throw new assert.AssertionError({
        message: `A secret (of ${told.length} characters) can be seen in the ${where}`,
      });
    }
  }
}

/**
 * All texts in a value, those of an error's causes too, and whatever `console.log` would show of
 * it.
 */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  const inspected = Deno.inspect(value, { depth: 20, iterableLimit: 1000, strAbbreviateSize: 1_000_000 });
  return [inspected, ...stringsIn(value, new Set())];
}

function stringsIn(value: unknown, seen: Set<object>): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  const hidden = value instanceof Error ? [value.name, value.message, value.stack, value.cause] : [];
  return [...Object.entries(value).flat(), ...hidden].flatMap((part) => stringsIn(part, seen));
}

function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const html = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams({ "": secret }).toString().slice(1),
    html.replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
    html.replaceAll('"', "&#34;").replaceAll("'", "&#x27;"),
    bytes.toBase64(),
    bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
  ];
}
