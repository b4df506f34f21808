import { Buffer } from "node:buffer";
import type { Delivered } from "../../rabbitmq/consumer.ts";
import { decodeBody, isActorKey } from "../../intake/envelope.ts";
import { plainBytes } from "../../intake/plain_bytes.ts";
import type { Json, JsonObject } from "../../model/notification.ts";
import { HIDDEN, isSecretName, redact } from "../../wire/secrets/redact.ts";

/** Parts of a context or of a request that nobody needs to understand a notification, and that may hold what opens doors. */
const CLOSED_NAMES =
  /^(?:service_)?catalog$|^user_data$|^injected_files$|^personality$|^trust_id$|^roles$|^(?:admin|root)_?pass$/i;

/** Keystone's tokens, wherever they stand: Fernet, and signed ones. */
const TOKENS = /\bgAAAAA[\w-]{20,}={0,2}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g;

/**
 * A message as one line of JSON that `--dry-run` reads, in the form of a capture, freed of secrets and tokens; or why it cannot be freed of
 * them: what cannot be read may hold anything.
 *
 * @param received Seconds since the epoch.
 */
export function recordedLine(
  { exchange, routingKey, redelivered, body, compression }: Delivered,
  received: number,
): { readonly line: string } | { readonly refused: string } {
  const plain = plainBytes(body, compression);
  if ("refused" in plain) return plain;
  // Whatever cannot be decoded is not recorded, nor is a call that is no notification.
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

/** The text of a body in the same envelope, without what is secret in it. */
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
  return Object.fromEntries(kept.map(([key, value]) => [cleanText(key), isClosed(key) ? hidden(value) : clean(value)]));
}

function isClosed(key: string): boolean {
  return isSecretName(key) || CLOSED_NAMES.test(key);
}

/** Still to be seen: that there was something, and of which kind. */
function hidden(value: Json): Json {
  if (value === null || typeof value === "boolean") return value;
  if (Array.isArray(value)) return [];
  return typeof value === "object" ? {} : HIDDEN;
}

function cleanText(text: string): string {
  return redact(text.replace(TOKENS, HIDDEN));
}
