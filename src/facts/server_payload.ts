import type { OptionalKey } from "../model/detail.ts";
import type { Address, ServerSnapshot } from "../model/event.ts";
import type { ActorContext, Json, JsonObject, Notification } from "../model/notification.ts";
import { unknownServer } from "../model/snapshot.ts";
import { isoUtc } from "../model/timestamp.ts";
import { isObject, name, novaObject, number, object, objects, text } from "./read.ts";

/** Reads the server of a `compute.instance.*` or `instance.*` notification. */
export function readServer({ eventType, payload, actor }: Notification): ServerSnapshot {
  return eventType.startsWith("compute.") ? readLegacy(payload, actor) : readVersioned(novaObject(payload), actor);
}

function readLegacy(payload: JsonObject, actor: ActorContext): ServerSnapshot {
  const imageId = imageIdOf(payload["image_ref_url"]);
  const image = imageMeta(payload, imageId);
  const fixedIps = objects(payload["fixed_ips"]);
  return {
    ...unknownServer(name(payload["instance_id"])),
    ...owner(payload, actor),
    hostname: text(payload["hostname"]),
    imageId: imageId ?? imageIdOf(image["base_image_ref"]),
    imageOs: text(image["os"]),
    imageOsDistro: text(image["os_distro"]),
    imageOsVersion: text(image["os_version"]),
    imageName: text(payload["image_name"]),
    storageGb: number(payload["disk_gb"]) ?? sum(payload["root_gb"], payload["ephemeral_gb"]),
    ramGib: gib(payload["memory_mb"]),
    vcpus: number(payload["vcpus"]),
    createdAt: isoUtc(payload["created_at"]),
    metadata: metadata(payload["metadata"]),
    addresses: fixedIps.flatMap((ip) => address(ip, "vif_mac", name(ip["type"]) ?? "fixed")),
    floatingAddress: fixedIps.flatMap((ip) => floatingAddresses(ip["floating_ips"]))[0] ?? null,
  };
}

function readVersioned(payload: JsonObject, actor: ActorContext): ServerSnapshot {
  const flavor = novaObject(payload["flavor"]);
  return {
    ...unknownServer(name(payload["uuid"])),
    ...owner(payload, actor),
    hostname: text(payload["host_name"]),
    description: text(payload["display_description"]),
    imageId: imageIdOf(payload["image_uuid"]),
    storageGb: sum(flavor["root_gb"], flavor["ephemeral_gb"]),
    ramGib: gib(flavor["memory_mb"]),
    vcpus: number(flavor["vcpus"]),
    createdAt: isoUtc(payload["created_at"]),
    metadata: metadata(payload["metadata"]),
    addresses: objects(payload["ip_addresses"]).flatMap((ip) => address(novaObject(ip), "mac", "fixed")),
  };
}

/** The optional keys of the detail that a server's notification states. */
export function readOptional(
  { eventType, payload }: Notification,
  keys: ReadonlySet<OptionalKey>,
): NonNullable<ServerSnapshot["optional"]> {
  const isLegacy = eventType.startsWith("compute.");
  const said = isLegacy ? payload : novaObject(payload);
  const flavor = isLegacy ? payload["instance_type"] : novaObject(said["flavor"])["name"];
  const all: Readonly<Record<OptionalKey, string | null>> = {
    Name: text(said["display_name"]),
    Zone: text(said["availability_zone"]),
    Host: text(said["host"]),
    Status: statusOf(text(said["state"])),
    Flavor: text(flavor),
  };
  return Object.fromEntries([...keys].map((key) => [key, all[key]]));
}

/**
 * The status that Nova's API shows of a server in a state (`vm_state`) while no task runs; those
 * that are not listed have the same name.
 */
const STATUS: Readonly<Record<string, string>> = {
  stopped: "SHUTOFF",
  building: "BUILD",
  resized: "VERIFY_RESIZE",
  rescued: "RESCUE",
  "soft-delete": "SOFT_DELETED",
};

function statusOf(state: string | null): string | null {
  return state === null ? null : Object.hasOwn(STATUS, state) ? STATUS[state] as string : state.toUpperCase();
}

/** The state (`vm_state`) of the server in a notification. */
export function readState({ payload }: Notification): string | null {
  return text(novaObject(payload)["state"]);
}

/** Whether Nova deletes the server, or has done so. A soft deletion leaves its ports. */
export function isBeingDeleted(notification: Notification): boolean {
  const said = novaObject(notification.payload);
  const task = text(said["state_description"]) ?? text(said["task_state"]);
  return task === "deleting" || readState(notification) === "deleted";
}

/** Whether a notification contains the server's description, also if the server has none. */
export function statesDescription({ eventType, payload }: Notification): boolean {
  return !eventType.startsWith("compute.") && "display_description" in novaObject(payload);
}

