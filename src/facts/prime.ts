import type { ServerSnapshot } from "../model/event.ts";
import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../model/memory.ts";
import { mergeSnapshots } from "../model/snapshot.ts";
import { associationOf } from "./association.ts";
import { Draft } from "./draft.ts";
import type { FloatingIpState, PortState } from "./network_payload.ts";
import { dnsNameOf } from "./port_addresses.ts";
import { MAX_CLOCK_SKEW_MS } from "./network.ts";
import type { Rules } from "./decision_context.ts";

/** What one page of a listing of OpenStack says. */
export type ListedPage =
  | { readonly listing: "floatingIps"; readonly records: readonly FloatingIpState[] }
  | { readonly listing: "ports"; readonly records: readonly PortState[] }
  | { readonly listing: "servers"; readonly records: readonly ServerSnapshot[] };

/** What to remember of a page, and what of it was not remembered before. */
export interface PrimedPage {
  readonly changes: MemoryChanges;
  /** Ids. */
  readonly missing: readonly string[];
  /** Ids of what is remembered with a higher revision than OpenStack has: Neutron's database was restored from a backup. */
  readonly countedAnew: readonly string[];
}

export interface PrimingRules extends Pick<Rules, "anyPort"> {
  /** When the listing was begun, if revisions that went back shall be found: milliseconds since the epoch. */
  readonly readAtMs?: number;
}

/**
 * What to remember of resources that were read from OpenStack, announcing nothing. What messages said stands: whoever is remembered already
 * has been decided about up to some message, and all that came after it will come as messages, too. So the first reading counts, a
 * deletion is final, and reading twice is reading once.
 */
export function prime(found: ListedPage, memory: Memory, rules: PrimingRules): PrimedPage {
  const priming: Priming = { draft: new Draft(memory), rules, missing: [], countedAnew: [] };
  if (found.listing === "floatingIps") { for (const record of found.records) primeFloatingIp(priming, record); }
  else if (found.listing === "ports") { for (const record of found.records) primePort(priming, record); }
  else for (const record of found.records) primeServer(priming, record);
  return { changes: priming.draft.changes(), missing: priming.missing, countedAnew: priming.countedAnew };
}

interface Priming {
  readonly draft: Draft;
  readonly rules: PrimingRules;
  readonly missing: string[];
  readonly countedAnew: string[];
}

function primeFloatingIp(priming: Priming, { port, ...state }: FloatingIpState): void {
  const { draft, missing } = priming;
  const { id, portId, fixedAddress, revision } = state;
  const known = draft.floatingIp(id);
  if (known !== undefined) {
    if (!hasRestartedRevisions(priming, { state, known })) return;
    draft.putFloatingIp({ ...known, revision });
    priming.countedAnew.push(id);
    return;
  }
  // The port may go before ports are read; then this is all that is ever known of it.
  if (portId !== null && port !== null && draft.port(portId) === undefined) {
    const fixedAddresses = fixedAddress === null ? [] : [fixedAddress];
    const known = { mac: port.mac, fixedAddresses, dnsName: null, dnsHostname: null, revision: null };
    putPort(priming, { id: portId, serverId: port.serverId, lastServerId: port.serverId, ...known });
  }
  // A ledger that was lost has used up numbers, one per revision at most: none is used twice.
  const floatingIp = { ...state, transitions: revision ?? 0, association: null, deleted: false, primed: { revision } };
  draft.putFloatingIp({ ...floatingIp, association: associationOf(priming, floatingIp) });
  missing.push(id);
}

function primePort(priming: Priming, state: PortState): void {
  const { draft, missing } = priming;
  const known = draft.port(state.id);
  const isFirst = known === undefined;
  if (!isFirst && hasRestartedRevisions(priming, { state, known })) {
    draft.putPort({ ...known, revision: state.revision });
    priming.countedAnew.push(state.id);
    return;
  }
  if (!isFirst && !isFromFloatingIp(known, state)) return;
  const serverId = state.serverId ?? null;
  putPort(priming, { ...state, serverId, lastServerId: serverId ?? known?.lastServerId ?? null });
  missing.push(state.id);
  // Where floating IPs said nothing of their ports, in old releases. Else what they said counts: it is of the same moment as they are, and
  // a message tells what became of the port since.
  if (!isFirst) return;
  for (const floatingIp of draft.floatingIpsOnPort(state.id)) {
    if (floatingIp.primed) draft.putFloatingIp({ ...floatingIp, association: associationOf(priming, floatingIp) });
  }
}

/**
 * Whether Neutron counts a resource's revisions anew, since its database was restored from a backup. A lower revision alone may be a
 * page that was read before a message was decided; not so when the message is older than the listing.
 */
function hasRestartedRevisions(
  { rules: { readAtMs } }: Priming,
  { state, known }: {
    readonly state: { readonly revision: number | null };
    readonly known: PortMemory | FloatingIpMemory;
  },
): boolean {
  if (readAtMs === undefined || known.deleted || state.revision === null || known.revision === null) return false;
  return state.revision < known.revision && readAtMs - Date.parse(known.updatedAt ?? "1970-01-01") > MAX_CLOCK_SKEW_MS;
}

/** Whether all that is known of a port is what its floating IP said when that was read. */
function isFromFloatingIp({ primed, revision }: PortMemory, state: PortState): boolean {
  return Boolean(primed) && revision === null && state.revision !== null;
}

function putPort({ draft }: Priming, port: Omit<PortMemory, "deleted" | "primed">): void {
  draft.putPort({ ...port, deleted: false, primed: { revision: port.revision } });
}

function primeServer({ draft, missing }: Priming, said: ServerSnapshot): void {
  const id = said.id as string;
  const known = draft.server(id);
  if (known?.deleted) return;
  const dnsName = said.dnsName ?? dnsNameOf(said.hostname, draft.portsOfServer(id));
  if (known === undefined) {
    // Its coming was not announced: a message of it will be, as a server has but one creation.
    draft.putServer({ id, creationSeen: false, deleted: false, snapshot: { ...said, dnsName } });
    missing.push(id);
    return;
  }
  // Where it was when it came is for messages to say.
  const addresses = known.creationSeen ? [] : said.addresses;
  const server: ServerMemory = { ...known, snapshot: mergeSnapshots(known.snapshot, { ...said, dnsName, addresses }) };
  if (JSON.stringify(server) !== JSON.stringify(known)) draft.putServer(server);
}
