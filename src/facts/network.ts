import { MAX_FLOATING_IPS } from "../model/bounds.ts";
import type { FloatingIpMemory, PortMemory, Primed } from "../model/memory.ts";
import { announceStanding, associationOf, endUnseen, reconcile, reconcilePort } from "./association.ts";
import { type FloatingIpState, type PortState, readFloatingIps, readId, readPorts } from "./network_payload.ts";
import type { Finding, Situation } from "./situation.ts";

/** `floatingip.create.end`, `floatingip.update.end`: the new state of a floating IP, whatever changed in it. */
export function floatingIpChanged(situation: Situation): Finding {
  return each(readFloatingIps(situation.notification), (state) => floatingIpNow(situation, state));
}

/** `floatingip.delete.end`: carries the former state; in old releases the id alone. */
export function floatingIpDeleted(situation: Situation): Finding {
  const { draft, notification } = situation;
  const states = readFloatingIps(notification);
  const known = states.length > 0 ? undefined : draft.floatingIp(readId(notification, "floatingip") ?? "");
  return each(known === undefined ? states : [{ ...known, port: null }], (state) => floatingIpGone(situation, state));
}

/**
 * `port.create.end`: up to Mitaka, Nova created ports with their server, and no update followed. It tells of the port's first state: of
 * a port that is known already it says nothing, but for what the messages of floating IPs and servers leave open.
 */
export function portCreated(situation: Situation): Finding {
  return each(readPorts(situation.notification), (state) => {
    const known = situation.draft.port(state.id);
    if (known === undefined) return portNow(situation, state);
    // Whoever told of it without a revision told of it after its creation, which must not take its server away.
    const isFiller = state.revision !== null && known.revision === null;
    if (isFiller) return portNow(situation, { ...state, serverId: known.serverId });
    return known.primed ? portNow(situation, state) : lateRevision(state, known) ?? PORT_WAS_KNOWN;
  });
}

/** `port.update.end`: the port has another server, or none, or the same. */
export function portChanged(situation: Situation): Finding {
  return each(readPorts(situation.notification), (state) => portNow(situation, state));
}

/** `port.delete.end`: all that ever says that a server's floating IPs are free again; in old releases the id alone. */
export function portDeleted(situation: Situation): Finding {
  const { draft, notification } = situation;
  const states = readPorts(notification);
  const id = states.length > 0 ? null : readId(notification, "port");
  return each(id === null ? states : [draft.port(id) ?? unknownPort(id)], (state) => portGone(situation, state));
}

function floatingIpNow(situation: Situation, state: FloatingIpState): Finding {
  const { draft, notification } = situation;
  const known = draft.floatingIp(state.id);
  if (known !== undefined && isOfThePast(state, known)) return floatingIpWas(situation, state, known);
  if (known?.deleted && !isCountedAnew(state, known)) {
    return { outcome: "superseded", reason: "the floating IP's deletion was recorded before" };
  }
  const late = lateRevision(state, known);
  if (late !== null) return late;
  if (isOneTooMany(situation, state, known)) return floatingIpUnfollowed(situation, state);
  learnPort(situation, state);
  draft.putFloatingIp({ ...(known ?? firstSeen(state)), ...standing(state), deleted: false });
  reconcile(situation, state.id);
  reconcileOthers(situation, state);
  if (known === undefined && state.portId === null && notification.eventType === "floatingip.update.end") {
    // Whether it was associated before is unknown. Removals are idempotent; silence is not safe.
    endUnseen(situation, state.id, null);
  }
  if (known !== undefined && known.association !== null) {
    return { outcome: "remembered", reason: "an edit: the association is as before" };
  }
  if (state.portId === null) {
    return { outcome: "remembered", reason: "the floating IP is free, as before" };
  }
  return whyNoAssociation(situation, state.portId);
}

/** Those on the same port: once, unless the message says something new of the port. */
function reconcileOthers(situation: Situation, { portId }: FloatingIpState): void {
  if (portId === null || situation.reconciledPorts.has(portId)) return;
  situation.reconciledPorts.add(portId);
  reconcilePort(situation, portId);
}

/** Whether a floating IP comes to a port that has more of them than there can be. */
function isOneTooMany(
  { draft }: Situation,
  { portId }: FloatingIpState,
  known: FloatingIpMemory | undefined,
): boolean {
  return portId !== null && known?.portId !== portId && draft.floatingIpsOnPort(portId).length >= MAX_FLOATING_IPS;
}

