/**
 * Headers of all answers. The page is served as it is, so nothing inline has to run, and nothing
 * comes from elsewhere.
 */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "x-robots-tag": "noindex",
};

/** Adds the headers that every answer has. */
export function secured(response: Response, { isSecure }: { readonly isSecure: boolean }): Response {
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
  if (isSecure) response.headers.set("strict-transport-security", "max-age=31536000");
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  return response;
}
