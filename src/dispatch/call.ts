import type { Detail } from "../model/detail.ts";
import { asTold, changedKeys, type Following } from "../model/following.ts";
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

/**
 * Which method of its plugin a delivery calls, and with what. After the creation of a server, a
 * plugin gets the server as it was last told of it, until an update tells it more.
 */
export function callOf({ event, detail, before, repair = false }: Delivery, following: Following | null): Call {
  const { tellsAssociations = true } = following ?? {};
  if (!event.updated) {
    const { subject } = event;
    return { method: "notify", detail: before ? asTold(detail, { before, subject, tellsAssociations }) : detail };
  }
  if (!before) return { method: "impossible" };
  const changed = changedKeys(before, detail, following ?? { keys: "all", tellsAssociations });
  if (changed.length === 0 && !repair) return { method: "none" };
  return { method: "update", detail, before, changed };
}
