import { MAX_FLOATING_IPS } from "../model/bounds.ts";
import type { FloatingIpMemory } from "../model/memory.ts";
import { announceCurrentState, announceUnseenEnd, associationOf, reconcile, reconcilePort } from "./association.ts";
import type { DecisionContext, Finding } from "./decision_context.ts";
import { type FloatingIpState, readFloatingIps, readId } from "./network_payload.ts";
import { decideEach, endedAt } from "./network_resources.ts";
import { hasRestartedRevisions, isFromBeforePriming, isNewerThanPriming, staleRevision } from "./revisions.ts";

/** `floatingip.create.end`, `floatingip.update.end`: the new state of a floating IP. */
export function floatingIpChanged(context: DecisionContext): Finding {
  return decideEach(readFloatingIps(context.notification), (state) => applyFloatingIp(context, state));
}

/** `floatingip.delete.end`: the former state of a floating IP; in old releases only its id. */
export function floatingIpDeleted(context: DecisionContext): Finding {
  const { draft, notification } = context;
  const states = readFloatingIps(notification);
  const known = states.length > 0 ? undefined : draft.floatingIp(readId(notification, "floatingip") ?? "");
  return decideEach(
    known === undefined ? states : [{ ...known, port: null }],
    (state) => applyFloatingIpDeletion(context, state),
  );
}

function applyFloatingIp(context: DecisionContext, state: FloatingIpState): Finding {
  const { draft, notification } = context;
  const known = draft.floatingIp(state.id);
  if (known !== undefined && isFromBeforePriming(state, known)) {
    return applyFloatingIpFromBeforePriming(context, state, known);
  }
  if (known?.deleted && !hasRestartedRevisions(state, known)) {
    return { outcome: "superseded", reason: "the floating IP's deletion was recorded before" };
  }
  const late = staleRevision(state, known);
  if (late !== null) return late;
  const dropped = acceptFloatingIp(context, state);
  if (dropped !== null) return dropped;
  reconcileOthers(context, state);
  if (known === undefined && state.portId === null && notification.eventType === "floatingip.update.end") {
    // It may have been associated before. A superfluous removal is harmless; a missing one is not.
    announceUnseenEnd(context, state.id, null);
  }
  if (known !== undefined && known.association !== null) {
    return { outcome: "remembered", reason: "an edit: the association is as before" };
  }
  if (state.portId === null) {
    return { outcome: "remembered", reason: "the floating IP is free, as before" };
  }
  return whyNoAssociation(context, state.portId);
}

/**
 * Takes over the current state of a floating IP: begins and ends its association. Returns a finding
 * if the state exceeds a limit and is not followed.
 */
export function acceptFloatingIp(context: DecisionContext, state: FloatingIpState): Finding | null {
  const { draft } = context;
  const known = draft.floatingIp(state.id);
  if (exceedsFloatingIpLimit(context, state, known)) return dropExcessFloatingIp(context, state);
  rememberPort(context, state);
  draft.putFloatingIp({ ...(known ?? firstSeen(state)), ...currentFields(state), deleted: false });
  reconcile(context, state.id);
  return null;
}

/**
 * Reconciles the other floating IPs of the port, once per message unless the message changes the
 * port.
 */
function reconcileOthers(context: DecisionContext, { portId }: FloatingIpState): void {
  if (portId === null || context.reconciledPorts.has(portId)) return;
  context.reconciledPorts.add(portId);
  reconcilePort(context, portId);
}

/** Whether a floating IP moves to a port that already has the maximum number of them. */
function exceedsFloatingIpLimit(
  { draft }: DecisionContext,
  { portId }: FloatingIpState,
  known: FloatingIpMemory | undefined,
): boolean {
  return portId !== null && known?.portId !== portId && draft.floatingIpsOnPort(portId).length >= MAX_FLOATING_IPS;
}

/** Ends the association that the floating IP had; the new one is not followed. */
function dropExcessFloatingIp(context: DecisionContext, state: FloatingIpState): Finding {
  const { draft } = context;
  const known = draft.floatingIp(state.id) ?? firstSeen(state);
  draft.putFloatingIp({ ...known, ...currentFields(state), portId: null, fixedAddress: null });
  reconcile(context, state.id);
  const reason = `the port ${state.portId} has ${MAX_FLOATING_IPS} floating IPs already; no more are followed`;
  context.warnings.add(reason);
  return { outcome: "superseded", reason };
}

/**
 * A message that was published before priming read the floating IP: its effect was never announced.
 * If a newer message was decided before this one, the newer state is kept.
 */
function applyFloatingIpFromBeforePriming(
  context: DecisionContext,
  state: FloatingIpState,
  known: FloatingIpMemory,
): Finding {
  const { draft } = context;
  if (!isNewerThanPriming(known)) {
    rememberPort(context, state);
    draft.putFloatingIp({ ...known, ...currentFields(state) });
  }
  announceCurrentState(context, state.id);
  if (!isNewerThanPriming(known) && state.portId !== null) reconcilePort(context, state.portId);
  return {
    outcome: "remembered",
    reason: "the creation of a free floating IP, which was there when it was first read",
  };
}

function applyFloatingIpDeletion(context: DecisionContext, state: FloatingIpState): Finding {
  const { draft } = context;
  const known = draft.floatingIp(state.id);
  if (known?.deleted) return { outcome: "repeated", reason: "the floating IP's deletion was recorded before" };
  rememberPort(context, state);
  const former = { ...(known ?? firstSeen(state)), ...currentFields(state) };
  const unseen = former.association === null ? associationOf(context, former) : null;
  draft.putFloatingIp({ ...former, portId: null, updatedAt: endedAt(context, state), deleted: true });
  reconcile(context, state.id);
  if (unseen !== null) announceUnseenEnd(context, state.id, unseen);
  if (state.portId !== null) reconcilePort(context, state.portId);
  return { outcome: "remembered", reason: "the floating IP was on no server when it was deleted" };
}

/** A known floating IP was deleted. */
export function endFloatingIp(context: DecisionContext, known: FloatingIpMemory): void {
  const { portId } = known;
  context.draft.putFloatingIp({ ...known, portId: null, updatedAt: endedAt(context, known), deleted: true });
  reconcile(context, known.id);
  if (portId !== null) reconcilePort(context, portId);
}

/**
 * Remembers the port's server, which a floating IP's message contains since Neutron's release
 * Rocky. A message is about one moment, in which a port has one server: if it names more, the first
 * one counts. Otherwise each would move all floating IPs of the port.
 */
function rememberPort(
  { draft, reconciledPorts, rememberedPorts }: DecisionContext,
  { portId, port, fixedAddress }: FloatingIpState,
): void {
  if (portId === null || port === null || rememberedPorts.has(portId)) return;
  rememberedPorts.add(portId);
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

function whyNoAssociation({ draft }: DecisionContext, portId: string): Finding {
  const port = draft.port(portId);
  if (port === undefined) return { outcome: "remembered", reason: "nothing is known of the floating IP's port yet" };
  if (port.deleted) {
    return { outcome: "superseded", reason: "the deletion of the floating IP's port was recorded before" };
  }
  if (port.serverId === null) return { outcome: "remembered", reason: "the floating IP's port belongs to no server" };
  return { outcome: "superseded", reason: "the deletion of the floating IP's server was recorded before" };
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

function currentFields({ address, projectId, portId, fixedAddress, revision, updatedAt = null }: FloatingIpState) {
  return { address, projectId, portId, fixedAddress, revision, updatedAt };
}