/** It has left where it was before, and is not looked for where it is. */
function floatingIpUnfollowed(situation: Situation, state: FloatingIpState): Finding {
  const { draft } = situation;
  const known = draft.floatingIp(state.id) ?? firstSeen(state);
  draft.putFloatingIp({ ...known, ...standing(state), portId: null, fixedAddress: null });
  reconcile(situation, state.id);
  const reason = `the port ${state.portId} has ${MAX_FLOATING_IPS} floating IPs already; no more are followed`;
  situation.warnings.add(reason);
  return { outcome: "superseded", reason };
}

/**
 * Between our beginning to listen and the reading of the floating IP: what came of it was never announced. A newer message may have been
 * recorded before this one; then what stands is that one's.
 */
function floatingIpWas(situation: Situation, state: FloatingIpState, known: FloatingIpMemory): Finding {
  const { draft } = situation;
  if (!isAhead(known)) {
    learnPort(situation, state);
    draft.putFloatingIp({ ...known, ...standing(state) });
  }
  announceStanding(situation, state.id);
  if (!isAhead(known) && state.portId !== null) reconcilePort(situation, state.portId);
  return {
    outcome: "remembered",
    reason: "the creation of a free floating IP, which was there when it was first read",
  };
}

function floatingIpGone(situation: Situation, state: FloatingIpState): Finding {
  const { draft } = situation;
  const known = draft.floatingIp(state.id);
  if (known?.deleted) return { outcome: "repeated", reason: "the floating IP's deletion was recorded before" };
  learnPort(situation, state);
  const former = { ...(known ?? firstSeen(state)), ...standing(state) };
  const unseen = former.association === null ? associationOf(situation, former) : null;
  draft.putFloatingIp({ ...former, portId: null, updatedAt: endedAt(situation, state), deleted: true });
  reconcile(situation, state.id);
  if (unseen !== null) endUnseen(situation, state.id, unseen);
  if (state.portId !== null) reconcilePort(situation, state.portId);
  return { outcome: "remembered", reason: "the floating IP was on no server when it was deleted" };
}

function portNow(situation: Situation, state: PortState): Finding {
  const { draft } = situation;
  const known = draft.port(state.id);
  if (known?.deleted && !isCountedAnew(state, known)) {
    return { outcome: "superseded", reason: "the port's deletion was recorded before" };
  }
  const isOld = known !== undefined && isOfThePast(state, known);
  const late = isOld ? null : lateRevision(state, known);
  if (late !== null) return late;
  const serverId = state.serverId === undefined ? known?.serverId ?? null : state.serverId;
  const now = { ...state, serverId, lastServerId: serverId ?? known?.lastServerId ?? null, deleted: false };
  if (isOld) portWas(situation, now, known);
  else draft.putPort({ ...now, primed: known?.primed ?? null });
  reconcilePort(situation, state.id);
  return { outcome: "remembered", reason: "a port changed; no association began or ended with it" };
}

/** Between our beginning to listen and the reading of the port: so were the beginnings and ends that came of it. */
function portWas(situation: Situation, now: PortMemory, known: PortMemory): void {
  const { draft } = situation;
  draft.putPort({ ...(isAhead(known) ? known : now), primed: null });
  for (const { id, primed } of draft.floatingIpsOnPort(now.id)) if (primed) announceStanding(situation, id);
}

function portGone(situation: Situation, state: PortState): Finding {
  const { draft } = situation;
  const known = draft.port(state.id);
  if (known?.deleted) return { outcome: "repeated", reason: "the port's deletion was recorded before" };
  const lastServerId = state.serverId ?? known?.lastServerId ?? null;
  draft.putPort({ ...state, serverId: null, lastServerId, updatedAt: endedAt(situation, state), deleted: true });
  for (const floatingIp of draft.floatingIpsOnPort(state.id)) {
    draft.putFloatingIp({ ...floatingIp, portId: null, fixedAddress: null });
    reconcile(situation, floatingIp.id);
  }
  return { outcome: "remembered", reason: "a port went; no floating IP was on it" };
}

/** A floating IP's message says which server its port belongs to, since Neutron's release Rocky. */
function learnPort({ draft, reconciledPorts }: Situation, { portId, port, fixedAddress }: FloatingIpState): void {
  if (portId === null || port === null) return;
  const known = draft.port(portId);
  if (known?.deleted) return;
  if (known?.serverId !== port.serverId || (port.mac ?? known?.mac) !== known?.mac) reconciledPorts.delete(portId);
  draft.putPort({
    id: portId,
    serverId: port.serverId,
    lastServerId: port.serverId ?? known?.lastServerId ?? null,
    mac: port.mac ?? known?.mac ?? null,
    fixedAddresses: known?.fixedAddresses ?? (fixedAddress === null ? [] : [fixedAddress]),
    dnsName: known?.dnsName ?? null,
    dnsHostname: known?.dnsHostname ?? null,
    revision: known?.revision ?? null,
    updatedAt: known?.updatedAt ?? null,
    deleted: false,
    primed: known?.primed ?? null,
  });
}

