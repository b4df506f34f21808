import type { Json, JsonObject, Notification } from "../model/notification.ts";
import { isUnwanted } from "./classify.ts";
import { decodeBody, type Decoded, plainBytes } from "./envelope.ts";

/** What intake makes of a message: nothing that anybody wants, a notification to record, or a reason to refuse it. */
export type Admission = { readonly ignored: string } | Decoded;

/** Reads a message as far as it must: a look at the bytes for most, both JSON layers for the wanted. */
export function admit(
  message: { readonly body: Uint8Array; readonly compression: string | null },
  wanted: ReadonlySet<string>,
): Admission {
  const bytes = plainBytes(message.body, message.compression);
  if ("refused" in bytes) return bytes;
  if (isUnwanted(bytes, wanted)) return { ignored: "not an event type that is handled" };
  const decoded = decodeBody(bytes);
  return "refused" in decoded ? decoded : admitNotification(decoded.notification, wanted);
}

/** The same for a decoded notification. */
export function admitNotification(notification: Notification, wanted: ReadonlySet<string>): Admission {
  if (!wanted.has(notification.eventType)) return { ignored: "not an event type that is handled" };
  const missing = missingResource(notification);
  return missing === null ? { notification } : { refused: `${notification.eventType} without ${missing}` };
}

/** Where each kind of payload names its resource. */
const RESOURCE_PATHS: readonly { readonly prefix: string; readonly paths: readonly string[] }[] = [
  { prefix: "compute.instance.", paths: ["instance_id"] },
  { prefix: "instance.", paths: ["nova_object.data/uuid"] },
  { prefix: "floatingip.", paths: ["floatingip/id", "floatingip_id", "floatingips/0/id"] },
  { prefix: "port.", paths: ["port/id", "port_id", "ports/0/id"] },
];

function missingResource({ eventType, payload }: Notification): string | null {
  const row = RESOURCE_PATHS.find(({ prefix }) => eventType.startsWith(prefix));
  if (row === undefined || row.paths.some((path) => isId(at(payload, path)))) return null;
  return row.paths[0]?.replaceAll("/", ".") ?? null;
}

function at(payload: JsonObject, path: string): Json | undefined {
  return path.split("/").reduce<Json | undefined>(
    (value, key) => typeof value === "object" && value !== null ? (value as JsonObject)[key] : undefined,
    payload,
  );
}

/** Ids are chosen by the services. One with a control character or half a character could not be looked up again. */
function isId(value: Json | undefined): boolean {
  return typeof value === "string" && value.isWellFormed() && /^\P{Cc}+$/u.test(value);
}
