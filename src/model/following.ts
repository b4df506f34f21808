import type { Config, Events } from "./config.ts";
import { type Detail, OPTIONAL_KEYS, type OptionalKey } from "./detail.ts";
import { isSameData } from "./same_data.ts";
import { EVENTS_DEFAULTS } from "./config_defaults.ts";

/** Which changes of servers plugins are told. */
export interface Following {
  readonly keys: ReadonlySet<string> | "all";
  /**
   * Whether plugins are told of associations: then a changed list of floating IPs is no update.
   */
  readonly tellsAssociations: boolean;
  /** Changes within this time become one update, milliseconds. */
  readonly settleMs: number;
}

/** The changes that config.ts lists; `null`: none. */
export function followingOf(
  { update = [], settleSeconds = EVENTS_DEFAULTS.settleSeconds, ...groups }: Events,
): Following | null {
  if (update.length === 0) return null;
  return {
    keys: update === "all" ? "all" : new Set(update),
    tellsAssociations: [groups.creation, groups.deletion].every((group) =>
      (group as readonly string[]).includes("floatingip.update.end")
    ),
    settleMs: settleSeconds * 1000,
  };
}

/** The optional keys of the detail that config.ts asks for. */
export function optionalKeysOf(
  { events: { update = [] }, detail: { optional = [] } = {} }: Pick<Config, "events" | "detail">,
): readonly OptionalKey[] {
  return OPTIONAL_KEYS.filter((key) => optional.includes(key) || (update !== "all" && update.includes(key)));
}

/** The followed keys whose values differ, sorted. */
export function changedKeys(
  before: Detail,
  now: Detail,
  { keys, tellsAssociations }: Pick<Following, "keys" | "tellsAssociations">,
): readonly string[] {
  const candidates = keys === "all" ? new Set([...Object.keys(before), ...Object.keys(now)]) : keys;
  return [...candidates].filter((key) =>
    !(key === "FloatingIPs" && tellsAssociations) && !isSame(key, before[key], now[key])
  ).sort();
}

/** Lists whose order says nothing: OpenStack has them in none. */
const UNORDERED: ReadonlySet<string> = new Set(["Addresses", "FloatingIPs"]);

/** A value that is missing, as an optional key in an older detail, is unknown. */
function isSame(key: string, before: unknown = null, now: unknown = null): boolean {
  if (!UNORDERED.has(key) || !Array.isArray(before) || !Array.isArray(now)) return isSameData(before, now);
  return isSameData(sorted(before), sorted(now));
}

function sorted(items: readonly unknown[]): readonly string[] {
  return items.map((item) => JSON.stringify(item)).sort();
}

/**
 * The detail of an event of a server in which the server is as a plugin was last told of it
 * (`before`): what the plugin wrote is found by that. What was unknown then is completed. Of an
 * association, the addresses and the list of floating IPs are the event's own.
 */
export function asTold(
  detail: Detail,
  { before, subject, tellsAssociations }: {
    readonly before: Detail;
    readonly subject: "server" | "floatingip";
    readonly tellsAssociations: boolean;
  },
): Detail {
  const own = subject === "floatingip" ? OF_ASSOCIATION : tellsAssociations ? OF_LISTS : NONE;
  return Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [key, own.has(key) || isUnknown(before[key]) ? value : before[key]]),
  ) as unknown as Detail;
}

/** The detail of a creation, a deletion or an association as a plugin gets it. */
export function toldDetail(
  { detail, before }: { readonly detail: Detail; readonly before?: Detail | null | undefined },
  { subject, following }: { readonly subject: "server" | "floatingip"; readonly following: Following | null },
): Detail {
  return before ? asTold(detail, { before, subject, tellsAssociations: following?.tellsAssociations ?? true }) : detail;
}

const OF_ASSOCIATION: ReadonlySet<string> = new Set(["IP", "IPType", "MAC", "FloatingIPs"]);
const OF_LISTS: ReadonlySet<string> = new Set(["FloatingIPs"]);
const NONE: ReadonlySet<string> = new Set();

function isUnknown(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