/**
 * Whether a `create.end` reports a failed build. Nova up to Mitaka, and forks, published one with
 * the fault if a server was deleted while it was built. A message other than "Success" is not
 * enough: Nova translates it.
 */
export function hasFailed({ payload }: Notification): boolean {
  const said = novaObject(payload);
  if (isFault(said["exception"]) || isFault(said["fault"])) return true;
  const [message, state] = [text(said["message"]), text(said["state"])];
  return message !== null && message !== "Success" && state !== null && state !== "active";
}

function isFault(value: Json | undefined): boolean {
  return isObject(value) || text(value) !== null;
}

/**
 * Whether a server's notification was published by a host other than the server's own, or the
 * server has no host. A message that lacks one of the two says nothing of that.
 */
export function isPublishedElsewhere({ publisherId, payload }: Notification): boolean {
  const publisher = /[.:](.+)$/s.exec(publisherId)?.[1];
  const { host } = payload;
  if (publisher === undefined || host === undefined) return false;
  return publisher.toLowerCase() !== text(host)?.toLowerCase();
}

/** The ports in a versioned notification, with their addresses. */
export function readServerPorts(
  { payload }: Notification,
): readonly { id: string; mac: string | null; addresses: string[] }[] {
  const ports = new Map<string, { id: string; mac: string | null; addresses: string[] }>();
  for (const ip of objects(novaObject(payload)["ip_addresses"]).map(novaObject)) {
    const id = name(ip["port_uuid"]);
    const found = name(ip["address"]);
    if (id === null || found === null) continue;
    const port = ports.get(id) ?? { id, mac: name(ip["mac"])?.toLowerCase() ?? null, addresses: [] };
    port.addresses.push(found);
    ports.set(id, port);
  }
  return [...ports.values()];
}

/**
 * The payload has the ids of the owner, the context those of the actor. Names are in the context
 * only, and are used if the ids are the same.
 */
function owner(payload: JsonObject, actor: ActorContext) {
  const projectId = text(payload["tenant_id"]) ?? text(payload["project_id"]);
  const userId = text(payload["user_id"]);
  return {
    projectId,
    projectName: projectId !== null && projectId === actor.projectId ? actor.projectName : null,
    userId,
    userName: userId !== null && userId === actor.userId ? actor.userName : null,
    remoteAddress: actor.remoteAddress,
  };
}

function address(ip: JsonObject, macKey: string, type: string): Address[] {
  const found = name(ip["address"]);
  if (found === null) return [];
  const version = number(ip["version"]) ?? (found.includes(":") ? 6 : 4);
  return [{ address: found, mac: name(ip[macKey])?.toLowerCase() ?? null, type, network: name(ip["label"]), version }];
}

/** nova-network listed plain addresses or objects with one. */
function floatingAddresses(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((one: Json) => name(isObject(one) ? one["address"] : one)).filter((one) => one !== null);
}

/**
 * What `image_meta` says of the server's image. During a rebuild Nova may still send that of the
 * image before, which says nothing of this one.
 */
function imageMeta(payload: JsonObject, imageId: string | null): JsonObject {
  const image = object(payload["image_meta"]);
  const base = imageIdOf(image["base_image_ref"]);
  return imageId !== null && base !== null && base !== imageId ? {} : image;
}

/**
 * The image's id, from a URL that ends in it or the plain id; `null` for a server booted from a
 * volume (empty, or Python's `None`).
 */
function imageIdOf(reference: Json | undefined): string | null {
  const id = text(text(reference)?.split("/").at(-1));
  return id === "None" ? null : id;
}

/** Metadata as an object of strings; old releases sent a list of `{key, value}`. */
function metadata(value: Json | undefined): Readonly<Record<string, string>> | null {
  if (isObject(value)) return ownTexts(Object.entries(value));
  if (!Array.isArray(value)) return null;
  return ownTexts(
    objects(value).flatMap((item) => {
      const key = text(item["key"]);
      return key === null ? [] : [[key, item["value"]] as const];
    }),
  );
}

/** Tenants choose the keys: `__proto__` must become an ordinary key. */
function ownTexts(entries: readonly (readonly [string, Json | undefined])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.flatMap(([key, value]) =>
      value === undefined || value === null ? [] : [[key, typeof value === "string" ? value : JSON.stringify(value)]]
    ),
  );
}

function sum(root: Json | undefined, ephemeral: Json | undefined): number | null {
  const rootGb = number(root);
  return rootGb === null ? null : rootGb + (number(ephemeral) ?? 0);
}

function gib(mebibytes: Json | undefined): number | null {
  const value = number(mebibytes);
  return value === null ? null : value / 1024;
}
