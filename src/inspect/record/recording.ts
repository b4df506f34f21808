import { Buffer } from "node:buffer";
import type { Delivered } from "../../rabbitmq/consumer.ts";
import { decodeBody, isActorKey } from "../../intake/envelope.ts";
import { plainBytes } from "../../intake/plain_bytes.ts";
import type { Json, JsonObject } from "../../model/notification.ts";
import { HIDDEN, isSecretName, redact } from "../../wire/secrets/redact.ts";

/**
 * Parts of a context or of a request that may hold credentials, and that no reader of a
 * notification needs.
 */
const SENSITIVE_NAMES =
  /^(?:service_)?catalog$|^user_data$|^injected_files$|^personality$|^trust_id$|^roles$|^(?:admin|root)_?pass$/i;

/** Keystone's tokens in any text: Fernet, and signed ones (JWS). */
const TOKENS = /\bgAAAAA[\w-]{20,}={0,2}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g;

/**
 * A message as one line of JSON that `--dry-run` reads, without secrets and tokens. A message that
 * cannot be read is refused: it may hold a secret anywhere.
 *
 * @param received Seconds since the epoch.
 */
export function recordedLine(
  { exchange, routingKey, redelivered, body, compression }: Delivered,
  received: number,
): { readonly line: string } | { readonly refused: string } {
  const plain = plainBytes(body, compression);
  if ("refused" in plain) return plain;
  // A body that cannot be decoded is not recorded, nor is an RPC call.
  const decoded = decodeBody(plain);
  if ("refused" in decoded) return decoded;
  const line = JSON.stringify({
    received,
    exchange,
    routing_key: routingKey,
    redelivered,
    properties: { content_type: "application/json", content_encoding: "utf-8" },
    body: withoutSecrets(Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString("utf8")),
  });
  return { line };
}

/** The text of a body without its secrets, in the same envelope. */
function withoutSecrets(body: string): string {
  const outer: JsonObject = JSON.parse(body);
  const inner = outer["oslo.message"];
  if (!("oslo.version" in outer) || typeof inner !== "string") return JSON.stringify(cleanObject(outer));
  return JSON.stringify({
    "oslo.version": outer["oslo.version"],
    "oslo.message": JSON.stringify(cleanObject(JSON.parse(inner))),
  });
}

function clean(value: Json): Json {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  return typeof value === "object" && value !== null ? cleanObject(value as JsonObject) : value;
}

function cleanObject(object: JsonObject): JsonObject {
  const kept = Object.entries(object).filter(([key]) => !key.startsWith("_context_") || isActorKey(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [cleanText(key), isSensitive(key) ? hidden(value) : clean(value)]),
  );
}

function isSensitive(key: string): boolean {
  return isSecretName(key) || SENSITIVE_NAMES.test(key);
}

/** A placeholder that still shows the kind of the value. */
function hidden(value: Json): Json {
  if (value === null || typeof value === "boolean") return value;
  if (Array.isArray(value)) return [];
  return typeof value === "object" ? {} : HIDDEN;
}

function cleanText(text: string): string {
  return redact(text.replace(TOKENS, HIDDEN));
}
