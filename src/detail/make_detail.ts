import type { DetailOptions, IpVersion, MetadataNames } from "../model/config.ts";
import type { Detail } from "../model/detail.ts";
import { detailShape } from "../model/detail_shape.ts";
import type { Address, ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type { Json } from "../model/notification.ts";
import { DETAIL_DEFAULTS, METADATA_NAMES } from "../model/config_defaults.ts";

/** The detail of an event, and the keys whose functions failed. */
export interface MadeDetail {
  readonly detail: Detail;
  /**
   * The keys of `detail.fields` whose function threw or returned a value of the wrong type, with
   * the error.
   */
  readonly failed: readonly { readonly key: string; readonly error: unknown }[];
}

/** Makes the JSON that every plugin gets. It depends on the event and the options only. */
export function makeDetail(event: WatcherEvent, options: DetailOptions = {}): MadeDetail {
  const { server, floatingIp, floatingIps } = event;
  const floating = floatingIp?.address ?? server.floatingAddress;
  const fixed = mainAddress(server.addresses, options.ipVersion ?? DETAIL_DEFAULTS.ipVersion);
  const ip = floating ?? fixed?.address ?? null;
  const detail: Detail = {
    FQDN: fqdn(server, options.domain),
    IP: ip,
    IPType: ip === null ? null : floating === null ? "Private" : "Public",
    OS: operatingSystem(server),
    Storage: server.storageGb,
    Ram: server.ramGib,
    CPU: server.vcpus,
    Datacenter: null,
    SecurityDomain: null,
    ...fromMetadata(server, { ...METADATA_NAMES, ...options.metadataNames }),
    CreationDate: server.createdAt?.slice(0, 10) ?? null,
    ID: server.id,
    ImageID: server.imageId,
    MAC: floatingIp?.mac ?? fixed?.mac ?? null,
    ProjectID: server.projectId,
    ProjectName: server.projectName,
    UserID: server.userId,
    UserName: server.userName,
    RemoteAddress: server.remoteAddress,
    Metadata: server.metadata ?? {},
    Addresses: server.addresses,
    FloatingIPs: floatingIps.map(({ id, address, fixedAddress }) => ({ id, address, fixedAddress })),
    ...Object.fromEntries((options.optional ?? []).map((key) => [key, server.optional?.[key] ?? null])),
  };
  return withOwnKeys(detail, { event, options });
}

/** Adds the keys of `detail.fields`, then those of `detail.static`, which take precedence. */
function withOwnKeys(
  detail: Detail,
  { event, options }: { readonly event: WatcherEvent; readonly options: DetailOptions },
): MadeDetail {
  const { created, eventType, key: eventKey } = event;
  const failed: { key: string; error: unknown }[] = [];
  const made = Object.entries(options.fields ?? {}).map(([key, make]) => {
    try {
      return [key, shaped(key, asJson(make({ detail, created, eventType, key: eventKey })))] as const;
    } catch (error) {
      failed.push({ key, error });
      return [key, detailShape(key)?.unknown ?? null] as const;
    }
  });
  return { detail: { ...detail, ...Object.fromEntries(made), ...options.static }, failed };
}

/**
 * Converts a value to plain JSON, which can be stored and sent. config.ts is not always
 * type-checked, and an event whose detail cannot be stored would be retried for ever.
 */
function asJson(value: Json | undefined): Json {
  if (value instanceof Promise) {
    value.catch(() => {});
    throw new TypeError("it returned a promise; only what is there at once can be in a detail");
  }
  return JSON.parse(JSON.stringify(value) ?? "null");
}

/** Refuses a value of the wrong type: plugins rely on the types of {@linkcode Detail}. */
function shaped(key: string, value: Json): Json {
  const shape = detailShape(key);
  if (shape === undefined || shape.allows(value)) return value;
  throw new TypeError(`it returned ${kindOf(value)}; ${key} must be ${shape.allowed}`);
}

function kindOf(value: Json): string {
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  if (typeof value === "string") return "a text";
  return value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
}

/**
 * The first address of the preferred IP version, or else the first: Nova lists a dual-stack
 * server's addresses in no defined order.
 */
function mainAddress(addresses: readonly Address[], ipVersion: IpVersion): Address | null {
  return addresses.find(({ version }) => version === ipVersion) ?? addresses[0] ?? null;
}

/**
 * A hostname with a dot already contains its domain: Nova allows that from microversion 2.94 on,
 * and created such names before Wallaby.
 */
function fqdn({ hostname, dnsName }: ServerSnapshot, domain: string | undefined): string | null {
  const name = hostname?.replace(/\.$/, "") ?? "";
  if (name === "") return null;
  if (domain === undefined) return dnsName ?? name;
  return name.includes(".") ? name : `${name}.${domain}`;
}

function operatingSystem({ imageOs, imageOsDistro, imageOsVersion, imageName }: ServerSnapshot): string | null {
  if (imageOs !== null) return imageOs;
  if (imageOsDistro === null) return imageName;
  return imageOsVersion === null ? imageOsDistro : `${imageOsDistro} ${imageOsVersion}`;
}

/**
 * Tenants write metadata by hand: keys are compared without case, and the first one with a value
 * counts.
 */
function fromMetadata(
  { metadata, description }: ServerSnapshot,
  names: MetadataNames,
): Pick<Detail, "Owner" | "AdditionalUsers" | "ApplicationName" | "EnvironmentCI" | "Description"> {
  const entries = Object.entries(metadata ?? {}).filter(([, value]) => value !== "");
  const named = (name: string) => {
    const wanted = name.toLowerCase();
    return entries.find(([key]) => key.toLowerCase() === wanted)?.[1] ?? null;
  };
  return {
    Owner: named(names.Owner),
    AdditionalUsers: (named(names.AdditionalUsers) ?? "").split(",").map((user) => user.trim()).filter((user) =>
      user !== ""
    ),
    ApplicationName: named(names.ApplicationName),
    EnvironmentCI: named(names.EnvironmentCI),
    Description: named(names.Description) ?? description,
  };
}
