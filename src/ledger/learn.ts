import type { WatcherEvent } from "../model/event.ts";
import type { DetailRecord } from "../model/ledger.ts";
import type { Memory, ServerMemory } from "../model/memory.ts";
import { mergeSnapshots } from "../model/snapshot.ts";

/** What memory says of a server once a detail was made; `null` when it says what it said before. */
export function learnedMemory(
  { learned }: Pick<DetailRecord, "learned">,
  { event, memory }: { readonly event: WatcherEvent; readonly memory: Memory },
): ServerMemory | null {
  const { id } = event.server;
  if (learned === null || id === null) return null;
  const known = memory.server(id);
  if (known !== undefined) return { ...known, snapshot: mergeSnapshots(known.snapshot, learned) };
  // A server of its own event has been remembered with that; if it is not any more, it is forgotten for good.
  if (event.subject !== "floatingip") return null;
  return { id, creationSeen: false, deleted: false, snapshot: mergeSnapshots(event.server, learned) };
}
