/** A message to sign by Standard Webhooks. */
export interface WebhookMessage {
  /**
   * The same for every attempt. Full stops are percent-encoded, since they separate the signed
   * parts.
   */
  readonly id: string;
  /** When the attempt is made, milliseconds since the epoch. */
  readonly timeMs: number;
  /** Exactly the text that is sent. */
  readonly body: string;
}

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SECRET_BYTES = { min: 24, max: 64 };

/**
 * Whether a value is a signing secret as Standard Webhooks writes them: `whsec_` and the base64 of
 * 24 to 64 bytes.
 */
export function isWebhookSecret(value: unknown): value is string {
  const bytes = typeof value === "string" ? keyOf(value) : undefined;
  return bytes !== undefined && bytes.length >= SECRET_BYTES.min && bytes.length <= SECRET_BYTES.max;
}

/** The headers that {@linkcode webhookHeaders} gives. */
export const WEBHOOK_HEADERS: readonly string[] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/**
 * The headers of [Standard Webhooks](https://www.standardwebhooks.com) for a message: `webhook-id`,
 * `webhook-timestamp` and `webhook-signature`, one signature (`v1`, HMAC-SHA256) per secret, so
 * that a receiver may know the old or the new one while secrets are changed.
 *
 * @throws {TypeError} when a secret has another form, or the list is empty.
 *
 * @example
 * ```ts
 * import { isWebhookSecret, webhookHeaders, type WebhookMessage } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * // The example of the standard's own libraries.
 * const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
 * const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
 * const message: WebhookMessage = { id, timeMs: 1614265330000, body: '{"test": 2432232314}' };
 *
 * assert.ok(isWebhookSecret(secret));
 * assert.deepEqual(webhookHeaders(message, [secret]), {
 *   "webhook-id": id,
 *   "webhook-timestamp": "1614265330",
 *   "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
 * });
 * ```
 */
export function webhookHeaders(message: WebhookMessage, secrets: readonly string[]): Record<string, string> {
  if (secrets.length === 0 || !secrets.every(isWebhookSecret)) {
    throw new TypeError(`Cannot sign a webhook: a secret must be "whsec_" and the base64 of 24 to 64 bytes`);
  }
  const id = message.id.replaceAll(".", "%2E");
  const timestamp = String(Math.floor(message.timeMs / 1000));
  const signed = `${id}.${timestamp}.${message.body}`;
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": secrets.map((secret) => `v1,${signature(signed, secret)}`).join(" "),
  };
}

function signature(text: string, secret: string): string {
  // Loaded at first use: every config.ts imports this file, few sign, and loading the module takes
  // a tenth of a dry run.
  const { createHmac } = globalThis.process.getBuiltinModule("node:crypto");
  return createHmac("sha256", keyOf(secret) ?? new Uint8Array()).update(text, "utf8").digest("base64");
}

function keyOf(secret: string): Uint8Array | undefined {
  const base64 = SECRET.exec(secret)?.[1];
  try {
    return base64 === undefined ? undefined : Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
}
