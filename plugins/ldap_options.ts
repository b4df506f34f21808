import type { Detail } from "../mod.ts";
import { isAttributeName, isDn, isOneOf, isSameAttribute, type LdapTargetOptions } from "../src/kit/targets.ts";
import { type GivenOptions, matches, optional, type OptionRules, required } from "../src/kit/targets.ts";
import { LABELS, LDAP_PRESETS, type LdapPreset, type LdapValue, RECORD } from "./ldap_presets.ts";

/**
 * Options of `LdapDirectory`, with those of `LdapTarget`: `url`, `startTls`, `caFile`, `bindDn`,
 * `password`, `sasl`, …
 */
export interface LdapDirectoryOptions extends LdapTargetOptions {
  /** The entry below which the entries are: `ou=servers,dc=example,dc=com`. It must exist. */
  readonly baseDn: string;
  /**
   * `host`: a `device` that is an `ipHost` and an `ieee802Device` (RFC 2307; in OpenLDAP that takes
   * `nis.schema`). `device`: a `device` alone (RFC 4519), as every server knows it, with addresses
   * and more in `description`. `computer`: a disabled computer account of Active Directory, named by
   * the UUID. `ipaHost`: a host of FreeIPA, named by `fqdn`. @default "host"
   */
  readonly preset?: "host" | "device" | "computer" | "ipaHost";
  /**
   * Replaces the preset's classes. Only entries with an `ipHostNumber` get `ipHost`, which requires
   * it.
   */
  readonly objectClasses?: readonly string[];
  /**
   * Added to the preset's attributes; replaces those of the same name: `{ l: () => null, ou:
   * (detail) => detail.ProjectName }`. In `markAttribute`, put a label before texts of tenants, as
   * the presets do: `text ${detail.Description}`.
   */
  readonly attributes?: Readonly<Record<string, LdapValue>>;
  /**
   * The attributes that name an entry, by the first value of each; at most three. Tenants choose
   * names freely: without `idAttribute` among these, the second of two servers with one name
   * becomes a dead letter. @default [idAttribute]; for `ipaHost` ["fqdn"]
   */
  readonly rdn?: readonly string[];
  /**
   * Returns the part of the DN between an entry's name and `baseDn`: ``(detail) =>
   * `ou=${dnValue(detail.Datacenter ?? "none")}` ``. It must exist.
   */
  readonly parent?: (detail: Detail) => string;
  /**
   * Holds the server's UUID, by which its entry is found. It needs an equality index. @default
   * "serialNumber"; for `computer` "cn"
   */
  readonly idAttribute?: string;
  /** Holds `mark`. @default "description"; for `computer` "info" */
  readonly markAttribute?: string;
  /**
   * Distinguishes our entries from others, which are never changed. Each oss-watcher of a directory
   * needs its own. It cannot begin with a label that the presets put before texts of tenants:
   * `text`, `os`, `owner`, … @default "oss-watcher"
   */
  readonly mark?: string;
  /**
   * The attribute to which floating IPs are added, without a label. @default for `host`
   * "ipHostNumber" with `floating …` in "description", for `device` the latter alone, for `computer`
   * "ipHostNumber" with `floating …` in "networkAddress", for `ipaHost` as for `host`
   */
  readonly addressAttribute?: string;
  /** Unique among the configured plugins. @default "LdapDirectory" */
  readonly name?: string;
}

type OwnOption = Exclude<keyof LdapDirectoryOptions, keyof LdapTargetOptions>;
type Given = GivenOptions<LdapDirectoryOptions>;

const SHORT_NAME = optional<LdapDirectoryOptions>(isAttributeName, "must be the short name of an attribute");

/** The rules of the plugin's own options. */
export const LDAP_RULES: OptionRules<LdapDirectoryOptions, OwnOption> = {
  name: optional(matches(/\S/), "must be a text that is not empty"),
  baseDn: required(isDn, "must be a distinguished name, as ou=servers,dc=example,dc=com"),
  preset: optional(isOneOf(...Object.keys(LDAP_PRESETS)), `must be "host", "device", "computer" or "ipaHost"`),
  objectClasses: optional(isNames, "must be a list of names of classes"),
  attributes: [
    optional(isAttributes, "must be an object of short names of attributes and functions of the detail"),
    // Any value of idAttribute is taken for an ID: one that a tenant writes could be another
    // server's.
    optional((value, given) => !hasName(Object.keys(value ?? {}), idOf(given)), "must leave idAttribute to the ID"),
  ],
  rdn: optional(
    (value, given) => isNames(value) && isNaming(value, given),
    "must be a list of one to three different short names of attributes that the entry has",
  ),
  parent: optional(isFunction, "must be a function of the detail"),
  idAttribute: [
    SHORT_NAME,
    required((_value, given) => !hasName(holders(given), idOf(given)), "must hold neither mark nor addresses"),
  ],
  markAttribute: SHORT_NAME,
  mark: optional(
    (value) => matches(/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/)(value) && !matches(LABELS)(value),
    "must be visible ASCII characters with single spaces between, and not begin with a word of the presets",
  ),
  addressAttribute: SHORT_NAME,
};

/** At most three different names of attributes that every entry has. */
function isNaming(names: readonly string[], given: Given): boolean {
  const { attributes } = given;
  const ofPreset = presetOf(given)?.attributes ?? {};
  const known = [idOf(given), markOf(given), ...Object.keys(attributes ?? {}), ...Object.keys(ofPreset)];
  const different = new Set(names.map((name) => name.toLowerCase()));
  return names.length <= 3 && different.size === names.length && names.every((name) => hasName(known, name));
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isAttributeName);
}

function isAttributes(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).every(isAttributeName) &&
    Object.values(value).every(isFunction);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function hasName(names: readonly string[], name: string): boolean {
  return names.some((one) => isSameAttribute(one, name));
}

function presetOf({ preset }: Given): LdapPreset | undefined {
  return LDAP_PRESETS[textOr("host", preset)];
}

function idOf(given: Given): string {
  return textOr(presetOf(given)?.idAttribute ?? "serialNumber", given.idAttribute);
}

function markOf(given: Given): string {
  return textOr(presetOf(given)?.markAttribute ?? RECORD, given.markAttribute);
}

/** The attributes that hold mark and addresses. */
function holders(given: Given): readonly string[] {
  return [markOf(given), textOr(presetOf(given)?.record ?? RECORD, given.addressAttribute)];
}

function textOr(otherwise: string, value: unknown): string {
  return typeof value === "string" ? value : otherwise;
}
