import { isRecord } from "./is_record.ts";
import type { DetailKey } from "./detail.ts";

/** The type of a key of the detail, which every plugin may rely on. */
export interface DetailShape {
  readonly allows: (value: unknown) => boolean;
  /** The allowed values in words, for error texts. */
  readonly allowed: string;
  /** The value when it is unknown. */
  readonly unknown: null | readonly never[] | Readonly<Record<string, never>>;
}

/** The type of a key of the detail; `undefined` for a key that config.ts adds: any JSON value. */
export function detailShape(key: string): DetailShape | undefined {
  return Object.hasOwn(SHAPES, key) ? SHAPES[key as DetailKey] : undefined;
}

const TEXT: DetailShape = { allows: isTextOrNull, allowed: "a text, or null", unknown: null };
const NUMBER: DetailShape = {
  allows: (value) => value === null || typeof value === "number",
  allowed: "a number, or null",
  unknown: null,
};

const SHAPES: Readonly<Record<DetailKey, DetailShape>> = {
  FQDN: TEXT,
  IP: TEXT,
  IPType: TEXT,
  OS: TEXT,
  Storage: NUMBER,
  Ram: NUMBER,
  CPU: NUMBER,
  Datacenter: TEXT,
  SecurityDomain: TEXT,
  Owner: TEXT,
  AdditionalUsers: {
    allows: (value) => isListOf(value, (one) => typeof one === "string"),
    allowed: "a list of texts, which may be empty",
    unknown: [],
  },
  ApplicationName: TEXT,
  EnvironmentCI: TEXT,
  Description: TEXT,
  CreationDate: TEXT,
  ID: TEXT,
  ImageID: TEXT,
  MAC: TEXT,
  ProjectID: TEXT,
  ProjectName: TEXT,
  UserID: TEXT,
  UserName: TEXT,
  RemoteAddress: TEXT,
  Metadata: {
    allows: (value) => isRecord(value) && Object.values(value).every((one) => typeof one === "string"),
    allowed: "an object of texts, which may be empty",
    unknown: {},
  },
  Addresses: {
    allows: (value) =>
      isListOf(value, (one) =>
        isRecord(one) && typeof one["address"] === "string" &&
        ["mac", "type", "network"].every((key) => isTextOrNull(one[key])) && NUMBER.allows(one["version"])),
    allowed: "a list of { address, mac, type, network, version }, which may be empty",
    unknown: [],
  },
  Name: TEXT,
  Zone: TEXT,
  Host: TEXT,
  Status: TEXT,
  Flavor: TEXT,
  FloatingIPs: {
    allows: (value) =>
      isListOf(value, (one) =>
        isRecord(one) && typeof one["id"] === "string" && typeof one["address"] === "string" &&
        isTextOrNull(one["fixedAddress"])),
    allowed: "a list of { id, address, fixedAddress }, which may be empty",
    unknown: [],
  },
};

/** The keys of the detail, without those that config.ts adds. */
export const DETAIL_KEYS: readonly string[] = Object.keys(SHAPES);

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}
