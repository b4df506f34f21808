import type { ServerSnapshot } from "../model/event.ts";
import { creationKey, deletionKey } from "../model/event_key.ts";
import type { FloatingIpMemory, Memory, PortMemory, ServerMemory } from "../model/memory.ts";
import type { DecisionContext, Finding } from "./decision_context.ts";
import { acceptFloatingIp, endFloatingIp } from "./floating_ip.ts";
import { acceptPort, endPort } from "./port.ts";
import { type Observation, readObservation } from "./observation.ts";
import { prime, withOptional } from "./prime.ts";
import { isOutdated, mayBeNewer } from "./revisions.ts";
import { announceServerCreation, announceServerDeletion } from "./server.ts";
import { restated, type Statement } from "./server_change.ts";

type Observed<What extends Observation["what"]> = Extract<Observation, { readonly what: What }>;

/**
 * Decides an observation of OpenStack's APIs. Messages win: whatever was recorded before it has
 * been decided, and an observation that is older than memory changes nothing. The facts that it
 * announces have the keys that the lost messages would have given them.
 */
export function decideObservation(context: DecisionContext): Finding {
  const observation = readObservation(context.notification);
  switch (observation.what) {
    case "server":
      return serverIsThere(context, observation);
    case "serverAbsent":
      return serverIsAbsent(context, observation.id);
    case "port":
      return portIsThere(context, observation);
    case "portAbsent":
      return portIsAbsent(context, observation.id);
    case "floatingIp":
      return floatingIpIsThere(context, observation);
    case "floatingIpAbsent":
      return floatingIpIsAbsent(context, observation.id);
  }
}

function serverIsThere(context: DecisionContext, observation: Observed<"server">): Finding {
  const { draft, rules } = context;
  const { isNew } = observation;
  const state = withOptional(observation.state, rules.optional);
  const known = draft.server(state.id as string);
  if (known?.deleted) {
    return {
      outcome: "superseded",
      isDoubtful: true,
      reason: `the server's deletion was recorded before. ${RESTORED}`,
    };
  }
  const statement = { server: state, time: timeOf(observation), hasDescription: hasDescription(state), hasImage: true };
  if (known?.creationSeen) {
    return rules.follows
      ? serverIsAsRead(context, { known, statement })
      : { outcome: "repeated", reason: `another finding of ${creationKey(known.id)}` };
  }
  if (isNew) announceServerCreation(context, state.id as string, statement);
  else if (known === undefined) remember(context, { listing: "servers", records: [state] });
  return AGREES;
}

/**
 * A server that memory has, too: its state counts, unless a message of about the same time or later
 * has stated it. Times of messages stay as they were, since they are of OpenStack's clocks.
 */
function serverIsAsRead(
  { draft }: DecisionContext,
  { known, statement }: { readonly known: ServerMemory; readonly statement: Statement },
): Finding {
  if (mayBeNewer({ updatedAt: known.stated?.server ?? null }, Date.parse(statement.time))) {
    return { outcome: "superseded", reason: "a message of the server was recorded after it was read" };
  }
  const { stated, ...unstated } = known;
  const { stated: _, deletingSince = null, ...server } = restated(unstated, statement);
  draft.putServer({
    ...server,
    ...(stated === undefined ? {} : { stated }),
    ...(isLeftAlone(deletingSince, statement) ? {} : { deletingSince }),
  });
  return AGREES;
}

/** Nova has not deleted in this time what it began to delete: the deletion has failed. */
const MAX_DELETING_MS = 3_600_000;

function isLeftAlone(deletingSince: string | null, { time }: Statement): boolean {
  return deletingSince === null || Date.parse(time) - Date.parse(deletingSince) > MAX_DELETING_MS;
}

function timeOf({ readAtMs = 0 }: Observed<"server">): string {
  return new Date(readAtMs).toISOString();
}

