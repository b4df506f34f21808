import type { Detail } from "../model/detail.ts";
import { changedKeys, type Following, toldDetail } from "../model/following.ts";
import type { Delivery } from "../model/ledger.ts";

/** What a delivery means for its plugin. */
export type Call =
  | { readonly method: "notify"; readonly detail: Detail }
  | {
    readonly method: "update";
    readonly detail: Detail;
    readonly before: Detail;
    readonly changed: readonly string[];
  }
  /** The plugin was told all of it already. */
  | { readonly method: "none" }
  /** An update of a server whose creation was not delivered. */
  | { readonly method: "impossible" };

export interface CallOptions {
  /** Which changes of servers are told; `null`: none. */
  readonly following: Following | null;
  /** Whether the plugin has a method `update`. */
  readonly canUpdate: boolean;
}

/**
 * Which method of its plugin a delivery calls, and with what. After the creation of a server, a
 * plugin gets the server as it was last told of it, until an update tells it more. An update that
 * was announced when the plugin followed other changes, or any, tells what it follows at present.
 */
export function callOf(
  { event, detail, before, missing, repair = false }: Delivery,
  { following, canUpdate }: CallOptions,
): Call {
  if (!event.updated) {
    return { method: "notify", detail: toldDetail({ detail, before }, { subject: event.subject, following }) };
  }
  if (!canUpdate || (following === null && !repair)) return { method: "none" };
  if (!before) return { method: "impossible" };
  // A value that could not be made is no change.
  const changed = following === null
    ? []
    : changedKeys(before, detail, following).filter((key) => !missing.includes(key));
  if (changed.length === 0 && !repair) return { method: "none" };
  return { method: "update", detail, before, changed };
}
