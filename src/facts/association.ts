import { MAX_FLOATING_IPS } from "../model/bounds.ts";
import type { ServerSnapshot } from "../model/event.ts";
import type { Association, FloatingIpMemory } from "../model/memory.ts";
import { unknownServer } from "../model/snapshot.ts";
import { addressesOfPorts } from "./port_addresses.ts";
import type { Draft } from "./draft.ts";
import type { DecisionContext, Rules } from "./decision_context.ts";

/** Begins and ends what the draft now says of the floating IPs on a port. */
export function reconcilePort(context: DecisionContext, portId: string): void {
  for (const floatingIp of context.draft.floatingIpsOnPort(portId)) reconcile(context, floatingIp.id);
}

/** Ends the associations of a server that went. */
export function reconcileServer(context: DecisionContext, serverId: string): void {
  for (const floatingIp of context.draft.floatingIpsOfServer(serverId)) reconcile(context, floatingIp.id);
}

/**
 * Compares the association that is remembered with what the floating IP's port and that port's server make of it now: port and server
 * decide, never the router. Whatever message changed one of the three, this is where associations begin and end.
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
  // What was primed was announced by nobody.
  if (before !== null) step(context, floatingIpId, { of: before, now: null, creationSeen: !floatingIp.primed });
  if (now !== null) step(context, floatingIpId, { of: now, now, creationSeen: true });
}

/** What an association is, unless it would be one of more than a server can have: each event of it lists all. */
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
 * Announces how a floating IP stands, whatever it was before: that is unknown. Of one that was just created, it is known that it was
 * nowhere before.
 */
export function announceCurrentState(context: DecisionContext, floatingIpId: string): void {
  const { draft, notification } = context;
  const { primed: _, ...floatingIp } = draft.floatingIp(floatingIpId) as FloatingIpMemory;
  draft.putFloatingIp({ ...floatingIp, association: null });
  reconcile(context, floatingIpId);
  const isOn = draft.floatingIp(floatingIpId)?.association !== null;
  if (!isOn && notification.eventType !== "floatingip.create.end") announceUnseenEnd(context, floatingIpId, null);
}

/** Announces that an association ended whose beginning is not remembered; nothing may be known of it. */
export function announceUnseenEnd(
  context: DecisionContext,
  floatingIpId: string,
  association: Association | null,
): void {
  const of = association ?? { serverId: null, fixedAddress: null, mac: null };
  step(context, floatingIpId, { of, now: null, creationSeen: false });
}

/** An association that ended or began: the server that had or has the address, and what is remembered from now on. */
interface Step {
  readonly of: Omit<Association, "portId">;
  readonly now: Association | null;
  readonly creationSeen: boolean;
}

/** One numbered transition of a floating IP: remembered, then announced. */
function step(context: DecisionContext, floatingIpId: string, { of, now, creationSeen }: Step): void {
  const { primed: _, ...floatingIp } = context.draft.floatingIp(floatingIpId) as FloatingIpMemory;
  const { id, address } = floatingIp;
  const transitions = floatingIp.transitions + 1;
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

/** An association begins when a port has both a floating IP and a compute server, and ends when either goes. */
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
  return draft.server(serverId)?.snapshot ??
    { ...unknownServer(serverId), addresses: addressesOfPorts(draft.portsOfServer(serverId)) };
}
