import type { Primed } from "../model/memory.ts";
import type { Finding } from "./decision_context.ts";

/** Revision and time of a resource's state, from a message or from memory. */
interface Age {
  readonly revision: number | null;
  readonly updatedAt?: string | null;
}

/**
 * The finding for a message with a lower revision than the remembered one. Revisions of Neutron
 * only grow, unless its database is restored from a backup; old releases have none.
 */
export function staleRevision(state: Age, known: Age | undefined): Finding | null {
  const [revision, knownRevision] = [state.revision, known?.revision ?? null];
  if (revision === null || known === undefined || knownRevision === null || revision >= knownRevision) return null;
  if (hasRestartedRevisions(state, known)) return null;
  const reason = `its revision ${revision} was recorded after revision ${knownRevision}`;
  if (agesMs(state, known) < 0) return { outcome: "superseded", reason };
  return { outcome: "superseded", isDoubtful: true, reason: `${reason}, and ${RESTORED}` };
}

const RESTORED = "its time does not show which one is newer. If Neutron's database was restored from a backup, run " +
  '"oss-watcher prime": it accepts messages with restarted revisions';

/**
 * Assumed maximum difference between the clocks of Neutron's hosts. Restoring a database takes
 * longer.
 */
export const MAX_CLOCK_SKEW_MS = 60_000;

/**
 * Whether a message with a lower revision, or about a deleted resource, is newer by its time: then
 * Neutron's database was restored from a backup, and its revisions have restarted.
 */
export function hasRestartedRevisions(state: Age, known: Age): boolean {
  return agesMs(state, known) > MAX_CLOCK_SKEW_MS;
}

/**
 * Whether a state that was read at a time is older than memory. A lower revision alone, or that
 * memory has the resource as deleted, proves nothing: Neutron's database may have been restored
 * from a backup. It does if memory is about as new as the reading.
 */
export function isOutdated(
  { revision }: Age,
  known: Age & { readonly deleted: boolean },
  readAtMs: number,
): boolean {
  const isLower = revision !== null && known.revision !== null && revision < known.revision;
  return (isLower || known.deleted) && mayBeNewer(known, readAtMs);
}

/** Whether a remembered state may be newer than what was read at a time. */
export function mayBeNewer({ updatedAt }: Pick<Age, "updatedAt">, readAtMs: number): boolean {
  return readAtMs - Date.parse(updatedAt ?? "1970-01-01") <= MAX_CLOCK_SKEW_MS;
}

/** How much newer a message is than memory; `NaN` if one of them has no time. */
function agesMs({ updatedAt: ofMessage }: Age, { updatedAt: ofMemory }: Age): number {
  return Date.parse(ofMessage ?? "") - Date.parse(ofMemory ?? "");
}

/** Whether a message was published before priming read the resource. */
export function isFromBeforePriming(
  { revision }: { readonly revision: number | null },
  { primed }: { readonly primed?: Primed | null },
) {
  if (!primed) return false;
  return revision === null || primed.revision === null || revision <= primed.revision;
}

/** Whether a message that is newer than priming's reading has been decided. */
export function isNewerThanPriming(
  { revision, deleted, primed }: {
    readonly revision: number | null;
    readonly deleted: boolean;
    readonly primed?: Primed | null;
  },
): boolean {
  return deleted || (revision !== null && revision > (primed?.revision ?? revision));
}
