import type { ServerSnapshot } from "../model/event.ts";
import { creationKey, deletionKey } from "../model/event_key.ts";
import type { Memory, PortMemory, ServerMemory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import { mergeAddresses, mergeSnapshots } from "../model/snapshot.ts";
import { reconcilePort, reconcileServer } from "./association.ts";
import { addressesOfPorts, dnsNameOf } from "./port_addresses.ts";
import { firstStated, readStatement, restated, serverChanged, type Statement, withPorts } from "./server_change.ts";
import { hasFailed, isPublishedElsewhere, readServer, readServerPorts } from "./server_payload.ts";
import type { DecisionContext, Finding, Rules } from "./decision_context.ts";

/**
 * `compute.instance.create.end`, `instance.create.end`: a server was created. This is announced
 * once per server, whatever the number and format of its messages.
 */
export function serverCreated(context: DecisionContext): Finding {
  const { notification, draft, rules } = context;
  const statement = readStatement(context);
  const { server: said } = statement;
  const { id } = said;
  if (id === null) return NO_SERVER;
  if (hasFailed(notification)) return { outcome: "remembered", reason: "the build of the server failed" };
  const known = draft.server(id);
  if (known?.deleted) {
    return { outcome: "superseded", reason: "the server's deletion was recorded before its creation" };
  }
  const key = creationKey(id);
  if (known?.creationSeen) {
    const server = rules.follows
      ? restated(known, statement)
      : { ...known, snapshot: mergeSnapshots(known.snapshot, said) };
    draft.putServer(server);
    rememberPorts(context, id);
    return { outcome: "repeated", reason: `another message of ${key}`, fill: { key, server: server.snapshot } };
  }
  if (known === undefined && isFromOldQueue(notification, rules) && !rules.isThere?.(id)) {
    const reason = `a creation of ${notification.time} from an old queue; nothing else is known of the server`;
    return { outcome: "superseded", reason };
  }
  announceServerCreation(context, id, statement);
  rememberPorts(context, id);
  return { outcome: "remembered", reason: "a server came" };
}

/** Remembers and announces that a server was created. */
export function announceServerCreation(context: DecisionContext, id: string, statement: Statement): void {
  const { draft } = context;
  const server = createdServer(context, id, statement);
  draft.putServer(server);
  const { snapshot } = server;
  const key = creationKey(id);
  context.announce({ key, subject: "server", created: true, server: snapshot, floatingIp: null, creationSeen: true });
}

function createdServer({ draft, rules }: DecisionContext, id: string, statement: Statement): ServerMemory {
  const said = statement.server;
  const known = draft.server(id);
  const ports = draft.portsOfServer(id);
  const own = { ...said, dnsName: said.dnsName ?? dnsNameOf(said.hostname, ports) };
  if (rules.follows) {
    const current = known === undefined
      ? firstStated({ ...statement, server: own }, { creationSeen: true })
      : restated(known, { ...statement, server: own });
    const { snapshot } = current;
    const addresses = own.addresses.length > 0 ? own.addresses : snapshot.addresses;
    const dnsName = snapshot.dnsName ?? own.dnsName;
    return { ...withPorts({ ...current, snapshot: { ...snapshot, addresses, dnsName } }, ports), creationSeen: true };
  }
  // A server that an association made known first has data from OpenStack's APIs; its addresses at
  // creation are those of the message.
  const snapshot = known === undefined ? own : { ...mergeSnapshots(own, known.snapshot), addresses: own.addresses };
  return { id, creationSeen: true, deleted: false, snapshot };
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
  const { draft } = context;
  const { server: said } = readStatement(context);
  const { id } = said;
  if (id === null) return NO_SERVER;
  const key = deletionKey(id);
  const known = draft.server(id);
  if (known?.deleted) {
    const snapshot = mergeSnapshots(known.snapshot, said);
    draft.putServer({ ...known, snapshot });
    return { outcome: "repeated", reason: `another message of ${key}`, fill: { key, server: snapshot } };
  }
  const ports = draft.portsOfServer(id);
  const formerPorts = context.rules.follows && known?.creationSeen ? [] : ports;
  const snapshot = known === undefined
    ? withAddressesOfPorts(said, ports)
    : asCreated(said, { known, ports: formerPorts });
  announceServerDeletion(context, id, snapshot);
  return { outcome: "remembered", reason: "a server went" };
}

/** Remembers and announces that a server was deleted, after the ends of its associations. */
export function announceServerDeletion(context: DecisionContext, id: string, snapshot: ServerSnapshot): void {
  const { draft } = context;
  const known = draft.server(id);
  const creationSeen = known?.creationSeen ?? false;
  draft.putServer({ ...known, id, creationSeen, deleted: true, snapshot });
  reconcileServer(context, id);
  const key = deletionKey(id);
  context.announce({ key, subject: "server", created: false, server: snapshot, floatingIp: null, creationSeen });
}

/**
 * `compute.instance.soft_delete.end` from a compute host: the server can be restored. Up to Pike,
 * nova-api published the same type for a permanent deletion, if the server had no compute host or
 * that was down.
 */
export function serverSoftDeleted(context: DecisionContext): Finding {
  if (isPublishedElsewhere(context.notification)) return serverDeleted(context);
  if (context.rules.follows) serverChanged(context);
  return { outcome: "remembered", reason: "a soft deletion: the server can be restored" };
}

const CREATIONS: ReadonlySet<string> = new Set(["compute.instance.create.end", "instance.create.end"]);

const NO_SERVER: Finding = { outcome: "remembered", reason: "the notification names no server" };

/**
 * The snapshot of a deletion: names and addresses as at the creation, metadata and sizes from the
 * deletion's own message.
 */
function asCreated(
  said: ServerSnapshot,
  { known: { snapshot: created }, ports }: { readonly known: ServerMemory; readonly ports: readonly PortMemory[] },
): ServerSnapshot {
  return {
    ...mergeSnapshots(said, created),
    hostname: created.hostname ?? said.hostname,
    dnsName: created.dnsName,
    userName: created.userName ?? said.userName,
    projectName: created.projectName ?? said.projectName,
    remoteAddress: created.remoteAddress ?? said.remoteAddress,
    // A port may have come after the creation. Where changes are followed, memory has its addresses.
    addresses: created.addresses.length > 0 ? created.addresses : addressesOfPorts(ports),
    floatingAddress: created.floatingAddress,
  };
}

/** Adds the addresses of a server's ports to a server whose creation is not remembered. */
function withAddressesOfPorts(said: ServerSnapshot, ports: readonly PortMemory[]): ServerSnapshot {
  return { ...said, dnsName: dnsNameOf(said.hostname, ports), addresses: addressesOfPorts(ports) };
}

/**
 * `instance.interface_attach.end`, `instance.interface_detach.end`: the server's state, with its
 * ports. Neutron's messages of a port are newer or equal, so this counts only for ports that
 * Neutron has sent nothing of.
 */
export function serverInterfacesChanged(context: DecisionContext): Finding {
  const finding = serverChanged(context);
  const { draft, notification } = context;
  const { id } = readServer(notification);
  const known = id === null ? undefined : draft.server(id);
  if (id === null || known === undefined || known.deleted) return finding;
  rememberPorts(context, id);
  const attached = new Set(readServerPorts(notification).map((port) => port.id));
  for (const port of draft.portsOfServer(id)) {
    if (port.revision !== null || port.serverId !== id || attached.has(port.id)) continue;
    draft.putPort({ ...port, serverId: null });
    reconcilePort(context, port.id);
  }
  // The message also names the networks of new addresses.
  const server = withPorts(draft.server(id) as ServerMemory, draft.portsOfServer(id));
  const addresses = mergeAddresses(server.snapshot.addresses, readStatement(context).server.addresses);
  draft.putServer({ ...server, snapshot: { ...server.snapshot, addresses } });
  return finding;
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
