import type { Detail, DetailAddress } from "../mod.ts";
import { dnsHostName, isOneOf, isWhole, matches } from "../src/kit/targets.ts";
import { BOOLEAN, optional, type OptionRules } from "../src/kit/targets.ts";

/** Which addresses of a server are written: a kind, or a function that decides on each. */
export type DnsAddresses = "fixed" | "floating" | "all" | ((address: DetailAddress, detail: Detail) => boolean);

/** Which records are written: options of all plugins that write to the DNS. */
export interface DnsRecordsOptions {
  /** The server's name; `null`: it gets no records. @default `FQDN` of the detail */
  readonly hostName?: (detail: Detail) => string | null;
  /** `(address) => address.network === "public"`: those of one network. @default "fixed" */
  readonly addresses?: DnsAddresses;
  /** Whether addresses get PTR records, where a zone has their reverse names. @default true */
  readonly ptr?: boolean;
  /** Of all records, in seconds: from 0 to 604800. @default 300 */
  readonly ttlSeconds?: number;
  /**
   * When another server has the name: `refuse` makes the event a dead letter; `suffix` writes a name
   * with the beginning of the server's UUID, `web-1-1a2b3c4d`. @default "refuse"
   */
  readonly onConflict?: "refuse" | "suffix";
  /**
   * Distinguishes our records from those of other installations. Each oss-watcher of a zone needs
   * its own. @default "oss-watcher"
   */
  readonly owner?: string;
  /** Unique among the configured plugins. @default the name of the class */
  readonly name?: string;
}

const KINDS = isOneOf("fixed", "floating", "all");

/** The rules of these options. */
export const DNS_RECORDS_RULES: OptionRules<DnsRecordsOptions> = {
  name: optional(matches(/\S/), "must be a text that is not empty"),
  hostName: optional(isFunction, "must be a function of the detail"),
  addresses: optional(
    (value) => KINDS(value) || isFunction(value),
    `must be "fixed", "floating", "all", or a function of an address and the detail`,
  ),
  ptr: BOOLEAN,
  ttlSeconds: optional(isWhole(0, 604_800), "must be a whole number from 0 to 604800"),
  onConflict: optional(isOneOf("refuse", "suffix"), `must be "refuse" or "suffix"`),
  owner: optional(matches(/^[\w.-]{1,100}$/), "must be 1 to 100 letters, digits, and . _ -"),
};

/** What zones must be. */
export const DNS_ZONES = "must be a list of zones' names, as cloud.example.com or 0.0.10.in-addr.arpa";

/** Whether a value is a list of zones' names. */
export function isZones(value: unknown): boolean {
  const isZone = (zone: unknown) => typeof zone === "string" && zoneName(zone) !== null;
  return Array.isArray(value) && value.length > 0 && value.every(isZone);
}

/** Zones' names as the DNS has them: in lower case, other scripts as IDNA has them. */
export function zoneNames(zones: readonly string[]): readonly string[] {
  return [...new Set(zones.map((zone) => zoneName(zone) ?? zone))];
}

/** Zones of classless delegations have names as 0/25.113.0.203.in-addr.arpa. */
function zoneName(zone: string): string | null {
  const [first = ""] = /^\d+[/-]\d+\./.exec(zone) ?? [];
  const rest = dnsHostName(zone.slice(first.length));
  return rest === null ? null : first + rest;
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
