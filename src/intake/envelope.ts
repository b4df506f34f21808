import type { ActorContext, Json, JsonObject, Notification } from "../model/notification.ts";
import { MAX_ID, MAX_LEVELS } from "../model/bounds.ts";
import { isoUtc } from "../model/timestamp.ts";

/**
 * A message that was refused, with the reason for the log. The reason never quotes the body, which
 * may contain a token.
 */
export interface Refused {
  readonly refused: string;
}

/** A decoded notification, or the reason why the message was refused. */
export type Decoded = { readonly notification: Notification } | Refused;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes the uncompressed body of a message: of the driver `messagingv2` (an envelope around a
 * JSON text) or `messaging` (no envelope).
 */
export function decodeBody(bytes: Uint8Array): Decoded {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return refuse("not UTF-8");
  }
  if (text.trim() === "") return refuse("empty");
  try {
    return decodeJson(JSON.parse(text));
  } catch {
    return refuse("not JSON");
  }
}

/** Decodes a parsed body, with or without its envelope. */
export function decodeJson(value: unknown): Decoded {
  if (!isObject(value)) return refuse("not a JSON object");
  if (!("oslo.version" in value && "oslo.message" in value)) return decodeMessage(value);
  const inner = value["oslo.message"];
  if (typeof inner !== "string") return refuse("oslo.message is not a string");
  try {
    const message: unknown = JSON.parse(inner);
    return isObject(message) ? decodeMessage(message) : refuse("oslo.message holds no JSON object");
  } catch {
    return refuse("oslo.message is not JSON");
  }
}

function decodeMessage(message: JsonObject): Decoded {
  const messageId = message["message_id"];
  const eventType = message["event_type"];
  const payload = message["payload"];
  if (!isText(messageId)) return refuse("no message_id");
  if (!isText(eventType)) return refuse("no event_type");
  if (!isObject(payload)) return refuse("no payload");
  if (messageId.length > MAX_ID) return refuse(`a message_id of ${messageId.length} characters, more than ${MAX_ID}`);
  if (isDeeper(payload, MAX_LEVELS)) return refuse(`nested more than ${MAX_LEVELS} levels deep`);
  const publisherId = message["publisher_id"];
  return {
    notification: {
      messageId,
      eventType,
      publisherId: isName(publisherId) ? publisherId : "",
      time: isoUtc(message["timestamp"]),
      payload,
      actor: actorOf(message),
    },
  };
}

/**
 * The keys of the request context that are read: names and ids only, since the others may contain
 * tokens.
 */
const ACTOR_KEYS: Readonly<Record<keyof ActorContext, readonly string[]>> = {
  userId: ["user_id", "user"],
  userName: ["user_name"],
  projectId: ["project_id", "tenant", "project", "tenant_id"],
  projectName: ["project_name", "tenant_name"],
  requestId: ["request_id"],
  remoteAddress: ["remote_address"],
};

/** Whether a key of a message, as `_context_user_id`, is one of the context keys that are read. */
export function isActorKey(key: string): boolean {
  return Object.values(ACTOR_KEYS).flat().some((name) => key === `_context_${name}`);
}

function actorOf(message: JsonObject): ActorContext {
  const named = (key: keyof ActorContext) => ACTOR_KEYS[key].map((name) => message[`_context_${name}`]).find(isName);
  return {
    userId: named("userId") ?? null,
    userName: named("userName") ?? null,
    projectId: named("projectId") ?? null,
    projectName: named("projectName") ?? null,
    requestId: named("requestId") ?? null,
    remoteAddress: named("remoteAddress") ?? null,
  };
}

function refuse(reason: string): Refused {
  return { refused: reason };
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isName(value: unknown): value is string {
  return isText(value) && value.length <= MAX_ID;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
