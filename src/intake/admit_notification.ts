import { MAX_ID, MAX_RESOURCES } from "../model/bounds.ts";
import type { Json, JsonObject, Notification } from "../model/notification.ts";
import { boundedPayload, bulkKey } from "./bounded_payload.ts";
import type { Refused } from "./envelope.ts";

/** A notification to record. */
export interface AdmittedNotification {
  readonly notification: Notification;
  /**
   * Descriptions of the parts that were left out because they exceed what any cloud sends, for the
   * log.
   *
   * @default nothing was left out
   */
  readonly cut?: readonly string[];
}

/**
 * The result of intake for a message: ignored as unwanted, refused with a reason, or a notification
 * to record.
 */
export type Admission<Admitted = AdmittedNotification> =
  | { readonly ignored: string }
  | Refused
  | Admitted;

/** Admits a decoded notification if its type is wanted and it names its resource. */
export function admitNotification(notification: Notification, wanted: ReadonlySet<string>): Admission {
  const { eventType, payload } = notification;
  if (!wanted.has(eventType)) return { ignored: "not an event type that is handled" };
  const missing = missingResource(notification);
  if (missing !== null) return { refused: `${eventType} without ${missing}` };
  const key = bulkKey(eventType, payload);
  const count = key === null ? 1 : (payload[key] as readonly Json[]).length;
  if (count > MAX_RESOURCES) return { refused: `${eventType} names ${count} ${key}, more than ${MAX_RESOURCES}` };
  const bounded = boundedPayload(eventType, payload);
  if (bounded.cut.length === 0) return { notification };
  return { notification: { ...notification, payload: bounded.payload }, cut: bounded.cut };
}

/** The paths under which each kind of payload names its resource. */
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

/**
 * Whether a value is a usable id. One with a control character or a lone surrogate could not be
 * looked up again.
 */
function isId(value: Json | undefined): boolean {
  return typeof value === "string" && value.length <= MAX_ID && value.isWellFormed() && /^\P{Cc}+$/u.test(value);
}
