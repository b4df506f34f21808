import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type { DetailRecord } from "../model/ledger.ts";
import type { Memory, ServerMemory } from "../model/memory.ts";
import { mergeSnapshots } from "../model/snapshot.ts";

/**
 * The memory of an event's server, completed with what was learned when its detail was made;
 * `null`: memory stays as it is.
 */
export function learnedMemory(
  { learned }: Pick<DetailRecord, "learned">,
  { event, memory }: { readonly event: WatcherEvent; readonly memory: Memory },
): ServerMemory | null {
  const { id } = event.server;
  if (learned === null || id === null) return null;
  const known = memory.server(id);
  if (known !== undefined) {
    return { ...known, snapshot: mergeSnapshots(known.snapshot, withoutOutdated(learned, { event, known })) };
  }
  // The decision on a server's own event has remembered the server. If memory lacks it, it was
  // pruned.
  if (event.subject !== "floatingip") return null;
  return { id, creationSeen: false, deleted: false, snapshot: mergeSnapshots(event.server, learned) };
}

/**
 * What was learned without what a message has changed since the event: the DNS name is made of the
 * hostname, and a description that is known to be empty stays so.
 */
function withoutOutdated(
  learned: ServerSnapshot,
  { event, known: { snapshot, stated } }: { readonly event: WatcherEvent; readonly known: ServerMemory },
): ServerSnapshot {
  const isSameName = event.server.hostname === null || event.server.hostname === snapshot.hostname;
  const isDescribed = stated?.description !== null && stated?.description !== undefined;
  return {
    ...learned,
    ...(isSameName ? {} : { dnsName: null }),
    ...(isDescribed ? { description: null } : {}),
  };
}
