import type { PortMemory } from "../model/memory.ts";
import { announceCurrentState, reconcile, reconcilePort } from "./association.ts";
import type { DecisionContext, Finding } from "./decision_context.ts";
import { type PortState, readId, readPorts } from "./network_payload.ts";
import { decideEach, endedAt } from "./network_resources.ts";
import { hasRestartedRevisions, isFromBeforePriming, isNewerThanPriming, staleRevision } from "./revisions.ts";

/**
 * `port.create.end`: up to Mitaka, Nova created ports with their server, and no update followed.
 * The message has the port's first state. For a port that is known already it only fills what the
 * messages of floating IPs and servers leave open.
 */
export function portCreated(context: DecisionContext): Finding {
  return decideEach(readPorts(context.notification), (state) => {
    const known = context.draft.port(state.id);
    if (known === undefined) return applyPort(context, state);
    // A message without a revision told of the port after its creation: its server stays.
    const isFiller = state.revision !== null && known.revision === null;
    if (isFiller) return applyPort(context, { ...state, serverId: known.serverId });
    return known.primed ? applyPort(context, state) : staleRevision(state, known) ?? PORT_WAS_KNOWN;
  });
}

/** `port.update.end`: the port may have another server, or none. */
export function portChanged(context: DecisionContext): Finding {
  return decideEach(readPorts(context.notification), (state) => applyPort(context, state));
}

/**
 * `port.delete.end`: the only message that reports that a server's floating IPs are free again; in
 * old releases it has only the id.
 */
export function portDeleted(context: DecisionContext): Finding {
  const { draft, notification } = context;
  const states = readPorts(notification);
  const id = states.length > 0 ? null : readId(notification, "port");
  return decideEach(
    id === null ? states : [draft.port(id) ?? unknownPort(id)],
    (state) => applyPortDeletion(context, state),
  );
}

function applyPort(context: DecisionContext, state: PortState): Finding {
  const { draft } = context;
  const known = draft.port(state.id);
  if (known?.deleted && !hasRestartedRevisions(state, known)) {
    return { outcome: "superseded", reason: "the port's deletion was recorded before" };
  }
  const isFromOldQueue = known !== undefined && isFromBeforePriming(state, known);
  const late = isFromOldQueue ? null : staleRevision(state, known);
  if (late !== null) return late;
  if (isFromOldQueue) applyPortFromBeforePriming(context, currentPort(state, known), known);
  else draft.putPort({ ...currentPort(state, known), primed: known?.primed ?? null });
  reconcilePort(context, state.id);
  return { outcome: "remembered", reason: "a port changed; no association began or ended with it" };
}

/** Takes over the current state of a port: begins and ends the associations on it. */
export function acceptPort(context: DecisionContext, state: PortState): void {
  const known = context.draft.port(state.id);
  context.draft.putPort({ ...currentPort(state, known), primed: known?.primed ?? null });
  reconcilePort(context, state.id);
}

/** A port in the state that was read. */
function currentPort(state: PortState, known: PortMemory | undefined): PortMemory {
  const serverId = state.serverId === undefined ? known?.serverId ?? null : state.serverId;
  return { ...state, serverId, lastServerId: serverId ?? known?.lastServerId ?? null, deleted: false };
}

/**
 * A message that was published before priming read the port: the associations that it began or
 * ended were never announced.
 */
function applyPortFromBeforePriming(context: DecisionContext, now: PortMemory, known: PortMemory): void {
  const { draft } = context;
  draft.putPort({ ...(isNewerThanPriming(known) ? known : now), primed: null });
  for (const { id, primed } of draft.floatingIpsOnPort(now.id)) if (primed) announceCurrentState(context, id);
}

function applyPortDeletion(context: DecisionContext, state: PortState): Finding {
  const { draft } = context;
  const known = draft.port(state.id);
  if (known?.deleted) return { outcome: "repeated", reason: "the port's deletion was recorded before" };
  endPort(context, state);
  return { outcome: "remembered", reason: "a port went; no floating IP was on it" };
}

/** A port was deleted: Neutron has freed its floating IPs. */
export function endPort(context: DecisionContext, state: PortState): void {
  const { draft } = context;
  const lastServerId = state.serverId ?? draft.port(state.id)?.lastServerId ?? null;
  draft.putPort({ ...state, serverId: null, lastServerId, updatedAt: endedAt(context, state), deleted: true });
  for (const floatingIp of draft.floatingIpsOnPort(state.id)) {
    draft.putFloatingIp({ ...floatingIp, portId: null, fixedAddress: null });
    reconcile(context, floatingIp.id);
  }
}

function unknownPort(id: string): PortState {
  return { id, serverId: null, mac: null, fixedAddresses: [], dnsName: null, dnsHostname: null, revision: null };
}

const PORT_WAS_KNOWN: Finding = {
  outcome: "superseded",
  reason: "a message of the port was recorded before its creation",
};
