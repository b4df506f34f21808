import type { ServerSnapshot } from "../model/event.ts";
import type { Association, FloatingIpMemory } from "../model/memory.ts";
import type { FloatingIpState } from "./network_payload.ts";
import { addressesOfPorts } from "./port_addresses.ts";
import { unknownServer } from "./server_payload.ts";
import type { Situation } from "./situation.ts";

/** Begins and ends what the draft now says of the floating IPs on a port. */
export function reconcilePort(situation: Situation, portId: string): void {
  for (const floatingIp of situation.draft.floatingIpsOnPort(portId)) reconcile(situation, floatingIp.id);
}

/** Ends the associations of a server that went. */
export function reconcileServer(situation: Situation, serverId: string): void {
  for (const floatingIp of situation.draft.floatingIpsOfServer(serverId)) reconcile(situation, floatingIp.id);
}

/**
 * Compares the association that is remembered with what the floating IP's port and that port's server make of it now: port and server
 * decide, never the router. Whatever message changed one of the three, this is where associations begin and end.
 */
export function reconcile(situation: Situation, floatingIpId: string): void {
  const { draft } = situation;
  const floatingIp = draft.floatingIp(floatingIpId);
  if (floatingIp === undefined) return;
  const before = floatingIp.association;
  const now = associationOf(situation, floatingIp);
  if (before !== null && now !== null && before.portId === now.portId && before.serverId === now.serverId) {
    draft.putFloatingIp({ ...floatingIp, association: now });
    return;
  }
  if (before !== null) step(situation, floatingIpId, { association: before, created: false });
  if (now !== null) step(situation, floatingIpId, { association: now, created: true });
}

/** Announces that an association ended whose beginning is not remembered. */
export function endUnseen(situation: Situation, state: FloatingIpState): void {
  const { draft } = situation;
  const floatingIp = draft.floatingIp(state.id) as FloatingIpMemory;
  const transitions = floatingIp.transitions + 1;
  draft.putFloatingIp({ ...floatingIp, transitions });
  situation.announce({
    key: key(state.id, { transitions, created: false }),
    subject: "floatingip",
    created: false,
    server: snapshotOf(situation, state.port?.serverId ?? null),
    floatingIp: {
      id: state.id,
      address: state.address,
      fixedAddress: state.fixedAddress,
      mac: state.port?.mac ?? null,
    },
    creationSeen: false,
  });
}

/** One numbered transition of a floating IP: remembered, then announced. */
function step(
  situation: Situation,
  floatingIpId: string,
  { association, created }: { readonly association: Association; readonly created: boolean },
): void {
  const floatingIp = situation.draft.floatingIp(floatingIpId) as FloatingIpMemory;
  const { id, address } = floatingIp;
  const transitions = floatingIp.transitions + 1;
  situation.draft.putFloatingIp({ ...floatingIp, transitions, association: created ? association : null });
  situation.announce({
    key: key(id, { transitions, created }),
    subject: "floatingip",
    created,
    server: snapshotOf(situation, association.serverId),
    floatingIp: { id, address, fixedAddress: association.fixedAddress, mac: association.mac },
    creationSeen: true,
  });
}

/** An association begins when a port has both a floating IP and a compute server, and ends when either goes. */
function associationOf({ draft, rules }: Situation, floatingIp: FloatingIpMemory): Association | null {
  const { portId, fixedAddress, deleted } = floatingIp;
  if (portId === null || deleted) return null;
  const port = draft.port(portId);
  if (port?.deleted) return null;
  const serverId = port?.serverId ?? null;
  if (serverId === null ? !rules.anyPort : draft.server(serverId)?.deleted) return null;
  return { portId, serverId, fixedAddress, mac: port?.mac ?? null };
}

function snapshotOf({ draft }: Situation, serverId: string | null): ServerSnapshot {
  if (serverId === null) return unknownServer(null);
  return draft.server(serverId)?.snapshot ??
    { ...unknownServer(serverId), addresses: addressesOfPorts(draft.portsOfServer(serverId)) };
}

function key(
  floatingIpId: string,
  { transitions, created }: { readonly transitions: number; readonly created: boolean },
): string {
  return `floatingip/${floatingIpId}/${transitions}/${created ? "creation" : "deletion"}`;
}
