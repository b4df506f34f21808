import type { Detail } from "../mod.ts";
import { BOOLEAN, HttpTarget, type HttpTargetOptions, isOneOf, isText, matches, TEXT } from "../src/kit/targets.ts";
import { type GivenOptions, needs, optional, type OptionRules, required, withoutHeaders } from "../src/kit/targets.ts";
import { withoutOtherCredentials } from "./http_credentials.ts";

/**
 * Names an object of NetBox that people made: a text is its name, a number its id; an object holds
 * what NetBox's API takes for it, as `{ slug: "web" }`.
 */
export type NetBoxReference = string | number | Readonly<Record<string, string | number>>;

/** A reference for every server, or a function that returns one, or `null` for none. */
export type NetBoxChoice = NetBoxReference | ((detail: Detail) => NetBoxReference | null);

/** An address of a server, as functions of `NetBox` get it. */
export interface NetBoxAddress {
  /** IPv4 or IPv6, in its shortest form. */
  readonly address: string;
  /** 4 or 6. */
  readonly version: 4 | 6;
  /** `fixed`, or `floating`. */
  readonly type: "fixed" | "floating";
  /** The network's name; `null` for a floating IP. A tenant may have chosen it. */
  readonly network: string | null;
}

/** Options of `NetBox`, with those of `HttpTarget` but for its credentials: `caFile`, … */
export interface NetBoxOptions extends Omit<HttpTargetOptions, "user" | "password" | "bearer" | "maxAnswerBytes"> {
  /** Where NetBox is, without `/api`: `https://netbox.example.com`. */
  readonly url: string;
  /** The API token, with write access and the rights that docs/NETBOX.md lists. */
  readonly token: string;
  /**
   * How the token is sent. @default "Bearer" for a token of the second version (`nbt_…`), "Token"
   * for others
   */
  readonly scheme?: "Bearer" | "Token";
  /**
   * The custom field that holds the server's UUID, by which objects are found. Each oss-watcher of
   * a NetBox needs its own. @default "openstack_id"
   */
  readonly customField?: string;
  /**
   * Makes the custom field, and the tag of `onDeletion: "tag"`, where they are missing. @default
   * false
   */
  readonly createCustomFields?: boolean;
  /** The cluster of the virtual machines. This option or `site` is needed. */
  readonly cluster?: NetBoxChoice;
  /** The site of virtual machines without a cluster. */
  readonly site?: NetBoxChoice;
  /** The tenant: `(detail) => detail.ProjectName`. One that is missing is left out. */
  readonly tenant?: NetBoxChoice;
  /** The role, likewise. */
  readonly role?: NetBoxChoice;
  /** The platform, likewise: `(detail) => detail.OS`. */
  readonly platform?: NetBoxChoice;
  /**
   * Returns the VRF of an address, `null` for the global table. It must exist. @default the global
   * table for all
   */
  readonly vrf?: (address: NetBoxAddress, detail: Detail) => NetBoxReference | null;
  /** Returns the prefix length of an address. @default 32, or 128 for IPv6 */
  readonly prefixLength?: (address: NetBoxAddress, detail: Detail) => number;
  /**
   * Returns the name of a virtual machine; NetBox takes 64 characters. @default `FQDN`, else the
   * UUID
   */
  readonly machineName?: (detail: Detail) => string | null;
  /**
   * What becomes of the virtual machine of a deleted server: `delete`; `decommission`, which sets
   * the status; `tag`, which adds `deletionTag`. @default "delete"
   */
  readonly onDeletion?: "delete" | "decommission" | "tag";
  /** The tag's slug. @default "openstack-deleted" */
  readonly deletionTag?: string;
  /**
   * Takes over an address that people entered, if it is assigned to nothing. @default false: it
   * stays as it is
   */
  readonly adopt?: boolean;
  /** Unique among the configured plugins. @default "NetBox" */
  readonly name?: string;
}

type OwnOption = Exclude<keyof NetBoxOptions, keyof HttpTargetOptions> | "headers";

const CHOICE = optional<NetBoxOptions>(
  (value) => typeof value === "function" || isReference(value),
  "must be a name, an id, an object such as { slug: … }, or a function of the detail",
);
const FUNCTION = optional<NetBoxOptions>((value) => typeof value === "function", "must be a function");
const SLUG = matches(/^[-\w]{1,100}$/);

/** The rules of the plugin's own options. */
export const NETBOX_RULES: OptionRules<NetBoxOptions, OwnOption> = {
  name: TEXT,
  url: required(
    (value) => HttpTarget.isUrl(value) && !/[?#]/.test(value),
    "must be a full URL without user, password and query, as https://netbox.example.com",
  ),
  token: required(matches(/^[\x21-\x7e]{8,}$/), "must be at least 8 visible ASCII characters"),
  scheme: optional(isOneOf("Bearer", "Token"), `must be "Bearer" or "Token"`),
  // NetBox's own rule for such names.
  customField: optional(
    (value) => matches(/^[a-z0-9_]{1,50}$/)(value) && !String(value).includes("__"),
    "must be 1 to 50 of a-z, 0-9 and single _",
  ),
  createCustomFields: BOOLEAN,
  cluster: [CHOICE, required(hasPlace, "this or site is needed: NetBox has no virtual machine without a place")],
  site: CHOICE,
  tenant: CHOICE,
  role: CHOICE,
  platform: CHOICE,
  vrf: FUNCTION,
  prefixLength: FUNCTION,
  machineName: FUNCTION,
  onDeletion: optional(isOneOf("delete", "decommission", "tag"), `must be "delete", "decommission" or "tag"`),
  deletionTag: [optional(SLUG, "must be a slug: letters, digits, - and _"), needs("onDeletion")],
  adopt: BOOLEAN,
  headers: withoutHeaders("authorization", "content-type"),
};

/** The options that are those of `HttpTarget`, and unknown ones. */
export function httpOptionsOf(options: NetBoxOptions): HttpTargetOptions {
  const isOwn = (name: string) => name !== "headers" && Object.hasOwn(NETBOX_RULES, name);
  return Object.fromEntries(Object.entries(withoutOtherCredentials(options)).filter(([name]) => !isOwn(name)));
}

/** Whether a value is a {@linkcode NetBoxReference}. */
export function isReference(value: unknown): value is NetBoxReference {
  if (isText(value) || (Number.isInteger(value) && Number(value) > 0)) return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const attributes = Object.values(value);
  return attributes.length > 0 && attributes.every((one) => isText(one) || Number.isInteger(one));
}

function hasPlace(_value: unknown, { cluster, site }: GivenOptions<NetBoxOptions>): boolean {
  return cluster !== undefined || site !== undefined;
}