/** Nova shows descriptions from an older microversion on than sizes of flavors. */
function hasDescription({ description, vcpus }: ServerSnapshot): boolean {
  return description !== null || vcpus !== null;
}

const RESTORED = "If Nova's database was restored from a backup, tell the targets by hand: a creation is told once";

function serverIsAbsent(context: DecisionContext, id: string): Finding {
  const known = context.draft.server(id);
  if (known === undefined) return UNKNOWN;
  if (known.deleted) return { outcome: "repeated", reason: `another finding of ${deletionKey(id)}` };
  announceServerDeletion(context, id, known.snapshot);
  return { outcome: "remembered", reason: "a server went" };
}

function portIsThere(context: DecisionContext, observation: Observed<"port">): Finding {
  const { state } = observation;
  const late = whyOutdated(context.draft.port(state.id), observation);
  if (late !== null) return late;
  acceptPort(context, state);
  return AGREES;
}

function portIsAbsent(context: DecisionContext, id: string): Finding {
  const known = context.draft.port(id);
  if (known === undefined) return UNKNOWN;
  if (known.deleted) return { outcome: "repeated", reason: "the port's deletion was recorded before" };
  endPort(context, known);
  return { outcome: "remembered", reason: "a port went; no floating IP was on it" };
}

/** The other floating IPs on its port are left as they are: they may have been seen elsewhere. */
function floatingIpIsThere(context: DecisionContext, observation: Observed<"floatingIp">): Finding {
  const { draft } = context;
  const { isNew, readAtMs } = observation;
  const known = draft.floatingIp(observation.state.id);
  const late = whyOutdated(known, observation);
  if (late !== null) return late;
  // The port has a revision of its own, which the floating IP's state does not contain.
  const port = draft.port(observation.state.portId ?? "");
  const state = port !== undefined && mayBeNewer(port, readAtMs)
    ? { ...observation.state, port: null }
    : observation.state;
  if (known !== undefined || isNew) return acceptFloatingIp(context, state) ?? AGREES;
  remember(context, { listing: "floatingIps", records: [state] });
  return AGREES;
}

function floatingIpIsAbsent(context: DecisionContext, id: string): Finding {
  const known = context.draft.floatingIp(id);
  if (known === undefined) return UNKNOWN;
  if (known.deleted) return { outcome: "repeated", reason: "the floating IP's deletion was recorded before" };
  endFloatingIp(context, known);
  return { outcome: "remembered", reason: "the floating IP was on no server when it was deleted" };
}

/** Remembers a resource that is older than the ledger, as priming does. */
function remember({ draft, rules }: DecisionContext, page: Parameters<typeof prime>[0]): void {
  draft.put(prime(page, draft as Memory, rules).changes);
}

/**
 * Why the state of a port or floating IP is not newer than memory; `null`: it is. An observation
 * without `comparedWith` was not older than memory when it was made: if it is, a message came since,
 * whatever the clocks say.
 */
function whyOutdated(
  known: PortMemory | FloatingIpMemory | undefined,
  { state, readAtMs, comparedWith }: Observed<"port"> | Observed<"floatingIp">,
): Finding | null {
  const isOvertaken = comparedWith === undefined && known !== undefined &&
    (known.deleted || (state.revision ?? 0) < (known.revision ?? 0));
  if (known !== undefined && (isOvertaken || isOutdated(state, known, readAtMs))) {
    const what = known.deleted ? "its deletion" : `its revision ${known.revision}`;
    return { outcome: "superseded", reason: `what was read of it is older than ${what}, which was recorded before` };
  }
  if (comparedWith === undefined || comparedWith === JSON.stringify(known ?? null)) return null;
  return { outcome: "superseded", reason: "a message of it was recorded after it was read" };
}

const AGREES: Finding = { outcome: "remembered", reason: "memory is as OpenStack says" };
const UNKNOWN: Finding = { outcome: "remembered", reason: "nothing is remembered of the resource that is gone" };
