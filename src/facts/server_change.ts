import type { Address, ServerSnapshot } from "../model/event.ts";
import type { Memory, MemoryChanges, PortMemory, ServerMemory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import { isSameData } from "../model/same_data.ts";
import { mergeAddresses, mergeSnapshots, NO_IMAGE } from "../model/snapshot.ts";
import type { DecisionContext, Finding } from "./decision_context.ts";
import type { Draft } from "./draft.ts";
import { addressesOfPorts, dnsNameOf } from "./port_addresses.ts";
import {
  isBeingDeleted,
  readOptional,
  readServer,
  readServerPorts,
  readState,
  statesDescription,
} from "./server_payload.ts";

/** What a message, or an answer of Nova's API, states of a server. */
export interface Statement {
  readonly server: ServerSnapshot;
  /** When it was stated: ISO 8601, UTC. */
  readonly time: string;
  /** Whether it contains the description; an empty one is `null` in `server`. */
  readonly hasDescription: boolean;
  /** Whether it contains the image, and not one that passes. */
  readonly hasImage: boolean;
}

/** What the running decision's notification states of a server, with the optional keys. */
export function readStatement(context: DecisionContext): Statement {
  const { notification, rules } = context;
  const server = rules.follows ? readFollowed(context) : readServer(notification);
  const optional = rules.optional?.size ? { optional: readOptional(notification, rules.optional) } : {};
  return {
    server: { ...server, ...optional },
    time: earlier(notification.time ?? "", rules.latestStatement),
    hasDescription: statesDescription(notification),
    hasImage: !hasTemporaryImage(notification),
  };
}

/** A host whose clock is ahead must not keep later messages of others from counting. */
function earlier(time: string, latest = time): string {
  return time < latest ? time : latest;
}

function readFollowed(context: DecisionContext): ServerSnapshot {
  const server = readServer(context.notification);
  const image = hasTemporaryImage(context.notification) ? NO_IMAGE : {};
  return { ...server, ...image, addresses: addressesHere(context, server) };
}

/**
 * Whether the image in a message is not the server's for long: an audit amid a rebuild names the
 * former one, and a shelved server is spawned from a snapshot of its disk.
 */
function hasTemporaryImage(notification: Notification): boolean {
  return notification.eventType.endsWith(".exists") || SHELVED_STATES.has(readState(notification) ?? "");
}

const SHELVED_STATES: ReadonlySet<string> = new Set(["shelved", "shelved_offloaded"]);

/**
 * The addresses in a server's message without those of ports that have left the server: Neutron's
 * messages of a port count more than Nova's.
 */
function addressesHere(
  { notification, draft }: DecisionContext,
  { id, addresses }: ServerSnapshot,
): readonly Address[] {
  const hasLeft = (port: PortMemory | undefined) => (port?.revision ?? null) !== null && port?.serverId !== id;
  const left = readServerPorts(notification).filter((port) => hasLeft(draft.port(port.id)));
  if (left.length === 0) return addresses;
  const gone = new Set(left.flatMap((port) => port.addresses));
  return addresses.filter(({ address }) => !gone.has(address));
}

/** A message that contains a server's state, and announces neither its creation nor its deletion. */
export function serverChanged(context: DecisionContext): Finding {
  const { draft, notification } = context;
  const statement = readStatement(context);
  const { id } = statement.server;
  if (id === null) return { outcome: "remembered", reason: "the notification names no server" };
  const known = draft.server(id);
  if (known?.deleted) return { outcome: "remembered", reason: "the server's deletion was recorded before" };
  if (known !== undefined) {
    if (isBeingDeleted(notification)) {
      draft.putServer(deletedSince(known, statement));
      return { outcome: "remembered", reason: "Nova deletes the server, which stays as it was until it is gone" };
    }
    draft.putServer(keptSince(restated(known, statement), statement));
    return { outcome: "remembered", reason: "the state of a server" };
  }
  if (!LASTING_STATES.has(readState(notification) ?? "")) {
    return { outcome: "remembered", reason: "the state of a server that is not built yet, or no longer there" };
  }
  // Its creation may come late, and must not undo this.
  draft.putServer(firstStated(statement, { creationSeen: false }));
  return { outcome: "remembered", reason: "the state of a server whose creation is not remembered" };
}

/** The memory of a server that Nova deletes, unless a later message said that it does not. */
function deletedSince(known: ServerMemory, { time }: Statement): ServerMemory {
  const { stated, deletingSince } = known;
  return time < (stated?.server ?? "") ? known : { ...known, deletingSince: deletingSince ?? time };
}

/** The memory of a server that Nova does not delete: an earlier attempt has failed. */
function keptSince(known: ServerMemory, { time }: Statement): ServerMemory {
  const { deletingSince } = known;
  return deletingSince && time > deletingSince ? { ...known, deletingSince: null } : known;
}

/**
 * States (`vm_state`) of a server that has been built and is there. Of others, nothing is remembered
 * before the creation: most servers in state `error` were never built.
 */
const LASTING_STATES: ReadonlySet<string> = new Set([
  ...["active", "paused", "suspended", "stopped", "rescued", "resized", "shelved", "shelved_offloaded"],
]);

/** The memory of a server of which nothing is remembered yet. */
export function firstStated(
  { server, time, hasDescription, hasImage }: Statement,
  { creationSeen }: Pick<ServerMemory, "creationSeen">,
): ServerMemory {
  const stated = { server: time, description: hasDescription ? time : null, image: hasImage ? time : null };
  return { id: server.id as string, creationSeen, deleted: false, snapshot: server, stated };
}

/**
 * The memory of a server after a statement. Of two statements the one with the later time counts,
 * whichever came first; what it leaves open is completed from the other.
 */
export function restated(known: ServerMemory, { server, time, hasDescription, hasImage }: Statement): ServerMemory {
  const { snapshot, stated } = known;
  const isNewer = stated === undefined || time >= stated.server;
  const isNewDescription = hasDescription && time >= (stated?.description ?? "");
  const isNewImage = hasImage && time >= (stated?.image ?? "");
  const newerFirst = mergeSnapshots(server, snapshot);
  const knownFirst = mergeSnapshots(snapshot, server);
  const merged = isNewer ? newerFirst : knownFirst;
  const optional = isNewer
    ? { ...snapshot.optional, ...server.optional }
    : { ...server.optional, ...snapshot.optional };
  return {
    ...known,
    snapshot: {
      ...merged,
      ...imageIn(isNewImage ? newerFirst : knownFirst),
      description: isNewDescription ? server.description : snapshot.description,
      // Names of owner and creator never change; those of an actor may be another's.
      projectName: snapshot.projectName ?? server.projectName,
      userName: snapshot.userName ?? server.userName,
      remoteAddress: snapshot.remoteAddress ?? server.remoteAddress,
      createdAt: snapshot.createdAt ?? server.createdAt,
      // The DNS name is that of a port, and made of the hostname: see `withPorts`.
      dnsName: merged.hostname === (snapshot.hostname ?? merged.hostname) ? snapshot.dnsName : null,
      // Addresses are those of the server's ports: see `withPorts`.
      addresses: mergeAddresses(snapshot.addresses, server.addresses),
      floatingAddress: snapshot.floatingAddress,
      ...(Object.keys(optional).length === 0 ? {} : { optional }),
    },
    stated: {
      server: isNewer ? time : stated.server,
      description: isNewDescription ? time : stated?.description ?? null,
      image: isNewImage ? time : stated?.image ?? null,
    },
  };
}

function imageIn({ imageId, imageOs, imageOsDistro, imageOsVersion, imageName }: ServerSnapshot) {
  return { imageId, imageOs, imageOsDistro, imageOsVersion, imageName };
}

/**
 * A server with the addresses of its ports, and the DNS name that one of them has. Addresses keep
 * their places, since the first one of a version is the server's main address.
 */
export function withPorts(server: ServerMemory, ports: readonly PortMemory[]): ServerMemory {
  const { snapshot } = server;
  const attached = ports.filter((port) => !port.deleted && port.serverId === server.id);
  const addresses = addressesWithPorts(snapshot.addresses, { attached, others: ports });
  const dnsName = dnsNameOf(snapshot.hostname, attached) ?? snapshot.dnsName;
  if (dnsName === snapshot.dnsName && isSameData(addresses, snapshot.addresses)) return server;
  return { ...server, snapshot: { ...snapshot, dnsName, addresses } };
}

function addressesWithPorts(
  known: readonly Address[],
  { attached, others }: { readonly attached: readonly PortMemory[]; readonly others: readonly PortMemory[] },
): readonly Address[] {
  const current = new Map(addressesOfPorts(attached).map((one) => [one.address, one]));
  // A port without a revision is known from its floating IP, or from Nova: perhaps not all of its
  // addresses.
  const isComplete = (port: PortMemory) => port.revision !== null || !attached.includes(port);
  const macs = new Set(others.filter(isComplete).map(({ mac }) => mac));
  const isKept = ({ address, mac, type }: Address) =>
    type === "floating" || current.has(address) || mac === null || !macs.has(mac);
  const addresses = known.filter(isKept).map((one) => ({ ...one, mac: current.get(one.address)?.mac ?? one.mac }));
  for (const one of current.values()) {
    if (addresses.some(({ address }) => address === one.address)) continue;
    const network = known.find((other) => isOfPort(other, one))?.network ?? null;
    addresses.splice(placeOf(one, { addresses, known }), 0, { ...one, network });
  }
  return addresses;
}

function isOfPort({ mac }: Address, { mac: other }: Address): boolean {
  return mac !== null && mac === other;
}

/**
 * Where a new address goes: behind the other addresses of its port; for a port whose addresses have
 * all changed, where these were; for a new port, at the end. The first address stays that of the
 * first port, as in Nova's answers.
 */
function placeOf(
  one: Address,
  { addresses, known }: { readonly addresses: readonly Address[]; readonly known: readonly Address[] },
): number {
  const behind = addresses.findLastIndex((other) => isOfPort(other, one));
  if (behind !== -1) return behind + 1;
  const former = known.findIndex((other) => isOfPort(other, one));
  if (former === -1) return addresses.length;
  const before = new Set(known.slice(0, former).map(({ address }) => address));
  return addresses.findLastIndex(({ address }) => before.has(address)) + 1;
}

/**
 * Completes the servers whose ports, addresses or hostnames a decision has changed, and returns the
 * existing servers whose detail may have changed by it.
 */
export function followChanges(draft: Draft, memory: Memory): readonly string[] {
  const { ports, floatingIps } = draft.changes();
  for (const id of serversToComplete(draft, memory)) {
    const server = draft.server(id);
    if (server === undefined || server.deleted || server.deletingSince) continue;
    // Also ports that another server has got.
    const others = ports.filter(({ lastServerId }) => lastServerId !== id);
    const completed = withPorts(server, [...draft.portsOfServer(id), ...others]);
    // The number marks a server whose memory is not as it was created.
    if (completed !== server) draft.putServer({ ...completed, updates: completed.updates ?? 0 });
  }
  const ofAssociations = floatingIps.flatMap(({ id, association }) => {
    const before = memory.floatingIp(id)?.association ?? null;
    return isSameData(association, before) ? [] : [association?.serverId, before?.serverId];
  });
  const restatedServers = draft.changes().servers.filter(({ id, snapshot }) => {
    const before = memory.server(id);
    return !isSameData(snapshot, before?.snapshot) || before?.deletingSince;
  });
  const changed = new Set([...ofAssociations.flatMap((id) => id ?? []), ...restatedServers.map(({ id }) => id)]);
  // A creation that is announced by this decision has the server as it is.
  return [...changed].filter((id) => {
    const server = draft.server(id);
    return memory.server(id)?.creationSeen && !server?.deleted && !server?.deletingSince;
  });
}

/** The servers of which a decision has changed a port, or what ports complete. */
function serversToComplete(draft: Draft, memory: Memory): ReadonlySet<string> {
  const { servers, ports } = draft.changes();
  const incomplete = servers.filter((server) => needsPortData(server, memory.server(server.id)));
  const ofPorts = ports.flatMap((port) => {
    const before = memory.port(port.id);
    const isSame = before !== undefined && isSameData(ofDetail(port), ofDetail(before));
    return isSame ? [] : [port.lastServerId, before?.serverId];
  });
  return new Set([...incomplete.map(({ id }) => id), ...ofPorts.flatMap((id) => id ?? [])]);
}

/** Whether changes of memory are times of statements alone. */
export function statesNothingNew({ servers, ports, floatingIps }: MemoryChanges, memory: Memory): boolean {
  return ports.length === 0 && floatingIps.length === 0 && servers.every((server) => {
    const before = memory.server(server.id);
    return before !== undefined && before.deleted === server.deleted &&
      (before.deletingSince ?? null) === (server.deletingSince ?? null) &&
      isSameData(server.snapshot, before.snapshot);
  });
}

/** Whether parts of a server may have changed that its ports complete. */
function needsPortData({ snapshot }: ServerMemory, before: ServerMemory | undefined): boolean {
  const { hostname, addresses } = before?.snapshot ?? {};
  return Boolean(before?.deletingSince) || snapshot.hostname !== hostname ||
    !isSameData(snapshot.addresses, addresses);
}

/** What the detail of a server takes from its port. */
function ofDetail({ serverId, mac, fixedAddresses, dnsName, dnsHostname, deleted, revision }: PortMemory) {
  return { serverId, mac, fixedAddresses, dnsName, dnsHostname, deleted, isWhole: revision !== null };
}
