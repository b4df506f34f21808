import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** What a signature is for: a text signed for one purpose is worth nothing for another. */
export type Purpose = "link" | "session" | "csrf";

/** A signature of a text, for URLs and cookies. */
export function signatureOf(text: string, { secret, purpose }: { secret: Uint8Array; purpose: Purpose }): string {
  return createHmac("sha256", secret).update(`${purpose}\0${text}`).digest("base64url");
}

/** Data as text with a signature behind it. */
export function signed(data: unknown, options: { readonly secret: Uint8Array; readonly purpose: Purpose }): string {
  const text = Buffer.from(JSON.stringify(data)).toString("base64url");
  return `${text}.${signatureOf(text, options)}`;
}

/** The data of a signed text; `undefined`: the signature is not ours. */
export function verified(
  token: string,
  options: { readonly secret: Uint8Array; readonly purpose: Purpose },
): unknown {
  const [text = "", signature = "", ...rest] = token.split(".");
  if (rest.length > 0 || !isEqual(signature, signatureOf(text, options))) return undefined;
  return JSON.parse(Buffer.from(text, "base64url").toString());
}

/** Compares in a time that does not depend on where they differ. */
export function isEqual(one: string | Uint8Array, other: string | Uint8Array): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
