import type { DeliveryRecord } from "../../model/delivered.ts";
import type { Subject } from "../../model/event.ts";
import { type DeliveryHistory, isDeleted } from "./delivery_history.ts";

/** What the ledger says of a resource that a target holds, and that nothing delivered explains. */
export type Unexpected =
  /** Whether the target should hold it is not known: nothing is said of it. */
  | { readonly verdict: "not judged"; readonly isCounted: boolean }
  | {
    readonly verdict: "orphaned";
    readonly reason: string;
    /** The last event of it that was delivered; `null`: none. */
    readonly last: DeliveryRecord | null;
    /** Whether delivering that event again removes it. */
    readonly isRepairable: boolean;
  };

const NOT_JUDGED: Unexpected = { verdict: "not judged", isCounted: true };
/** Counted already, with its group. */
const COUNTED: Unexpected = { verdict: "not judged", isCounted: false };

/** Judges a resource that a target holds and was not expected to hold. */
export function unexpected(
  resource: { readonly subject: Subject; readonly id: string },
  history: DeliveryHistory,
): Unexpected {
  return resource.subject === "server" ? server(resource.id, history) : floatingIp(resource.id, history);
}

function server(id: string, history: DeliveryHistory): Unexpected {
  const remembered = history.remembered.servers.get(id);
  const group = history.ofServer(id);
  const last = group?.server ?? null;
  if (group !== undefined && group.obstacle !== null && group.obstacle !== "unknown") return COUNTED;
  if (group !== undefined && isDeleted(group)) return deleted(last);
  // Its creation is older than what the ledger keeps of it, or than the plugin.
  if (remembered?.isDeleted === false) {
    return last === null || group?.obstacle === "unknown" ? NOT_JUDGED : unwanted(last);
  }
  return remembered === undefined ? unknown(last) : untold(last);
}

function floatingIp(id: string, history: DeliveryHistory): Unexpected {
  const last = history.ofFloatingIp(id);
  const isAssociated = history.remembered.floatingIps.get(id)?.isAssociated ?? false;
  if (last === undefined) return isAssociated ? NOT_JUDGED : unknown(null);
  const obstacle = last.state === "unfinished" ? last.state : history.obstacleOf([last]);
  if (obstacle !== null && obstacle !== "unknown") return COUNTED;
  if (!last.created) return deleted(last);
  const group = history.groupOf(last);
  // Its server's deletion has ended the association.
  if (obstacle === "unknown" || (group !== undefined && isDeleted(group))) return untold(last);
  return group?.obstacle === null ? unwanted(last) : COUNTED;
}

function deleted(last: DeliveryRecord | null): Unexpected {
  return { verdict: "orphaned", reason: "its deletion was delivered", last, isRepairable: true };
}

function unknown(last: DeliveryRecord | null): Unexpected {
  return { verdict: "orphaned", reason: "the ledger does not know it", last, isRepairable: false };
}

function untold(last: DeliveryRecord | null): Unexpected {
  return { verdict: "orphaned", reason: "it was deleted, and the plugin was not told", last, isRepairable: false };
}

function unwanted(last: DeliveryRecord): Unexpected {
  const reason = "the plugin, as it is configured, does not write it";
  return { verdict: "orphaned", reason, last, isRepairable: false };
}
