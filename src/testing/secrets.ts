import assert from "node:assert/strict";

/** What people may get to see of a plugin. */
export interface Visible {
  readonly error?: unknown;
  readonly log?: readonly string[];
  readonly preview?: unknown;
  readonly plugin?: unknown;
}

/** Fails when a secret can be seen: as it is, or as JSON, a URL or base64 would write it. */
export function discreet(visible: Visible, secrets: readonly string[]): void {
  for (const [where, value] of Object.entries(visible)) {
    if (value === undefined) continue;
    const text = textsOf(value).join("\n");
    const told = secrets.flatMap(formsOf).find((form) => text.includes(form));
    // The text itself would tell the secret to whoever reads the test's report.
    if (told !== undefined) {
      throw new assert.AssertionError({
        message: `A secret (of ${told.length} characters) can be seen in the ${where}`,
      });
    }
  }
}

/** The text of an error with its stack and its causes, and whatever else `console.log` and JSON would show of a value. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  const inspected = Deno.inspect(value, { depth: 20, iterableLimit: 1000, strAbbreviateSize: 100_000 });
  return [inspected, json(value), ...(value instanceof Error ? [value.message, ...textsOf(value.cause ?? "")] : [])];
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), bytes.toBase64()];
}