function whyNoAssociation({ draft }: Situation, portId: string): Finding {
  const port = draft.port(portId);
  if (port === undefined) return { outcome: "remembered", reason: "nothing is known of the floating IP's port yet" };
  if (port.deleted) {
    return { outcome: "superseded", reason: "the deletion of the floating IP's port was recorded before" };
  }
  if (port.serverId === null) return { outcome: "remembered", reason: "the floating IP's port belongs to no server" };
  return { outcome: "superseded", reason: "the deletion of the floating IP's server was recorded before" };
}

/** A deletion's message gives the time of the last change before it. */
function endedAt(
  { notification }: Situation,
  { updatedAt = null }: { readonly updatedAt?: string | null },
): string | null {
  return notification.time ?? updatedAt;
}

/** What a message and memory say of how new a resource's state is. */
interface Age {
  readonly revision: number | null;
  readonly updatedAt?: string | null;
}

/** Revisions of Neutron's resources only grow, unless its database is restored from a backup; old releases have none. */
function lateRevision(state: Age, known: Age | undefined): Finding | null {
  const [revision, knownRevision] = [state.revision, known?.revision ?? null];
  if (revision === null || known === undefined || knownRevision === null || revision >= knownRevision) return null;
  if (isCountedAnew(state, known)) return null;
  const reason = `its revision ${revision} was recorded after revision ${knownRevision}`;
  if (agesMs(state, known) < 0) return { outcome: "superseded", reason };
  return { outcome: "superseded", isDoubtful: true, reason: `${reason}, and ${RESTORED}` };
}

const RESTORED = "its time does not show which one is newer. If Neutron's database was restored from a backup, run " +
  '"oss-watcher prime": messages that are counted anew are believed then';

/** Clocks of Neutron's hosts differ by less; nobody restores a database within a minute. */
export const MAX_SKEW_MS = 60_000;

/** Whether a message with a lower revision, or of what was deleted, is newer all the same: Neutron's database was restored from a backup. */
function isCountedAnew(state: Age, known: Age): boolean {
  return agesMs(state, known) > MAX_SKEW_MS;
}

/** By how much a message is newer than memory; `NaN` when one of them has no time. */
function agesMs({ updatedAt: ofMessage }: Age, { updatedAt: ofMemory }: Age): number {
  return Date.parse(ofMessage ?? "") - Date.parse(ofMemory ?? "");
}

/** Whether a message tells of something that was read from OpenStack since, and that nobody announced. */
function isOfThePast(
  { revision }: { readonly revision: number | null },
  { primed }: { readonly primed?: Primed | null },
) {
  if (!primed) return false;
  return revision === null || primed.revision === null || revision <= primed.revision;
}

/** Whether a message that is newer than what was read has been decided. */
function isAhead(
  { revision, deleted, primed }: {
    readonly revision: number | null;
    readonly deleted: boolean;
    readonly primed?: Primed | null;
  },
): boolean {
  return deleted || (revision !== null && revision > (primed?.revision ?? revision));
}

function unknownPort(id: string): PortState {
  return { id, serverId: null, mac: null, fixedAddresses: [], dnsName: null, dnsHostname: null, revision: null };
}

function firstSeen({ id, address }: FloatingIpState): FloatingIpMemory {
  return {
    id,
    address,
    projectId: null,
    portId: null,
    fixedAddress: null,
    revision: null,
    deleted: false,
    transitions: 0,
    association: null,
  };
}

function standing({ address, projectId, portId, fixedAddress, revision, updatedAt = null }: FloatingIpState) {
  return { address, projectId, portId, fixedAddress, revision, updatedAt };
}

const PORT_WAS_KNOWN: Finding = {
  outcome: "superseded",
  reason: "a message of the port was recorded before its creation",
};

/** What the last of several resources of one notification came to; bulk requests are rare, and their events all count. */
function each<State>(states: readonly State[], act: (state: State) => Finding): Finding {
  let finding: Finding = { outcome: "remembered", reason: "the notification names no resource that is known" };
  for (const state of states) finding = act(state);
  return finding;
}
