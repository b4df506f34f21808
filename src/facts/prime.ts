import type { OptionalKey } from "../model/detail.ts";
import type { ServerSnapshot } from "../model/event.ts";
import type { FloatingIpMemory, Memory, MemoryChanges, PortMemory, ServerMemory } from "../model/memory.ts";
import { mergeSnapshots } from "../model/snapshot.ts";
import { associationOf } from "./association.ts";
import { Draft } from "./draft.ts";
import type { FloatingIpState, PortState } from "./network_payload.ts";
import { dnsNameOf } from "./port_addresses.ts";
import { isOutdated } from "./revisions.ts";
import type { Rules } from "./decision_context.ts";

/** One page of a listing of OpenStack. */
export type ListedPage =
  | { readonly listing: "floatingIps"; readonly records: readonly FloatingIpState[] }
  | { readonly listing: "ports"; readonly records: readonly PortState[] }
  | { readonly listing: "servers"; readonly records: readonly ServerSnapshot[] };

/** The changes to the memory that a page causes, and the resources that were new to it. */
export interface PrimedPage {
  readonly changes: MemoryChanges;
  /** Ids of the resources that were not remembered before. */
  readonly missing: readonly string[];
  /**
   * Ids of resources whose remembered revision is higher than OpenStack's: Neutron's database was
   * restored from a backup.
   */
  readonly countedAnew: readonly string[];
}

export interface PrimingRules extends Pick<Rules, "anyPort" | "optional"> {
  /**
   * When the listing began, in milliseconds since the epoch. If set, revisions that went back are
   * detected.
   */
  readonly readAtMs?: number;
}

/**
 * Adds resources that were read from OpenStack to the memory, without announcing events. State from
 * messages takes precedence: a resource that is remembered already reflects all messages up to some
 * point, and every later change comes as a message too. So only the first reading counts, a
 * deletion is final, and reading twice changes nothing.
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
  // The port may be deleted before ports are read; then this is all that is known of it.
  if (portId !== null && port !== null && draft.port(portId) === undefined) {
    const fixedAddresses = fixedAddress === null ? [] : [fixedAddress];
    const known = { mac: port.mac, fixedAddresses, dnsName: null, dnsHostname: null, revision: null };
    putPort(priming, { id: portId, serverId: port.serverId, lastServerId: port.serverId, ...known });
  }
  // A lost ledger has used up numbers of transitions, at most one per revision: beginning at the
  // revision reuses none.
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
  // Only for old releases, whose floating IPs do not contain their port's server. Otherwise that
  // data counts: it was read together with the floating IP, and later changes of the port come as
  // messages.
  if (!isFirst) return;
  for (const floatingIp of draft.floatingIpsOnPort(state.id)) {
    if (floatingIp.primed) draft.putFloatingIp({ ...floatingIp, association: associationOf(priming, floatingIp) });
  }
}

/**
 * Whether a resource's revisions have restarted, since Neutron's database was restored from a
 * backup. A lower revision alone proves nothing: the page may have been read before a message was
 * decided. It does if the remembered state is older than the listing.
 */
function hasRestartedRevisions(
  { rules: { readAtMs } }: Priming,
  { state, known }: {
    readonly state: { readonly revision: number | null };
    readonly known: PortMemory | FloatingIpMemory;
  },
): boolean {
  if (readAtMs === undefined || known.deleted || state.revision === null || known.revision === null) return false;
  return state.revision < known.revision && !isOutdated(state, known, readAtMs);
}

/** Whether a port is known only from its floating IP, as priming read it. */
function isFromFloatingIp({ primed, revision }: PortMemory, state: PortState): boolean {
  return Boolean(primed) && revision === null && state.revision !== null;
}

function putPort({ draft }: Priming, port: Omit<PortMemory, "deleted" | "primed">): void {
  draft.putPort({ ...port, deleted: false, primed: { revision: port.revision } });
}

function primeServer({ draft, rules, missing }: Priming, found: ServerSnapshot): void {
  const said = withOptional(found, rules.optional);
  const id = said.id as string;
  const known = draft.server(id);
  if (known?.deleted) return;
  const dnsName = said.dnsName ?? dnsNameOf(said.hostname, draft.portsOfServer(id));
  if (known === undefined) {
    // Its creation was not announced: the message of its creation, if it comes, will announce it.
    draft.putServer({ id, creationSeen: false, deleted: false, snapshot: { ...said, dnsName } });
    missing.push(id);
    return;
  }
  // The addresses at its creation are known from messages.
  const addresses = known.creationSeen ? [] : said.addresses;
  const server: ServerMemory = { ...known, snapshot: mergeSnapshots(known.snapshot, { ...said, dnsName, addresses }) };
  if (JSON.stringify(server) !== JSON.stringify(known)) draft.putServer(server);
}

/** A server as it was read, with those optional keys of the detail that are asked for. */
export function withOptional(
  { optional = {}, ...server }: ServerSnapshot,
  asked: Rules["optional"] = new Set(),
): ServerSnapshot {
  const entries = Object.entries(optional).filter(([key]) => asked.has(key as OptionalKey));
  return entries.length === 0 ? server : { ...server, optional: Object.fromEntries(entries) };
}
