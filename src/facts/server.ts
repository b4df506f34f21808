import type { ServerSnapshot } from "../model/event.ts";
import type { Memory, PortMemory, ServerMemory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import { mergeSnapshots } from "../model/snapshot.ts";
import { reconcilePort, reconcileServer } from "./association.ts";
import { addressesOfPorts, dnsNameOf } from "./port_addresses.ts";
import { hasFailed, isPublishedElsewhere, readServer, readServerPorts } from "./server_payload.ts";
import type { DecisionContext, Finding, Rules } from "./decision_context.ts";

/**
 * `compute.instance.create.end`, `instance.create.end`: a server was created. This is announced
 * once per server, whatever the number and format of its messages.
 */
export function serverCreated(context: DecisionContext): Finding {
  const { notification, draft, rules } = context;
  const said = readServer(notification);
  const { id } = said;
  if (id === null) return NO_SERVER;
  if (hasFailed(notification)) return { outcome: "remembered", reason: "the build of the server failed" };
  const known = draft.server(id);
  if (known?.deleted) {
    return { outcome: "superseded", reason: "the server's deletion was recorded before its creation" };
  }
  const key = `server/${id}/creation`;
  if (known?.creationSeen) {
    const snapshot = mergeSnapshots(known.snapshot, said);
    draft.putServer({ ...known, snapshot });
    rememberPorts(context, id);
    return { outcome: "repeated", reason: `another message of ${key}`, fill: { key, server: snapshot } };
  }
  if (known === undefined && isFromOldQueue(notification, rules) && !rules.isThere?.(id)) {
    const reason = `a creation of ${notification.time} from an old queue; nothing else is known of the server`;
    return { outcome: "superseded", reason };
  }
  announceServerCreation(context, id, said);
  rememberPorts(context, id);
  return { outcome: "remembered", reason: "a server came" };
}

/** Remembers and announces that a server was created. */
export function announceServerCreation(context: DecisionContext, id: string, said: ServerSnapshot): void {
  const { draft } = context;
  const known = draft.server(id);
  const own = { ...said, dnsName: said.dnsName ?? dnsNameOf(said.hostname, draft.portsOfServer(id)) };
  // A server that an association made known first has data from OpenStack's APIs; its addresses at
  // creation are those of the message.
  const snapshot = known === undefined ? own : { ...mergeSnapshots(own, known.snapshot), addresses: own.addresses };
  draft.putServer({ id, creationSeen: true, deleted: false, snapshot });
  const key = `server/${id}/creation`;
  context.announce({ key, subject: "server", created: true, server: snapshot, floatingIp: null, creationSeen: true });
}

/**
 * The id of a server that is not remembered, if the notification is its creation from an old queue:
 * Nova is then asked whether it exists. Otherwise `null`.
 */
export function forgottenServer(notification: Notification, memory: Memory, rules: Rules): string | null {
  if (!CREATIONS.has(notification.eventType) || !isFromOldQueue(notification, rules)) return null;
  const { id } = readServer(notification);
  return id === null || memory.server(id) !== undefined ? null : id;
}

function isFromOldQueue({ time }: Notification, { oldestCreation }: Rules): boolean {
  return oldestCreation !== null && time !== null && time < oldestCreation;
}

/**
 * `compute.instance.delete.end`, `instance.delete.end`: a server was deleted permanently.
 * `compute.instance.force_delete.end`: nova-api deleted a server itself, because no running compute
 * host has it; this is the only message then.
 */
export function serverDeleted(context: DecisionContext): Finding {
  const { notification, draft } = context;
  const said = readServer(notification);
  const { id } = said;
  if (id === null) return NO_SERVER;
  const key = `server/${id}/deletion`;
  const known = draft.server(id);
  if (known?.deleted) {
    const snapshot = mergeSnapshots(known.snapshot, said);
    draft.putServer({ ...known, snapshot });
    return { outcome: "repeated", reason: `another message of ${key}`, fill: { key, server: snapshot } };
  }
  const snapshot = known === undefined ? withAddressesOfPorts(said, draft.portsOfServer(id)) : asCreated(said, known);
  announceServerDeletion(context, id, snapshot);
  return { outcome: "remembered", reason: "a server went" };
}

/** Remembers and announces that a server was deleted, after the ends of its associations. */
export function announceServerDeletion(context: DecisionContext, id: string, snapshot: ServerSnapshot): void {
  const { draft } = context;
  const creationSeen = draft.server(id)?.creationSeen ?? false;
  draft.putServer({ id, creationSeen, deleted: true, snapshot });
  reconcileServer(context, id);
  const key = `server/${id}/deletion`;
  context.announce({ key, subject: "server", created: false, server: snapshot, floatingIp: null, creationSeen });
}

/**
 * `compute.instance.soft_delete.end` from a compute host: the server can be restored. Up to Pike,
 * nova-api published the same type for a permanent deletion, if the server had no compute host or
 * that was down.
 */
export function serverSoftDeleted(context: DecisionContext): Finding {
  if (isPublishedElsewhere(context.notification)) return serverDeleted(context);
  return { outcome: "remembered", reason: "a soft deletion: the server can be restored" };
}

const CREATIONS: ReadonlySet<string> = new Set(["compute.instance.create.end", "instance.create.end"]);

const NO_SERVER: Finding = { outcome: "remembered", reason: "the notification names no server" };

/**
 * The snapshot of a deletion: names and addresses as at the creation, metadata and sizes from the
 * deletion's own message.
 */
function asCreated(said: ServerSnapshot, { snapshot: created }: ServerMemory): ServerSnapshot {
  return {
    ...mergeSnapshots(said, created),
    hostname: created.hostname ?? said.hostname,
    dnsName: created.dnsName,
    userName: created.userName ?? said.userName,
    projectName: created.projectName ?? said.projectName,
    remoteAddress: created.remoteAddress ?? said.remoteAddress,
    addresses: created.addresses,
    floatingAddress: created.floatingAddress,
  };
}

/** Adds the addresses of a server's ports to a server whose creation is not remembered. */
function withAddressesOfPorts(said: ServerSnapshot, ports: readonly PortMemory[]): ServerSnapshot {
  return { ...said, dnsName: dnsNameOf(said.hostname, ports), addresses: addressesOfPorts(ports) };
}

/**
 * Remembers the ports of a versioned notification, unless they are known: Neutron's own messages
 * are more complete and usually come first.
 */
function rememberPorts(context: DecisionContext, serverId: string): void {
  const { notification, draft } = context;
  for (const { id, mac, addresses } of readServerPorts(notification)) {
    if (draft.port(id) !== undefined) continue;
    draft.putPort({
      id,
      serverId,
      lastServerId: serverId,
      mac,
      fixedAddresses: addresses,
      dnsName: null,
      dnsHostname: null,
      revision: null,
      deleted: false,
    });
    reconcilePort(context, id);
  }
}
