import type { Json, JsonObject, Notification } from "../model/notification.ts";
import type { Decoded } from "./envelope.ts";

/** What intake makes of a message: nothing that anybody wants, a notification to record, or a reason to refuse it. */
export type Admission = { readonly ignored: string } | Decoded;

/** Whether a decoded notification is one to record: of a wanted type, and saying whom it is about. */
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
