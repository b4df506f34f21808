import { MAX_FLOATING_IPS } from "../model/bounds.ts";
import type { ServerSnapshot } from "../model/event.ts";
import type { Association, FloatingIpMemory } from "../model/memory.ts";
import { unknownServer } from "../model/snapshot.ts";
import { addressesOfPorts } from "./port_addresses.ts";
import type { Draft } from "./draft.ts";
import type { DecisionContext, Rules } from "./decision_context.ts";
import { numberAfter } from "./number_after.ts";

/** Begins and ends the associations of all floating IPs on a port, according to the draft. */
export function reconcilePort(context: DecisionContext, portId: string): void {
  for (const floatingIp of context.draft.floatingIpsOnPort(portId)) reconcile(context, floatingIp.id);
}

/** Ends the associations of a deleted server. */
export function reconcileServer(context: DecisionContext, serverId: string): void {
  for (const floatingIp of context.draft.floatingIpsOfServer(serverId)) reconcile(context, floatingIp.id);
}

/**
 * Compares the remembered association of a floating IP with the one that follows from its port and
 * that port's server; the router does not matter. All associations begin and end here, whichever
 * message changed floating IP, port or server.
 */
export function reconcile(context: DecisionContext, floatingIpId: string): void {
  const { draft } = context;
  const floatingIp = draft.floatingIp(floatingIpId);
  if (floatingIp === undefined) return;
  const before = floatingIp.association;
  const now = withinLimit(context, before, associationOf(context, floatingIp));
  if (before !== null && now !== null && before.portId === now.portId && before.serverId === now.serverId) {
    const moved = before.fixedAddress !== now.fixedAddress || before.mac !== now.mac;
    if (moved) draft.putFloatingIp({ ...floatingIp, association: now });
    return;
  }
  // The beginning of a primed association was never announced.
  if (before !== null) step(context, floatingIpId, { of: before, now: null, creationSeen: !floatingIp.primed });
  if (now !== null) step(context, floatingIpId, { of: now, now, creationSeen: true });
}

/**
 * The new association, or `null` if its server already has the maximum number of floating IPs: each
 * event of a server lists all of them.
 */
function withinLimit(
  context: DecisionContext,
  before: Association | null,
  now: Association | null,
): Association | null {
  if (now === null || now.serverId === null || before?.serverId === now.serverId) return now;
  if (context.draft.floatingIpsOfServer(now.serverId).length < MAX_FLOATING_IPS) return now;
  context.warnings.add(
    `the server ${now.serverId} has ${MAX_FLOATING_IPS} floating IPs already; no more are followed`,
  );
  return null;
}

/**
 * Announces the current association of a floating IP whose earlier state is unknown. If it has
 * none, an end is announced, except for a floating IP that was just created and had no association
 * before.
 */
export function announceCurrentState(context: DecisionContext, floatingIpId: string): void {
  const { draft, notification } = context;
  const { primed: _, ...floatingIp } = draft.floatingIp(floatingIpId) as FloatingIpMemory;
  draft.putFloatingIp({ ...floatingIp, association: null });
  reconcile(context, floatingIpId);
  const isOn = draft.floatingIp(floatingIpId)?.association !== null;
  if (!isOn && notification.eventType !== "floatingip.create.end") announceUnseenEnd(context, floatingIpId, null);
}

/**
 * Announces the end of an association whose beginning is not remembered. Its server may be unknown.
 */
export function announceUnseenEnd(
  context: DecisionContext,
  floatingIpId: string,
  association: Association | null,
): void {
  const of = association ?? { serverId: null, fixedAddress: null, mac: null };
  step(context, floatingIpId, { of, now: null, creationSeen: false });
}

/** A transition of a floating IP: the association that ended or began, and the one to remember. */
interface Step {
  readonly of: Omit<Association, "portId">;
  readonly now: Association | null;
  readonly creationSeen: boolean;
}

/** One numbered transition of a floating IP: remembered, then announced. */
function step(context: DecisionContext, floatingIpId: string, { of, now, creationSeen }: Step): void {
  const { primed: _, ...floatingIp } = context.draft.floatingIp(floatingIpId) as FloatingIpMemory;
  const { id, address } = floatingIp;
  const transitions = numberAfter(floatingIp.transitions, context.rules);
  const created = now !== null;
  context.draft.putFloatingIp({ ...floatingIp, transitions, association: now });
  context.announce({
    key: `floatingip/${id}/${transitions}/${created ? "creation" : "deletion"}`,
    subject: "floatingip",
    created,
    server: snapshotOf(context, of.serverId),
    floatingIp: { id, address, fixedAddress: of.fixedAddress, mac: of.mac },
    creationSeen,
  });
}

/**
 * An association begins when a port has both a floating IP and a compute server, and ends when
 * either goes.
 */
export function associationOf(
  { draft, rules }: { readonly draft: Draft; readonly rules: Pick<Rules, "anyPort"> },
  floatingIp: FloatingIpMemory,
): Association | null {
  const { portId, fixedAddress, deleted } = floatingIp;
  if (portId === null || deleted) return null;
  const port = draft.port(portId);
  if (port?.deleted) return null;
  const serverId = port?.serverId ?? null;
  if (serverId === null ? !rules.anyPort : draft.server(serverId)?.deleted) return null;
  return { portId, serverId, fixedAddress, mac: port?.mac ?? null };
}

function snapshotOf({ draft }: DecisionContext, serverId: string | null): ServerSnapshot {
  if (serverId === null) return unknownServer(null);
  const snapshot = draft.server(serverId)?.snapshot ?? unknownServer(serverId);
  // A port may have come after the creation.
  return snapshot.addresses.length > 0
    ? snapshot
    : { ...snapshot, addresses: addressesOfPorts(draft.portsOfServer(serverId)) };
}
